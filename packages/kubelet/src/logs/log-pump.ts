import { execFile } from 'node:child_process';
import { type FileHandle, mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, type Logger, systemCodeOf } from '@kind-e2e/base';
import { formatOutput, type LogStream, LogTimes, parseCriLine } from './cri-format.ts';
import type { LogNotifier } from './log-notifier.ts';
import { findRotated, rotateLog } from './rotation.ts';

export interface LogPumpOptions {
  /** Folder of the run, with the raw files `out` and `err`; `position.json` is the pump's. */
  readonly directory: string;
  /** `…/<container>/<attempt>.log` */
  readonly logPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notifier: LogNotifier;
  /** Size at which the log is rotated. Default 10 MiB (kubelet's containerLogMaxSize). */
  readonly maxBytes?: number;
  /** Files kept with the current one. Default 5 (containerLogMaxFiles). */
  readonly maxFiles?: number;
}

interface Position {
  out: number;
  err: number;
  /** The log file as it was when these held: what is behind `size` was written later. */
  log: { inode: number; size: number };
}

const CHUNK_BYTES = 256 * 1024;
const SAVE_EVERY_MS = 1_000;
const SAVE_EVERY_BYTES = 4 * 1024 * 1024;
/** Raw bytes that were copied and are given back to the file system. */
const PUNCH_EVERY_BYTES = 8 * 1024 * 1024;

/**
 * Copies what a container wrote (raw files) into its log. A kubelet that is killed at any point loses nothing and
 * doubles nothing: the position is saved now and then, and what the log holds behind it says how far the copy came.
 */
export class LogPump {
  readonly #options: LogPumpOptions;
  readonly #times = new LogTimes();
  readonly #raw: Partial<Record<'out' | 'err', FileHandle>> = {};
  #position: Position = { out: 0, err: 0, log: { inode: 0, size: 0 } };
  #log: FileHandle | undefined;
  #logSize = 0;
  #savedAt = 0;
  #unsavedBytes = 0;
  #punched = { out: 0, err: 0 };
  #running: Promise<void> | undefined;
  #again = false;
  #isClosed = false;

  private constructor(options: LogPumpOptions) {
    this.#options = options;
  }

  static async open(options: LogPumpOptions): Promise<LogPump> {
    const pump = new LogPump(options);
    await mkdir(dirname(options.logPath), { recursive: true });
    await pump.#recover();
    return pump;
  }

