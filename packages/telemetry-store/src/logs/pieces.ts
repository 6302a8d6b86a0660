import type { LogsFile, StoredChunk } from './file.ts';
import type { LineHead, LogStream } from './stream.ts';

/** Something to read: a chunk on disk or a head in memory. */
export type Source = {
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly count: number;
  readonly bytes: number;
} & ({ readonly stored: StoredChunk } | { readonly head: LineHead });

/** A stretch of time of one stream, and the sources that have lines in it; of several the lines must be merged. */
export interface Piece {
  readonly stream: LogStream;
  readonly sources: readonly Source[];
  readonly startNs: bigint;
  /** Exclusive. */
  readonly endNs: bigint;
}

function sourcesOf(stream: LogStream, startNs: bigint, endNs: bigint, file: LogsFile): Source[] {
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
  return sources.sort((a, b) => (a.minTime < b.minTime ? -1 : a.minTime > b.minTime ? 1 : 0));
}

/** Sources that overlap one after the other are read together up to so many, and no more. */
const MERGED_SOURCES = 16;

/**
 * Cuts the range where sources begin to overlap and where they cease to, so that only what overlaps is merged: two
 * chunks that share a moment stay two pieces with a small third between them.
 */
export function piecesOf(stream: LogStream, startNs: bigint, endNs: bigint, file: LogsFile): Piece[] {
  const sources = sourcesOf(stream, startNs, endNs, file);
  const bounds = new Set<bigint>();
  for (const { minTime, maxTime } of sources) {
    bounds.add(minTime > startNs ? minTime : startNs);
    bounds.add(maxTime < endNs ? maxTime + 1n : endNs);
  }
  const times = BigInt64Array.from(bounds).sort();
  const pieces: { stream: LogStream; sources: Set<Source>; startNs: bigint; endNs: bigint }[] = [];
  let active: Source[] = [];
  let next = 0;
  for (let i = 0; i + 1 < times.length; i++) {
    const from = times[i] ?? 0n;
    const to = times[i + 1] ?? 0n;
    active = active.filter(({ maxTime }) => maxTime >= from);
    for (let source = sources[next]; source && source.minTime <= from; source = sources[++next]) active.push(source);
    if (active.length === 0) continue;
    const last = pieces.at(-1);
    if (last?.endNs === from && belongsTo(last.sources, active)) {
      for (const source of active) last.sources.add(source);
      last.endNs = to;
    } else pieces.push({ stream, sources: new Set(active), startNs: from, endNs: to });
  }
  return pieces.map((piece) => ({ ...piece, sources: [...piece.sources] }));
}

/** Whether the stretch where these sources are is read together with the one before. */
function belongsTo(before: ReadonlySet<Source>, active: readonly Source[]): boolean {
  const [only] = active;
  if (before.size === 1 || active.length === 1) return before.size === active.length && !!only && before.has(only);
  return before.size < Math.max(MERGED_SOURCES, active.length * 2);
}
