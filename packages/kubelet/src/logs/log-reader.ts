import { type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '@kind-e2e/base';
import { type CriEntry, type LogStream, parseCriLine } from './cri-format.ts';
import type { LogNotifier } from './log-notifier.ts';
import { rotatedLogs } from './rotation.ts';

/** Options of a log request (core/v1 PodLogOptions). */
export interface LogOptions {
  readonly path: string;
  readonly follow: boolean;
  /** Whether the container has ended, so that following ends with the log. */
  readonly isOver: () => boolean;
  readonly notifier: LogNotifier;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** ISO time with milliseconds: entries before it are left out. */
  readonly since?: string;
  readonly stream?: LogStream;
}

const CHUNK_BYTES = 64 * 1024;
const IDLE_MS = 1_000;
const NEWLINE = Buffer.from('\n');

/** Reads a container's log as its program wrote it, rotated files included, and follows it where that is asked for. */
export async function* readLogs(options: LogOptions): AsyncGenerator<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const format = new EntryFormat(options);
  const limited = (chunk: Buffer): Buffer => {
    const cut = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= cut.length;
    return cut;
  };
  const reader = new CurrentLog(options.path);
  try {
    for await (const lines of existingLines(options, reader)) {
      const chunk = limited(format.lines(lines));
      if (chunk.length > 0) yield chunk;
      if (left <= 0 || options.signal.aborted) return;
    }
    while (options.follow && !options.signal.aborted) {
      const isOver = options.isOver();
      const lines = await reader.read();
      if (lines.length > 0) {
        const chunk = limited(format.lines(lines));
        if (chunk.length > 0) yield chunk;
        if (left <= 0) return;
      } else if (isOver) return;
      else await changed(options);
    }
  } finally {
    await reader.close();
  }
}

/** Waits until the log grows, or a second, since the container may have ended. */
function changed(options: LogOptions): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      listener[Symbol.dispose]();
      timer[Symbol.dispose]();
      options.signal.removeEventListener('abort', done);
      resolve();
    };
    const listener = options.notifier.listen(options.path, done);
    const timer = options.clock.after(IDLE_MS, done);
    options.signal.addEventListener('abort', done, { once: true });
  });
}

async function* existingLines(options: LogOptions, reader: CurrentLog): AsyncGenerator<Buffer[]> {
  // The current file first, so that one that is rotated meanwhile is neither left out nor read twice.
  await reader.open();
  const rotated: string[] = [];
  for (const path of await rotatedLogs(options.path))
    if ((await stat(path).catch(() => undefined))?.ino !== reader.inode) rotated.push(path);
  if (options.tailLines === undefined) {
    for (const path of rotated) for await (const lines of fileLines(path)) yield lines;
    for (let lines = await reader.read(); lines.length > 0; lines = await reader.read()) yield lines;
    return;
  }
  const tail: Buffer[] = [];
  let whole = 0;
  const keep = (lines: readonly Buffer[]): void => {
    for (const line of lines) {
      const entry = parseCriLine(line);
      if (!entry || (options.stream && entry.stream !== options.stream)) continue;
      tail.push(Buffer.from(line));
      if (!entry.isPartial) whole++;
      while (whole > (options.tailLines ?? 0)) {
        const dropped = parseCriLine(tail.shift() ?? NEWLINE);
        if (dropped && !dropped.isPartial) whole--;
      }
    }
  };
  // Only as far back as is needed: the current file first, rotated ones when it has too few lines.
  const size = (await stat(options.path).catch(() => undefined))?.size ?? 0;
  if (size < CHUNK_BYTES) for (const path of rotated.slice(-1)) for await (const lines of fileLines(path)) keep(lines);
  for (let lines = await reader.read(); lines.length > 0; lines = await reader.read()) keep(lines);
  yield tail;
}

async function* fileLines(path: string): AsyncGenerator<Buffer[]> {
  // A file that was compressed or dropped since it was listed.
  const found = (await openFile(path)) ?? (await openFile(`${path}.gz`));
  if (!found) return;
  const source = found.handle.createReadStream({ highWaterMark: CHUNK_BYTES });
  const content: AsyncIterable<Buffer> = found.path.endsWith('.gz')
    ? pipeline(source, createGunzip(), () => undefined)
    : source;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of content) {
    const split = splitLines(Buffer.concat([rest, chunk]));
    rest = split.rest;
    if (split.lines.length > 0) yield split.lines;
  }
}

async function openFile(path: string): Promise<{ readonly handle: FileHandle; readonly path: string } | undefined> {
  const handle = await open(path, 'r').catch(() => undefined);
  return handle && { handle, path };
}

/** The file that is written to; goes over to the next one when it was rotated. */
class CurrentLog {
  readonly #path: string;
  #handle: FileHandle | undefined;
  #inode = 0;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** Of the file that is open, 0 without one. */
  get inode(): number {
    return this.#inode;
  }

  async open(): Promise<void> {
    if (this.#handle) return;
    this.#handle = await open(this.#path, 'r').catch(() => undefined);
    this.#inode = this.#handle ? (await this.#handle.stat()).ino : 0;
    this.#offset = 0;
  }

  /** Next whole lines; none when there are no more now. */
  async read(): Promise<Buffer[]> {
    for (;;) {
      await this.open();
      if (!this.#handle) return [];
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) {
        const now = await stat(this.#path).catch(() => undefined);
        if (now && now.ino === this.#inode) return [];
        await this.close();
        continue;
      }
      this.#offset += bytesRead;
      const { lines, rest } = splitLines(Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]));
      this.#rest = rest;
      if (lines.length > 0) return lines;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
}

function splitLines(buffer: Buffer): { readonly lines: Buffer[]; readonly rest: Buffer } {
  const lines: Buffer[] = [];
  let begin = 0;
  for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10, begin)) {
    lines.push(buffer.subarray(begin, end));
    begin = end + 1;
  }
  return { lines, rest: Buffer.from(buffer.subarray(begin)) };
}

class EntryFormat {
  readonly #options: LogOptions;
  #isInLine = false;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  lines(lines: readonly Buffer[]): Buffer {
    const parts: Buffer[] = [];
    for (const line of lines) {
      const entry = parseCriLine(line);
      if (entry && this.#isWanted(entry)) this.#add(parts, entry);
    }
    return Buffer.concat(parts);
  }

  #isWanted(entry: CriEntry): boolean {
    const { stream, since } = this.#options;
    if (stream !== undefined && entry.stream !== stream) return false;
    return since === undefined || entry.timestamp.slice(0, 23) >= since.slice(0, 23);
  }

  #add(parts: Buffer[], entry: CriEntry): void {
    if (this.#options.timestamps && !this.#isInLine) parts.push(Buffer.from(`${entry.timestamp} `));
    parts.push(entry.content);
    if (!entry.isPartial) parts.push(NEWLINE);
    this.#isInLine = entry.isPartial;
  }
}
