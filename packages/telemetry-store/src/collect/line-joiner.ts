import type { CriRecord } from './cri.ts';

export interface JoinedLine {
  readonly timestampNs: bigint;
  readonly stream: string;
  readonly line: string;
  /** Where in the file its last record ends, and that record's time. */
  readonly endOffset: number;
  readonly lastNs: bigint;
}

const MAX_LINES = 128;
const MAX_BYTES = 200 * 1024;
/** Records of one stack trace come within this time. */
const MAX_GAP_NS = 1_000_000_000n;
const CONTINUATION = /^(?:[ \t]+\S|Caused by: |Suppressed: |\}\s*$|\]\s*$)/;
const TRACEBACK = 'Traceback (most recent call last):';

interface Open {
  readonly startOffset: number;
  timestampNs: bigint;
  lastNs: bigint;
  lines: string[];
  bytes: number;
  endOffset: number;
  /** In a Python traceback, whose last line is not indented. */
  traceback: boolean;
}

/**
 * Joins partial records to lines, and the lines of a stack trace to one entry: what is indented, or begins as causes
 * of exceptions do, belongs to the line before it. Each stream of the container by itself.
 */
export class LineJoiner {
  readonly #partial = new Map<string, { timestampNs: bigint; text: string; startOffset: number }>();
  readonly #open = new Map<string, Open>();

  /** Takes a record by its place in the file; gives the entries that are complete now. */
  add(record: CriRecord, startOffset: number, endOffset: number): JoinedLine[] {
    const begun = this.#partial.get(record.stream);
    const text = begun ? begun.text + record.text : record.text;
    const timestampNs = begun?.timestampNs ?? record.timestampNs;
    const start = begun?.startOffset ?? startOffset;
    if (record.partial && text.length < MAX_BYTES) {
      this.#partial.set(record.stream, { timestampNs, text, startOffset: start });
      return [];
    }
    this.#partial.delete(record.stream);
    return this.#addLine(record.stream, timestampNs, text, start, endOffset);
  }

  #addLine(stream: string, timestampNs: bigint, text: string, startOffset: number, endOffset: number): JoinedLine[] {
    const open = this.#open.get(stream);
    const isTail = open?.traceback === true && /^\S+(?:Error|Exception|Warning|Exit|Interrupt)\b/.test(text);
    const fits =
      open !== undefined &&
      timestampNs - open.lastNs <= MAX_GAP_NS &&
      open.lines.length < MAX_LINES &&
      open.bytes + text.length < MAX_BYTES;
    if (open && fits && (isTail || CONTINUATION.test(text))) {
      open.lines.push(text);
      open.bytes += text.length + 1;
      open.lastNs = timestampNs;
      open.endOffset = endOffset;
      if (isTail) open.traceback = false;
      return [];
    }
    this.#open.set(stream, {
      startOffset,
      timestampNs,
      lastNs: timestampNs,
      lines: [text],
      bytes: text.length,
      endOffset,
      traceback: text.endsWith(TRACEBACK),
    });
    return open ? [finished(stream, open)] : [];
  }

  /** Entries that wait for more lines; called when none has come for a while. */
  flush(): JoinedLine[] {
    const lines = [...this.#open].map(([stream, open]) => finished(stream, open));
    this.#open.clear();
    return lines;
  }

  /** Time of the oldest record that is not given out yet. */
  get oldestNs(): bigint | undefined {
    let oldest: bigint | undefined;
    for (const { timestampNs } of [...this.#open.values(), ...this.#partial.values()])
      if (oldest === undefined || timestampNs < oldest) oldest = timestampNs;
    return oldest;
  }

  /** Where the oldest record begins that is not given out yet. */
  get oldestOffset(): number {
    let oldest = Infinity;
    for (const { startOffset } of this.#open.values()) oldest = Math.min(oldest, startOffset);
    for (const { startOffset } of this.#partial.values()) oldest = Math.min(oldest, startOffset);
    return oldest;
  }
}

function finished(stream: string, open: Open): JoinedLine {
  return {
    timestampNs: open.timestampNs,
    stream,
    line: open.lines.join('\n'),
    endOffset: open.endOffset,
    lastNs: open.lastNs,
  };
}
