import type { LogChunk, LogSelection } from '@kind-e2e/telemetry';
import { decodeLineTable, decompress, type Lines, mergeLines } from './chunk-codec.ts';
import type { LogsFile } from './file.ts';
import { sliceLines } from './line-block.ts';
import { type Piece, piecesOf, type Source } from './pieces.ts';
import { lowerBound, StoredLines, toChunk } from './stored-lines.ts';
import type { LogStream } from './stream.ts';
import { WantedLines } from './wanted-lines.ts';

/** Chunks of the streams in the order of the selection, read one at a time. */
export function* selectChunks(
  streams: readonly LogStream[],
  selection: LogSelection,
  file: LogsFile,
  damaged: (error: unknown) => void,
): Generator<LogChunk> {
  const { startNs, endNs, direction } = selection;
  const wanted = WantedLines.of(selection, file, damaged);
  const forward = direction === 'forward';
  const pieces = streams
    .filter((stream) => stream.maxTime >= startNs && stream.minTime < endNs)
    .flatMap((stream) => piecesOf(stream, startNs, endNs, file))
    .sort((a, b) => {
      const left = forward ? a.startNs : a.endNs;
      const right = forward ? b.startNs : b.endNs;
      const order = left < right ? -1 : left > right ? 1 : 0;
      return forward ? order : -order;
    });
  for (const piece of pieces) {
    const chunk = wanted.unlessDamaged(() => readPiece(piece, wanted, file));
    if (chunk) yield chunk;
  }
}

function readPiece(piece: Piece, wanted: WantedLines, file: LogsFile): LogChunk | undefined {
  const { stream, sources, startNs, endNs } = piece;
  const part = wanted.between(startNs, endNs);
  const [only] = sources;
  if (only && sources.length === 1 && 'stored' in only) {
    const lines = StoredLines.open(stream.labels, file, only.stored, part);
    if (lines) return lines === 'none' ? undefined : lines;
  }
  const runs: Lines[] = [];
  for (const source of sources) {
    const lines = part.unlessDamaged(() => readSource(stream, source, part, file));
    if (lines && lines.ends.length > 0) runs.push(lines);
  }
  const [first] = runs;
  if (!first) return undefined;
  return toChunk(stream.labels, runs.length === 1 ? first : mergeLines(runs));
}

/** The lines of a source in the range; undefined where none can be wanted. */
function readSource(stream: LogStream, source: Source, wanted: WantedLines, file: LogsFile): Lines | undefined {
  if ('head' in source) return cut(source.head.lines(), wanted);
  const { stored } = source;
  const shaped = StoredLines.open(stream.labels, file, stored, wanted);
  if (shaped) {
    if (shaped === 'none') return undefined;
    const { timestamps, ends, text, structuredMetadata: metadata } = shaped;
    return { timestamps, ends, text, metadata };
  }
  if (!wanted.mayBeInText(stored.id)) return undefined;
  const packed = file.text(stored.id);
  if (!packed || packed.length === 0) return undefined;
  const text = decompress(packed, undefined, source.bytes);
  // The text alone tells whether a wanted string is there; most chunks need no table then.
  if (!wanted.areIn(text)) return undefined;
  const table = file.lineTable(stored.id);
  return table && cut({ ...decodeLineTable(table), text }, wanted);
}

function cut(lines: Lines, { startNs, endNs }: WantedLines): Lines | undefined {
  const { timestamps } = lines;
  const from = lowerBound(timestamps, startNs);
  const to = lowerBound(timestamps, endNs);
  if (from >= to) return undefined;
  return from === 0 && to === timestamps.length ? lines : sliceLines(lines, from, to);
}

/** Lines and bytes of a stream in a range: from the index for chunks that lie within it, counted for the others. */
export function streamVolume(
  stream: LogStream,
  startNs: bigint,
  endNs: bigint,
  file: LogsFile,
  damaged: (error: unknown) => void,
): { labels: LogStream['labels']; chunks: number; entries: number; bytes: number } {
  const wanted = WantedLines.of({ startNs, endNs }, file, damaged);
  const chunks = new Set<Source>();
  let entries = 0;
  let bytes = 0;
  for (const piece of piecesOf(stream, startNs, endNs, file)) {
    for (const source of piece.sources) chunks.add(source);
    const [only] = piece.sources;
    if (only && piece.sources.length === 1 && only.minTime >= piece.startNs && only.maxTime < piece.endNs) {
      entries += only.count;
      bytes += only.bytes;
      continue;
    }
    const chunk = wanted.unlessDamaged(() => readPiece(piece, wanted, file));
    entries += chunk?.packed?.count ?? chunk?.timestamps.length ?? 0;
    bytes += chunk?.packed?.textBytes ?? chunk?.text.length ?? 0;
  }
  return { labels: stream.labels, chunks: chunks.size, entries, bytes };
}
