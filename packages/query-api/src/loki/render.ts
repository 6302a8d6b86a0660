import type { QueryResult, StreamResult } from '@kind-e2e/logql';
import type { Labels, LogDirection } from '@kind-e2e/telemetry';
import { labelsText } from '../prometheus/render.ts';
import { valueText as prometheusValueText, timestampText } from '../prometheus/value-bytes.ts';

const NO_CHUNKS = {
  totalChunksRef: 0,
  totalChunksDownloaded: 0,
  chunksDownloadTime: 0,
  queryReferencedStructuredMetadata: false,
  chunk: {
    headChunkBytes: 0,
    headChunkLines: 0,
    decompressedBytes: 0,
    decompressedLines: 0,
    compressedBytes: 0,
    totalDuplicates: 0,
    postFilterLines: 0,
    headChunkStructuredMetadataBytes: 0,
    decompressedStructuredMetadataBytes: 0,
  },
  chunkRefsFetchTime: 0,
  congestionControlLatency: 0,
  pipelineWrapperFilteredLines: 0,
};
const NO_CACHE = {
  entriesFound: 0,
  entriesRequested: 0,
  entriesStored: 0,
  bytesReceived: 0,
  bytesSent: 0,
  requests: 0,
  downloadTime: 0,
  queryLengthServed: 0,
};

/** The `stats` that Grafana shows of a query (pkg/logqlmodel/stats, stats.proto); what is not measured is 0. */
export function statsOf(result: QueryResult, seconds: number): unknown {
  const { bytesProcessed, linesProcessed, entriesReturned } = result.stats;
  return {
    summary: {
      bytesProcessedPerSecond: seconds > 0 ? Math.round(bytesProcessed / seconds) : 0,
      linesProcessedPerSecond: seconds > 0 ? Math.round(linesProcessed / seconds) : 0,
      totalBytesProcessed: bytesProcessed,
      totalLinesProcessed: linesProcessed,
      execTime: seconds,
      queueTime: 0,
      subqueries: 0,
      totalEntriesReturned: entriesReturned,
      splits: 0,
      shards: 0,
      totalPostFilterLines: entriesReturned,
      totalStructuredMetadataBytesProcessed: 0,
    },
    querier: {
      store: {
        ...NO_CHUNKS,
        chunk: {
          ...NO_CHUNKS.chunk,
          decompressedBytes: bytesProcessed,
          decompressedLines: linesProcessed,
          postFilterLines: entriesReturned,
        },
      },
    },
    ingester: { totalReached: 0, totalChunksMatched: 0, totalBatches: 0, totalLinesSent: 0, store: NO_CHUNKS },
    cache: {
      chunk: NO_CACHE,
      index: NO_CACHE,
      result: NO_CACHE,
      statsResult: NO_CACHE,
      volumeResult: NO_CACHE,
      seriesResult: NO_CACHE,
      labelResult: NO_CACHE,
      instantMetricResult: NO_CACHE,
    },
    index: { totalChunks: 0, postFilterChunks: 0, shardsDuration: 0, usedBloomFilters: false },
  };
}

export function streamText({ labels, entries }: StreamResult): string {
  const values = entries.map(({ timestampNs, line }) => `["${timestampNs}",${JSON.stringify(line)}]`);
  return `{"stream":${labelsText(labels)},"values":[${values.join(',')}]}`;
}

/** A value without an exponent, however long (model.SampleValue.String). */
function valueText(value: number): string {
  const text = prometheusValueText(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const exponent = Number(power);
  const digits = whole + fraction;
  return exponent < 0 ? `${sign}0.${'0'.repeat(-exponent - 1)}${digits}` : sign + digits.padEnd(exponent + 1, '0');
}

/** The answer of `query` and `query_range` (pkg/util/marshal). */
export function renderLokiResult(
  result: QueryResult,
  { categorize, direction, seconds }: { categorize: boolean; direction: LogDirection; seconds: number },
): string {
  const { value } = result;
  const flags = categorize && value.type === 'streams' ? ',"encodingFlags":["categorize-labels"]' : '';
  const warnings = result.warnings.length > 0 ? `,"warnings":${JSON.stringify(result.warnings)}` : '';
  const stats = JSON.stringify(statsOf(result, seconds));
  const body = (items: string): string =>
    `{"status":"success","data":{"resultType":"${value.type}","result":${items}${flags},"stats":${stats}}${warnings}}`;
  switch (value.type) {
    case 'streams': {
      const streams = categorize ? mergeStreams(value.streams, direction) : value.streams.map(streamText);
      return body(`[${streams.join(',')}]`);
    }
    case 'scalar':
      return body(`[${timestampText(value.timestampMs)},"${valueText(value.value)}"]`);
    case 'vector':
      return body(
        `[${value.samples
          .map(
            (sample) =>
              `{"metric":${labelsText(sample.labels)},"value":[${timestampText(sample.timestampMs)},"${valueText(sample.value)}"]}`,
          )
          .join(',')}]`,
      );
    case 'matrix':
      return body(
        `[${value.series
          .map(({ labels, timestamps, values }) => {
            const points = Array.from(
              timestamps,
              (time, i) => `[${timestampText(time)},"${valueText(values[i] ?? 0)}"]`,
            );
            return `{"metric":${labelsText(labels)},"values":[${points.join(',')}]}`;
          })
          .join(',')}]`,
      );
  }
}

/**
 * With categorised labels a stream is one again, whatever was parsed from its lines, and its lines are in the order of
 * the query.
 */
function mergeStreams(streams: readonly StreamResult[], direction: LogDirection): string[] {
  const byStream = new Map<string, { labels: Labels; entries: { timestampNs: bigint; text: string }[] }>();
  for (const { categories, entries } of streams) {
    const { key } = categories.stream;
    const known = byStream.get(key) ?? { labels: categories.stream, entries: [] };
    byStream.set(key, known);
    const extra = extraText(categories);
    for (const { timestampNs, line } of entries)
      known.entries.push({ timestampNs, text: `["${timestampNs}",${JSON.stringify(line)},${extra}]` });
  }
  const sign = direction === 'forward' ? 1 : -1;
  return [...byStream.values()].map(({ labels, entries }) => {
    entries.sort((a, b) => (a.timestampNs < b.timestampNs ? -sign : a.timestampNs > b.timestampNs ? sign : 0));
    return `{"stream":${labelsText(labels)},"values":[${entries.map(({ text }) => text).join(',')}]}`;
  });
}

/** What a line has beside the labels of its stream. */
function extraText({ structuredMetadata, parsed }: StreamResult['categories']): string {
  const parts: string[] = [];
  if (structuredMetadata.size > 0) parts.push(`"structuredMetadata":${labelsText(structuredMetadata)}`);
  if (parsed.size > 0) parts.push(`"parsed":${labelsText(parsed)}`);
  return `{${parts.join(',')}}`;
}
