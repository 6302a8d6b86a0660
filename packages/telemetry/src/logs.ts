import type { ByteAutomaton } from './automaton/byte-automaton.ts';
import type { Labels } from './labels.ts';
import type { LabelMatcher } from './matcher.ts';

export type LogDirection = 'forward' | 'backward';

/**
 * A run of lines of one stream in rising order of time, kept as one block of UTF-8 so that a scan needs no strings.
 * Line i is the bytes from `ends[i - 1]` (0 for the first) to `ends[i]` of `text`; there is no line feed between lines.
 */
export interface LogChunk {
  readonly labels: Labels;
  /** Nanoseconds since the epoch. */
  readonly timestamps: BigInt64Array;
  readonly text: Uint8Array;
  readonly ends: Uint32Array;
  /** Per line; undefined as a whole, or per line, where there is none. */
  readonly structuredMetadata?: readonly (Labels | undefined)[];
  /** Where the lines are kept so that they can be searched without being unpacked; the fields above then unpack them. */
  readonly packed?: PackedLines;
}

/** Some of the lines of a chunk. */
export interface LineSet {
  readonly count: number;
  /** 1 for each line that belongs to it. */
  marks(): Uint8Array;
}

/** The lines of a chunk before they are unpacked. Lines that turn out to be unreadable are not there. */
export interface PackedLines {
  readonly count: number;
  readonly textBytes: number;
  /** Of the first and the last line. */
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly hasMetadata: boolean;
  search(automaton: ByteAutomaton): LineSet;
  /** Of all lines, without their text. */
  times(): BigInt64Array;
  /** The marked lines, unpacked. */
  take(marks: Uint8Array): LogChunk;
}

export interface LogSelection {
  readonly matchers: readonly LabelMatcher[];
  /** Inclusive. */
  readonly startNs: bigint;
  /** Exclusive. */
  readonly endNs: bigint;
  /** The order of chunks; within a chunk lines always rise. Chunks of one stream do not overlap in time. */
  readonly direction: LogDirection;
  /** Byte strings that every wanted line contains; the store may use them to skip chunks, never must. */
  readonly contains?: readonly Uint8Array[];
}

/** What LogQL and the Loki API read. */
export interface LogReader {
  /**
   * Chunks in the order of their first (forward) or last (backward) time, cut to the range. Lazy: a reader that has
   * enough stops asking.
   */
  select(selection: LogSelection): Iterable<LogChunk>;
  /** Streams with a line in the range. */
  streams(selectors: readonly (readonly LabelMatcher[])[], startNs: bigint, endNs: bigint): readonly Labels[];
  /** Bytes and lines per stream in the range, from the index, without reading text where the store knows them. */
  volumes(
    matchers: readonly LabelMatcher[],
    startNs: bigint,
    endNs: bigint,
  ): readonly { readonly labels: Labels; readonly chunks: number; readonly entries: number; readonly bytes: number }[];
}

export interface LogEntry {
  readonly timestampNs: bigint;
  readonly line: string;
  readonly structuredMetadata?: Labels;
}

export interface LogWriter {
  /** Resolves when the entries are durable. */
  append(streams: readonly { readonly labels: Labels; readonly entries: readonly LogEntry[] }[]): Promise<{
    readonly accepted: number;
    readonly rejected: readonly { readonly reason: string; readonly count: number }[];
  }>;
  /** Calls for entries as they become durable, for live tail. Dispose to stop. */
  subscribe(
    matchers: readonly LabelMatcher[],
    onEntries: (labels: Labels, entries: readonly LogEntry[]) => void,
  ): Disposable;
}
