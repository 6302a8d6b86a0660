import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { systemCodeOf } from '@kind-e2e/base';
import { parseCri } from './cri.ts';
import { type JoinedLine, LineJoiner } from './line-joiner.ts';

export interface TailPosition {
  readonly inode: number;
  readonly offset: number;
  /** Time of the last record before it, in nanoseconds: by it what is new is told in files that were compressed since. */
  readonly lastNs?: string;
}

/** What is read: a file, or what a compressed one holds. */
interface Source {
  read(into: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<{ readonly ino: number; readonly size: number }>;
  close(): Promise<void>;
}

const unzip = promisify(gunzip);

const READ_BYTES = 64 * 1024;
/** A line longer than this is cut. */
const MAX_LINE_BYTES = 256 * 1024;
/** Rounds without news after which an open stack trace is taken as complete. */
const QUIET_ROUNDS = 2;

/** Follows one log file through appends, truncation and rotation, and through the files that were rotated meanwhile. */
export class Tail implements AsyncDisposable {
  readonly path: string;
  #source: Source | undefined;
  /** Name of the file that is read, or read next. */
  #name: string | undefined;
  #inode = 0;
  /** Where the next read begins, and what of the data before it is no whole line yet. */
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  #joiner = new LineJoiner();
  #quiet = 0;
  /** Everything before it is delivered. */
  #delivered = 0;
  #deliveredNs: bigint | undefined;
  /** Records up to this time were delivered from a file that is no longer there as it was. */
  #skipNs: bigint | undefined;

  readonly #onDamage: (path: string, error: unknown) => void;

  /** `onDamage` is told of rotated files that cannot be decompressed; they are passed over. */
  constructor(
    path: string,
    position: TailPosition | undefined,
    onDamage: (path: string, error: unknown) => void = () => {},
  ) {
    this.path = path;
    this.#onDamage = onDamage;
    if (position) {
      this.#inode = position.inode;
      this.#delivered = position.offset;
      if (position.lastNs !== undefined) this.#deliveredNs = BigInt(position.lastNs);
    }
  }

