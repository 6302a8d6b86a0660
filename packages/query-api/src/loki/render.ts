import type { QueryResult, StreamResult } from '@kind-e2e/logql';
import { labelsText } from '../prometheus/render.ts';
import { valueText as prometheusValueText, timestampText } from '../prometheus/value-bytes.ts';

/** The `stats` that Grafana shows of a query; what is not measured is 0. */
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
    querier: { store: {} },
    ingester: { store: {} },
    cache: {},
    index: {},
  };
}

export function streamText(stream: StreamResult, categorize: boolean): string {
  const { labels, categories, entries } = stream;
  if (!categorize) {
    const values = entries.map(({ timestampNs, line }) => `["${timestampNs}",${JSON.stringify(line)}]`);
    return `{"stream":${labelsText(labels)},"values":[${values.join(',')}]}`;
  }
  const parts: string[] = [];
  if (categories.structuredMetadata.size > 0)
    parts.push(`"structuredMetadata":${labelsText(categories.structuredMetadata)}`);
  if (categories.parsed.size > 0) parts.push(`"parsed":${labelsText(categories.parsed)}`);
  const extra = `{${parts.join(',')}}`;
  const values = entries.map(({ timestampNs, line }) => `["${timestampNs}",${JSON.stringify(line)},${extra}]`);
  return `{"stream":${labelsText(categories.stream)},"values":[${values.join(',')}]}`;
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
export function renderLokiResult(result: QueryResult, categorize: boolean, seconds: number): string {
  const { value } = result;
  const flags = categorize && value.type === 'streams' ? ',"encodingFlags":["categorize-labels"]' : '';
  const warnings = result.warnings.length > 0 ? `,"warnings":${JSON.stringify(result.warnings)}` : '';
  const stats = JSON.stringify(statsOf(result, seconds));
  const body = (items: string): string =>
    `{"status":"success","data":{"resultType":"${value.type}","result":${items}${flags},"stats":${stats}}${warnings}}`;
  switch (value.type) {
    case 'streams': {
      const streams = categorize
        ? mergeStreams(value.streams)
        : value.streams.map((stream) => streamText(stream, false));
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

/** With categorised labels a stream is one again, whatever was parsed from its lines. */
function mergeStreams(streams: readonly StreamResult[]): string[] {
  const byStream = new Map<string, { head: string; values: string[] }>();
  for (const stream of streams) {
    const text = streamText(stream, true);
    const at = text.indexOf(',"values":[');
    const head = text.slice(0, at);
    const values = text.slice(at + ',"values":['.length, -2);
    const known = byStream.get(stream.categories.stream.key);
    if (known) known.values.push(values);
    else byStream.set(stream.categories.stream.key, { head, values: [values] });
  }
  return [...byStream.values()].map(
    ({ head, values }) => `${head},"values":[${values.filter((v) => v !== '').join(',')}]}`,
  );
}
