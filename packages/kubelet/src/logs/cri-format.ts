/**
 * The log format of the container runtime interface (kubernetes/cri-client, logs.go): `<RFC 3339 with nanoseconds>
 * <stdout|stderr> <F|P> <content>`. `P` is a part of a line that goes on in the next entry of its stream.
 */
export type LogStream = 'stdout' | 'stderr';

/** Longer lines are split, as containerd does (max_container_log_line_size). */
export const MAX_LINE_BYTES = 16 * 1024;

const NEWLINE = 10;
const SPACE = 32;

/** Gives times with nanoseconds that rise with every call, so that readers who sort by time keep the order. */
export class LogTimes {
  #lastMs = 0;
  #extra = 0;
  #lastPrefix = '';

  /** `2026-01-02T03:04:05.678000001Z` */
  next(nowMs: number): string {
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#extra = 0;
      this.#lastPrefix = new Date(nowMs).toISOString().slice(0, 23);
    } else if (++this.#extra > 999_999) {
      this.#lastMs++;
      this.#extra = 0;
      this.#lastPrefix = new Date(this.#lastMs).toISOString().slice(0, 23);
    }
    return `${this.#lastPrefix}${String(this.#extra).padStart(6, '0')}Z`;
  }
}

export interface CriEntry {
  readonly timestamp: string;
  readonly stream: LogStream;
  readonly isPartial: boolean;
  readonly content: Buffer;
}

/** Reads one line without its end; undefined when it is not of the format. */
export function parseCriLine(line: Buffer): CriEntry | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0) return undefined;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const tag = line.toString('latin1', second + 1, third < 0 ? line.length : third);
  return {
    timestamp: line.toString('latin1', 0, first),
    stream,
    isPartial: tag.split(':')[0] === 'P',
    content: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
  };
}

/**
 * Turns raw output into entries. Gives the formatted bytes and how many raw bytes they stand for; an unfinished line
 * stays raw until its end comes, unless `isFinal`.
 */
export function formatOutput(
  raw: Buffer,
  stream: LogStream,
  time: () => string,
  isFinal: boolean,
): { readonly formatted: Buffer[]; readonly consumed: number } {
  const formatted: Buffer[] = [];
  let consumed = 0;
  const add = (content: Buffer, tag: 'F' | 'P'): void => {
    formatted.push(Buffer.from(`${time()} ${stream} ${tag} `, 'latin1'), content, LINE_END);
  };
  while (consumed < raw.length) {
    const newline = raw.indexOf(NEWLINE, consumed);
    const end = newline < 0 ? raw.length : newline;
    if (end - consumed > MAX_LINE_BYTES) {
      add(raw.subarray(consumed, consumed + MAX_LINE_BYTES), 'P');
      consumed += MAX_LINE_BYTES;
      continue;
    }
    if (newline < 0 && !isFinal) break;
    add(raw.subarray(consumed, end), 'F');
    consumed = newline < 0 ? end : newline + 1;
  }
  return { formatted, consumed };
}

const LINE_END = Buffer.from('\n');
