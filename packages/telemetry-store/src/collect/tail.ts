import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCodeOf } from '@kind-e2e/base';
import { parseCri } from './cri.ts';
import { type JoinedLine, LineJoiner } from './line-joiner.ts';

export interface TailPosition {
  readonly inode: number;
  readonly offset: number;
}

const READ_BYTES = 64 * 1024;
/** A line longer than this is cut. */
const MAX_LINE_BYTES = 256 * 1024;
/** Rounds without news after which an open stack trace is taken as complete. */
const QUIET_ROUNDS = 2;

/** Follows one log file through appends, truncation and rotation. */
export class Tail implements AsyncDisposable {
  readonly path: string;
  #handle: FileHandle | undefined;
  #inode = 0;
  /** Where the next read begins, and what of the data before it is no whole line yet. */
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  #joiner = new LineJoiner();
  #quiet = 0;
  /** Everything before it is delivered. */
  #delivered = 0;

  constructor(path: string, position: TailPosition | undefined) {
    this.path = path;
    if (position) {
      this.#inode = position.inode;
      this.#delivered = position.offset;
    }
  }

  get position(): TailPosition {
    // What waits for more lines of its stack trace is read again after a restart.
    return { inode: this.#inode, offset: Math.min(this.#delivered, this.#joiner.oldestOffset) };
  }

  /** New entries, at most about a read's worth; `more` where there is more to read at once, `gone` where the file is. */
  async read(): Promise<{ lines: JoinedLine[]; more: boolean; gone: boolean }> {
    if (!this.#handle && !(await this.#open())) return { lines: [], more: false, gone: true };
    const handle = this.#handle;
    if (!handle) return { lines: [], more: false, gone: true };
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, this.#offset);
    if (bytesRead > 0) {
      this.#quiet = 0;
      return { lines: this.#take(buffer.subarray(0, bytesRead)), more: bytesRead === READ_BYTES, gone: false };
    }
    this.#quiet++;
    if (this.#quiet < QUIET_ROUNDS) return { lines: [], more: false, gone: false };
    const lines = this.#joiner.flush();
    if (lines.length > 0) return { lines, more: false, gone: false };
    return { lines, ...(await this.#checkFile(handle)) };
  }

  /** Entries up to the last one of this list are stored. */
  delivered(lines: readonly JoinedLine[]): void {
    for (const line of lines) if (line.endOffset > this.#delivered) this.#delivered = line.endOffset;
  }

  async #open(): Promise<boolean> {
    const path = this.#inode === 0 ? this.path : ((await this.#find(this.#inode)) ?? this.path);
    try {
      this.#handle = await open(path, 'r');
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return false;
      throw error;
    }
    const { ino, size } = await this.#handle.stat();
    // Another file than the one whose position is known, or the same cut short, is read from its beginning.
    if (ino !== this.#inode || size < this.#delivered) this.#delivered = 0;
    this.#inode = ino;
    this.#offset = this.#delivered;
    this.#rest = Buffer.alloc(0);
    this.#joiner = new LineJoiner();
    return true;
  }

  /** The file of an inode, which rotation may have renamed (`0.log` to `0.log.20260101-…`). */
  async #find(inode: number): Promise<string | undefined> {
    const folder = dirname(this.path);
    const prefix = basename(this.path);
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.startsWith(prefix) || name.endsWith('.gz')) continue;
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found?.ino === inode) return path;
    }
    return undefined;
  }

  /** At the end of the file: whether it was cut short, or another stands in its place. */
  async #checkFile(handle: FileHandle): Promise<{ more: boolean; gone: boolean }> {
    const { size } = await handle.stat();
    if (size < this.#offset) {
      this.#restart(0);
      return { more: true, gone: false };
    }
    const current = await stat(this.path).catch(() => undefined);
    if (current?.ino === this.#inode) return { more: false, gone: false };
    if (size > this.#offset) return { more: true, gone: false };
    await handle.close();
    this.#handle = undefined;
    this.#inode = 0;
    this.#delivered = 0;
    return { more: current !== undefined, gone: current === undefined };
  }

  #restart(offset: number): void {
    this.#offset = offset;
    this.#delivered = offset;
    this.#rest = Buffer.alloc(0);
    this.#joiner = new LineJoiner();
  }

  #take(bytes: Buffer): JoinedLine[] {
    const lines: JoinedLine[] = [];
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    const base = this.#offset - this.#rest.length;
    this.#offset += bytes.length;
    let from = 0;
    for (let newline = data.indexOf(10, from); newline >= 0; newline = data.indexOf(10, from)) {
      const end = newline > from && data[newline - 1] === 13 ? newline - 1 : newline;
      const record = parseCri(data.toString('utf8', from, end));
      // What is no CRI record (a line torn by a crash) is passed over.
      if (record) lines.push(...this.#joiner.add(record, base + from, base + newline + 1));
      from = newline + 1;
    }
    this.#rest = Buffer.from(data.subarray(from));
    if (this.#rest.length > MAX_LINE_BYTES) {
      const record = parseCri(this.#rest.toString('utf8'));
      if (record)
        lines.push(...this.#joiner.add({ ...record, partial: true }, this.#offset - this.#rest.length, this.#offset));
      this.#rest = Buffer.alloc(0);
    }
    return lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}
