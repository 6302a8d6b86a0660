import {
  type LabelMatcher,
  type Labels,
  type LogChunk,
  type LogEntry,
  type LogReader,
  type LogSelection,
  matchesAll,
} from '@kind-e2e/telemetry';

const CHUNK_LINES = 64;

/** A LogReader over streams in memory, in small chunks so that their edges are tested too. */
export class MemoryReader implements LogReader {
  readonly #streams = new Map<string, { labels: Labels; entries: LogEntry[] }>();

  add(labels: Labels, entries: readonly LogEntry[]): void {
    const known = this.#streams.get(labels.key) ?? { labels, entries: [] };
    known.entries.push(...entries);
    known.entries.sort((a, b) => (a.timestampNs < b.timestampNs ? -1 : a.timestampNs > b.timestampNs ? 1 : 0));
    this.#streams.set(labels.key, known);
  }

  clear(): void {
    this.#streams.clear();
  }

  *select({ matchers, startNs, endNs, direction }: LogSelection): Iterable<LogChunk> {
    const chunks: LogChunk[] = [];
    for (const { labels, entries } of this.#streams.values()) {
      if (!matchesAll(labels, matchers)) continue;
      const wanted = entries.filter(({ timestampNs }) => timestampNs >= startNs && timestampNs < endNs);
      for (let i = 0; i < wanted.length; i += CHUNK_LINES)
        chunks.push(toChunk(labels, wanted.slice(i, i + CHUNK_LINES)));
    }
    const edge = (chunk: LogChunk): bigint => chunk.timestamps.at(direction === 'forward' ? 0 : -1) ?? 0n;
    const sign = direction === 'forward' ? 1 : -1;
    chunks.sort((a, b) => (edge(a) < edge(b) ? -sign : edge(a) > edge(b) ? sign : 0));
    yield* chunks;
  }

  streams(selectors: readonly (readonly LabelMatcher[])[]): readonly Labels[] {
    return [...this.#streams.values()]
      .map(({ labels }) => labels)
      .filter((labels) => selectors.some((matchers) => matchesAll(labels, matchers)));
  }

  volumes(): readonly { labels: Labels; chunks: number; entries: number; bytes: number }[] {
    return [];
  }
}

function toChunk(labels: Labels, entries: readonly LogEntry[]): LogChunk {
  const lines = entries.map(({ line }) => Buffer.from(line));
  let end = 0;
  return {
    labels,
    timestamps: BigInt64Array.from(entries, ({ timestampNs }) => timestampNs),
    text: Buffer.concat(lines),
    ends: Uint32Array.from(lines, (line) => (end += line.length)),
    ...(entries.some(({ structuredMetadata }) => structuredMetadata)
      ? { structuredMetadata: entries.map(({ structuredMetadata }) => structuredMetadata) }
      : {}),
  };
}
