import type { LogChunk, LogSelection } from '@kind-e2e/telemetry';
import { decodeLineTable, decompress, type Lines, mergeLines } from './chunk-codec.ts';
import type { LogsFile, StoredChunk } from './file.ts';
import { WantedText } from './gram-filter.ts';
import type { LineHead, LogStream } from './stream.ts';

/** A string that a line must have, for the text and for its filter. */
interface Wanted {
  readonly bytes: Uint8Array;
  readonly text: WantedText;
}

/** Something to read: a chunk on disk or a head in memory. */
type Source = { readonly minTime: bigint; readonly maxTime: bigint; readonly count: number; readonly bytes: number } & (
  | { readonly stored: StoredChunk }
  | { readonly head: LineHead }
);

/** Sources of one stream whose times overlap; they are read as one chunk. */
interface Group {
  readonly stream: LogStream;
  readonly sources: Source[];
  readonly minTime: bigint;
  maxTime: bigint;
}

function groupsOf(stream: LogStream, startNs: bigint, endNs: bigint, file: LogsFile): Group[] {
  const sources: Source[] = [];
  if (stream.diskMaxTime >= startNs)
    for (const stored of file.chunks(stream.id, startNs, endNs))
      sources.push({
        stored,
        minTime: stored.minTime,
        maxTime: stored.maxTime,
        count: stored.lines,
        bytes: stored.bytes,
      });
  for (const head of stream.heads)
    if (head.count > 0 && head.maxTime >= startNs && head.minTime < endNs)
      sources.push({ head, minTime: head.minTime, maxTime: head.maxTime, count: head.count, bytes: head.bytes });
  sources.sort((a, b) => (a.minTime < b.minTime ? -1 : a.minTime > b.minTime ? 1 : 0));
  const groups: Group[] = [];
  for (const source of sources) {
    const last = groups.at(-1);
    if (last && source.minTime <= last.maxTime) {
      last.sources.push(source);
      last.maxTime = later(last.maxTime, source.maxTime);
    } else groups.push({ stream, sources: [source], minTime: source.minTime, maxTime: source.maxTime });
  }
  return groups;
}

/** Chunks of the streams in the order of the selection, read one at a time. */
export function* selectChunks(
  streams: readonly LogStream[],
  selection: LogSelection,
  file: LogsFile,
  damaged: (error: unknown) => void,
): Generator<LogChunk> {
  const { startNs, endNs, direction, contains } = selection;
  const wanted = contains?.map((bytes) => ({ bytes, text: new WantedText(bytes) }));
  const groups = streams
    .filter((stream) => stream.maxTime >= startNs && stream.minTime < endNs)
    .flatMap((stream) => groupsOf(stream, startNs, endNs, file));
  const forward = direction === 'forward';
  const keyOf = (group: Group): bigint =>
    forward ? later(group.minTime, startNs) : earlier(group.maxTime, endNs - 1n);
  groups.sort((a, b) => {
    const left = keyOf(a);
    const right = keyOf(b);
    const order = left < right ? -1 : left > right ? 1 : 0;
    return forward ? order : -order;
  });
  for (const group of groups) {
    let chunk: LogChunk | undefined;
    try {
      chunk = readGroup(group, startNs, endNs, wanted, file);
    } catch (error) {
      damaged(error);
    }
    if (chunk) yield chunk;
  }
}

function readGroup(
  group: Group,
  startNs: bigint,
  endNs: bigint,
  contains: readonly Wanted[] | undefined,
  file: LogsFile,
): LogChunk | undefined {
  const runs: Lines[] = [];
  for (const source of group.sources) {
    const lines = readSource(source, contains, file);
    if (lines) runs.push(lines);
  }
  const [only] = runs;
  if (!only) return undefined;
  const { timestamps, ends, text, metadata } = runs.length === 1 ? only : mergeLines(runs);
  const from = lowerBound(timestamps, startNs);
  const to = lowerBound(timestamps, endNs);
  if (from >= to) return undefined;
  const labels = group.stream.labels;
  if (from === 0 && to === timestamps.length)
    return { labels, timestamps, ends, text, ...(metadata && { structuredMetadata: metadata }) };
  const first = from === 0 ? 0 : (ends[from - 1] ?? 0);
  const cutEnds = ends.slice(from, to);
  if (first > 0) for (let i = 0; i < cutEnds.length; i++) cutEnds[i] = (cutEnds[i] ?? 0) - first;
  return {
    labels,
    timestamps: timestamps.subarray(from, to),
    ends: cutEnds,
    text: text.subarray(first, ends[to - 1]),
    ...(metadata && { structuredMetadata: metadata.slice(from, to) }),
  };
}

function readSource(source: Source, contains: readonly Wanted[] | undefined, file: LogsFile): Lines | undefined {
  if ('head' in source) return source.head.lines();
  const filter = contains && contains.length > 0 ? file.gramFilter(source.stored.id) : undefined;
  if (filter && contains?.some(({ text }) => !text.mayBeIn(filter))) return undefined;
  const packed = file.text(source.stored.id);
  if (!packed) return undefined;
  const text = decompress(packed, undefined, source.bytes);
  // The text alone tells whether a wanted string is there; most chunks need no table then.
  if (contains?.some(({ bytes }) => text.indexOf(bytes) < 0)) return undefined;
  const table = file.lineTable(source.stored.id);
  return table && { ...decodeLineTable(table), text };
}

/** Lines and bytes of a stream in a range: from the index for chunks that lie within it, counted for the others. */
export function streamVolume(
  stream: LogStream,
  startNs: bigint,
  endNs: bigint,
  file: LogsFile,
  damaged: (error: unknown) => void,
): { labels: LogStream['labels']; chunks: number; entries: number; bytes: number } {
  let chunks = 0;
  let entries = 0;
  let bytes = 0;
  for (const group of groupsOf(stream, startNs, endNs, file)) {
    chunks += group.sources.length;
    const [only] = group.sources;
    if (only && group.sources.length === 1 && group.minTime >= startNs && group.maxTime < endNs) {
      entries += only.count;
      bytes += only.bytes;
      continue;
    }
    try {
      const chunk = readGroup(group, startNs, endNs, undefined, file);
      entries += chunk?.timestamps.length ?? 0;
      bytes += chunk?.text.length ?? 0;
    } catch (error) {
      damaged(error);
    }
  }
  return { labels: stream.labels, chunks, entries, bytes };
}

function lowerBound(times: BigInt64Array, wanted: bigint): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0n) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function later(a: bigint, b: bigint): bigint {
  const isFirst = a > b;
  return isFirst ? a : b;
}

function earlier(a: bigint, b: bigint): bigint {
  const isFirst = a < b;
  return isFirst ? a : b;
}