  get position(): TailPosition {
    // What waits for more lines of its stack trace is read again after a restart.
    const offset = Math.min(this.#delivered, this.#joiner.oldestOffset);
    const open = this.#joiner.oldestNs;
    const last = this.#deliveredNs;
    if (last === undefined) return { inode: this.#inode, offset };
    return { inode: this.#inode, offset, lastNs: String(open !== undefined && open <= last ? open - 1n : last) };
  }

  /** New entries, at most about a read's worth; `more` where there is more to read at once, `gone` where the file is. */
  async read(): Promise<{ lines: JoinedLine[]; more: boolean; gone: boolean }> {
    const source = this.#source ?? (await this.#open());
    if (!source) return { lines: [], more: false, gone: true };
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await source.read(buffer, 0, READ_BYTES, this.#offset);
    if (bytesRead > 0) {
      this.#quiet = 0;
      return { lines: this.#take(buffer.subarray(0, bytesRead)), more: bytesRead === READ_BYTES, gone: false };
    }
    this.#quiet++;
    if (this.#quiet < QUIET_ROUNDS) return { lines: [], more: false, gone: false };
    const lines = this.#joiner.flush();
    if (lines.length > 0) return { lines, more: false, gone: false };
    return { lines, ...(await this.#checkFile(source)) };
  }

  /** Entries up to the last one of this list are stored. */
  delivered(lines: readonly JoinedLine[]): void {
    for (const { endOffset, lastNs } of lines) {
      if (endOffset > this.#delivered) this.#delivered = endOffset;
      if (this.#deliveredNs === undefined || lastNs > this.#deliveredNs) this.#deliveredNs = lastNs;
    }
  }

  async #open(): Promise<Source | undefined> {
    this.#name ??= await this.#firstName();
    const path = join(dirname(this.path), this.#name);
    try {
      this.#source = this.#name.endsWith('.gz') ? await this.#openCompressed(path) : await open(path, 'r');
    } catch (error) {
      this.#name = undefined;
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    const { ino, size } = await this.#source.stat();
    // Another file than the one whose position is known, or the same cut short, is read from its beginning.
    if (ino !== this.#inode || size < this.#delivered) this.#delivered = 0;
    this.#inode = ino;
    this.#offset = this.#delivered;
    this.#rest = Buffer.alloc(0);
    this.#joiner = new LineJoiner();
    return this.#source;
  }

  async #openCompressed(path: string): Promise<Source> {
    const { ino } = await stat(path);
    const packed = await readFile(path);
    const content = await unzip(packed).catch((error: unknown) => {
      this.#onDamage(path, error);
      return Buffer.alloc(0);
    });
    return {
      read: async (into, offset, length, position) => ({
        bytesRead: content.copy(into, offset, position, Math.min(content.length, position + length)),
      }),
      stat: async () => ({ ino, size: content.length }),
      close: async () => {},
    };
  }

  /** The file whose position is known, which rotation may have renamed; else all that there is, the oldest first. */
  async #firstName(): Promise<string> {
    const names = [...(await this.#rotated()), basename(this.path)];
    const [oldest = basename(this.path)] = names;
    if (this.#inode === 0) return oldest;
    for (const name of names) {
      const path = join(dirname(this.path), name);
      const found = await stat(path).catch(() => undefined);
      if (found?.ino === this.#inode && (name.endsWith('.gz') || (await this.#isKnown(path)))) return name;
    }
    // It was compressed, or removed, since: what is new is told by its time.
    if (this.#deliveredNs === undefined) return basename(this.path);
    this.#skipNs = this.#deliveredNs;
    return oldest;
  }

  /**
   * Whether the position is one of this file: numbers of inodes are used again, but what a later file has at that place
   * is younger.
   */
  async #isKnown(path: string): Promise<boolean> {
    if (this.#deliveredNs === undefined || this.#delivered === 0) return true;
    await using file = await open(path, 'r');
    const before = Buffer.alloc(Math.min(this.#delivered, READ_BYTES));
    const { bytesRead } = await file.read(before, 0, before.length, this.#delivered - before.length);
    // The end of the line before counts to it; where the line is longer than this, nothing is known of it.
    const from = before.lastIndexOf(10, bytesRead - 2) + 1;
    const record = parseCri(before.toString('utf8', from, bytesRead));
    return record === undefined || record.timestampNs <= this.#deliveredNs;
  }

  /** Names of the rotated files (`0.log.20260101-…`, compressed ones with `.gz`), the oldest first. */
  async #rotated(): Promise<string[]> {
    const prefix = `${basename(this.path)}.`;
    const names = await readdir(dirname(this.path)).catch(() => []);
    return names
      .filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp'))
      .sort((a, b) => (rotationOf(a) < rotationOf(b) ? -1 : 1));
  }

  /** At the end of the file: whether it was cut short, or another comes after it. */
  async #checkFile(source: Source): Promise<{ more: boolean; gone: boolean }> {
    const { size } = await source.stat();
    if (size < this.#offset) {
      this.#restart(0);
      return { more: true, gone: false };
    }
    const current = await stat(this.path).catch(() => undefined);
    if (current?.ino === this.#inode) return { more: false, gone: false };
    if (size > this.#offset) return { more: true, gone: false };
    const name = await this.#nameOf(this.#inode);
    await source.close();
    this.#source = undefined;
    this.#inode = 0;
    this.#delivered = 0;
    const rotated = await this.#rotated();
    // Compressed already, so that its place among them is not known: what is new is told by its time.
    if (name === undefined) this.#skipNs = this.#deliveredNs;
    const later = rotated.filter((each) =>
      name === undefined ? this.#skipNs !== undefined : rotationOf(each) > rotationOf(name),
    );
    this.#name = later[0] ?? basename(this.path);
    return { more: later.length > 0 || current !== undefined, gone: current === undefined && later.length === 0 };
  }

  /** The name that the file which is read has now. */
  async #nameOf(inode: number): Promise<string | undefined> {
    for (const name of await this.#rotated()) {
      const found = await stat(join(dirname(this.path), name)).catch(() => undefined);
      if (found?.ino === inode) return name;
    }
    return this.#name?.startsWith(`${basename(this.path)}.`) ? this.#name : undefined;
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
      // What is no CRI record (a line torn by a crash) is passed over, and what was delivered before.
      if (record && (this.#skipNs === undefined || record.timestampNs > this.#skipNs))
        lines.push(...this.#joiner.add(record, base + from, base + newline + 1));
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
    const source = this.#source;
    this.#source = undefined;
    await source?.close();
  }
}

/** By which rotated files are ordered: their names have the time. */
function rotationOf(name: string): string {
  return name.replace(/\.gz$/, '');
}