  /** Says that there may be more to copy; the copying goes on by itself. */
  poke(): void {
    if (this.#isClosed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#run(false).finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        this.poke();
      }
    });
  }

  /** Copies everything, the last unfinished line too, and closes: the container has ended. */
  async finish(): Promise<void> {
    await this.close(true);
  }

  /** Stops. Without `isFinal` the container goes on and another pump will take up. */
  async close(isFinal = false): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#running;
    if (isFinal) await this.#run(true);
    await this.#save();
    await Promise.all([this.#log?.close(), this.#raw.out?.close(), this.#raw.err?.close()]);
  }

  async #run(isFinal: boolean): Promise<void> {
    try {
      for (let moved = true; moved; ) {
        const out = await this.#copy('out', 'stdout', isFinal);
        const err = await this.#copy('err', 'stderr', isFinal);
        moved = out || err;
      }
      const { clock } = this.#options;
      if (this.#unsavedBytes > SAVE_EVERY_BYTES || clock.monotonic() - this.#savedAt > SAVE_EVERY_MS)
        await this.#save();
    } catch (error) {
      this.#options.logger.warn('copying a container log failed', { log: this.#options.logPath, error });
    }
  }

  /** Copies one chunk; true when there may be more. */
  async #copy(name: 'out' | 'err', stream: LogStream, isFinal: boolean): Promise<boolean> {
    const raw = await this.#openRaw(name);
    if (!raw) return false;
    const { size } = await raw.stat();
    // The program emptied the file itself (`echo x > /dev/stdout`).
    if (size < this.#position[name]) this.#position[name] = 0;
    const offset = this.#position[name];
    if (size === offset) return false;
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - offset));
    const { bytesRead } = await raw.read(buffer, 0, buffer.length, offset);
    const isEnd = offset + bytesRead >= size;
    const now = this.#options.clock.now();
    const { formatted, consumed } = formatOutput(
      buffer.subarray(0, bytesRead),
      stream,
      () => this.#times.next(now),
      isFinal && isEnd,
    );
    if (consumed === 0) return false;
    await this.#append(formatted);
    this.#position[name] = offset + consumed;
    this.#unsavedBytes += consumed;
    if (this.#position[name] - this.#punched[name] > PUNCH_EVERY_BYTES) await this.#punch(name);
    if (this.#logSize > (this.#options.maxBytes ?? 10 * 1024 * 1024)) await this.#rotate();
    return !isEnd;
  }

  async #append(parts: readonly Buffer[]): Promise<void> {
    this.#log ??= await this.#openLog();
    const content = Buffer.concat(parts);
    await this.#log.appendFile(content);
    this.#logSize += content.length;
    this.#options.notifier.notify(this.#options.logPath);
  }

  async #openLog(): Promise<FileHandle> {
    const handle = await open(this.#options.logPath, 'a', 0o640);
    const info = await handle.stat();
    this.#logSize = info.size;
    this.#position.log = { inode: info.ino, size: info.size };
    return handle;
  }

  async #openRaw(name: 'out' | 'err'): Promise<FileHandle | undefined> {
    const known = this.#raw[name];
    if (known) return known;
    const handle = await open(join(this.#options.directory, name), 'r').catch(() => undefined);
    if (handle) this.#raw[name] = handle;
    return handle;
  }

  async #rotate(): Promise<void> {
    await this.#save();
    await this.#log?.close();
    this.#log = undefined;
    await rotateLog(this.#options.logPath, this.#options.clock.now(), this.#options.maxFiles ?? 5);
    this.#options.notifier.notify(this.#options.logPath);
  }

  async #save(): Promise<void> {
    this.#savedAt = this.#options.clock.monotonic();
    if (this.#unsavedBytes === 0) return;
    this.#unsavedBytes = 0;
    this.#position.log.size = this.#logSize;
    const path = join(this.#options.directory, 'position.json');
    await writeFile(`${path}.tmp`, JSON.stringify(this.#position));
    await rename(`${path}.tmp`, path);
  }

  /** Gives the disk space of copied output back; the file keeps its length, so a writer that appends is not disturbed. */
  async #punch(name: 'out' | 'err'): Promise<void> {
    const length = this.#position[name] - (this.#position[name] % 4096);
    this.#punched[name] = length;
    if (process.platform !== 'linux') return;
    const file = join(this.#options.directory, name);
    await new Promise<void>((resolve) => {
      execFile('fallocate', ['--punch-hole', '--offset', '0', '--length', String(length), file], () => resolve());
    });
  }

  async #recover(): Promise<void> {
    const { directory, logPath } = this.#options;
    const text = await readFile(join(directory, 'position.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) this.#position = JSON.parse(text) as Position;
    const { inode, size } = this.#position.log;
    const current = await stat(logPath).catch(() => undefined);
    if (!current && inode === 0) return;
    if (inode !== 0 && current?.ino !== inode) {
      const rotated = await findRotated(logPath, inode);
      if (rotated !== undefined) await this.#countEntries(rotated, size);
      if (current) await this.#countEntries(logPath, 0);
    } else if (current) await this.#countEntries(logPath, size);
    // The entry of a last line without an end counts one byte more than was written.
    for (const name of ['out', 'err'] as const) {
      const raw = await stat(join(directory, name)).catch(() => undefined);
      if (raw) this.#position[name] = Math.min(this.#position[name], raw.size);
    }
  }

  /** Moves the position over entries that the log holds behind `from`; a torn last line is cut off. */
  async #countEntries(path: string, from: number): Promise<void> {
    const handle = await open(path, 'r+').catch((error: unknown) => {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (!handle) return;
    try {
      const { size } = await handle.stat();
      let rest = Buffer.alloc(0);
      let offset = from;
      while (offset < size) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - offset));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset);
        if (bytesRead === 0) break;
        offset += bytesRead;
        rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
        let begin = 0;
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, begin)) {
          const entry = parseCriLine(rest.subarray(begin, end));
          begin = end + 1;
          if (!entry) continue;
          const name = entry.stream === 'stdout' ? 'out' : 'err';
          this.#position[name] += entry.content.length + (entry.isPartial ? 0 : 1);
          this.#unsavedBytes++;
        }
        rest = rest.subarray(begin);
      }
      if (rest.length > 0) await handle.truncate(size - rest.length);
    } finally {
      await handle.close();
    }
  }
}
