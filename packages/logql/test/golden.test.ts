/** Answers recorded from Loki 3 over one data set; see testdata/README.md. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { createEngine, LogqlError, parseDurationNs, type QueryValue } from '../src/index.ts';
import { MemoryReader } from './memory-reader.ts';

interface Case {
  readonly endpoint: string;
  readonly params: {
    query: string;
    time?: string;
    start?: string;
    end?: string;
    step?: string;
    limit?: number;
    direction?: 'forward' | 'backward';
  };
  readonly status: number;
  readonly data?: unknown;
  readonly error?: string;
}

function testdata(name: string): string {
  return gunzipSync(readFileSync(new URL(`../testdata/${name}`, import.meta.url))).toString();
}

function load(): MemoryReader {
  const reader = new MemoryReader();
  const { streams } = JSON.parse(testdata('golden-dataset.json.gz')) as {
    streams: { stream: Record<string, string>; values: [string, string][] }[];
  };
  for (const { stream, values } of streams)
    reader.add(
      Labels.fromObject(stream),
      values.map(([timestamp, line]) => ({ timestampNs: BigInt(timestamp), line })),
    );
  return reader;
}

/** Every point as one line of text, numbers to 10 digits, in one order. */
function normal(data: { resultType: string; result: unknown }): unknown {
  const labels = (object: Record<string, string>): string => JSON.stringify(Object.entries(object).sort());
  const number = (text: string): string => Number(Number(text).toPrecision(10)).toString();
  const { resultType } = data;
  if (resultType === 'scalar') return { resultType, value: number((data.result as [number, string])[1]) };
  const lines = (data.result as unknown[]).flatMap((one) => {
    if (resultType === 'streams') {
      const { stream, values } = one as { stream: Record<string, string>; values: [string, string][] };
      return values.map(([time, line]) => `${time} ${labels(stream)} ${line}`);
    }
    const { metric, values, value } = one as {
      metric: Record<string, string>;
      values?: [number, string][];
      value?: [number, string];
    };
    return (values ?? [value!]).map(([time, text]) => `${Number(time)} ${labels(metric)} ${number(text)}`);
  });
  return { resultType, lines: lines.sort() };
}

function toData(value: QueryValue): { resultType: string; result: unknown } {
  switch (value.type) {
    case 'scalar':
      return { resultType: 'scalar', result: [value.timestampMs, String(value.value)] };
    case 'vector':
      return {
        resultType: 'vector',
        result: value.samples.map((s) => ({
          metric: s.labels.toObject(),
          value: [s.timestampMs / 1000, String(s.value)],
        })),
      };
    case 'matrix':
      return {
        resultType: 'matrix',
        result: value.series.map((s) => ({
          metric: s.labels.toObject(),
          values: [...s.timestamps].map((time, i) => [time / 1000, String(s.values[i])]),
        })),
      };
    case 'streams':
      return {
        resultType: 'streams',
        result: value.streams.map((s) => ({
          stream: s.labels.toObject(),
          values: s.entries.map(({ timestampNs, line }) => [String(timestampNs), line]),
        })),
      };
  }
}

/** The label sets in the order of the answer. */
function orderOf(data: { resultType: string; result: unknown }): unknown {
  if (data.resultType === 'scalar') return [];
  return (data.result as { stream?: object; metric?: object }[]).map(({ stream, metric }) => stream ?? metric);
}

/** Nanoseconds keep their digits only as text. */
function parseCase(line: string): Case {
  return JSON.parse(line.replace(/"(start|end|time)": (\d+)/g, '"$1": "$2"')) as Case;
}

describe('answers of Loki 3', () => {
  const engine = createEngine();
  const reader = load();
  const cases = testdata('golden-cases.jsonl.gz')
    .split('\n')
    .filter(Boolean)
    .map(parseCase)
    .filter(({ endpoint }) => endpoint === 'query' || endpoint === 'query_range');

  it.each(cases.map((one) => [`${one.endpoint} ${one.params.query}`, one] as const))('%s', async (_name, one) => {
    const { query, time, start, end, step, limit, direction } = one.params;
    const run = (): ReturnType<typeof engine.instant> =>
      one.endpoint === 'query'
        ? engine.instant(reader, query, BigInt(time!))
        : engine.range(reader, query, BigInt(start!), BigInt(end!), parseDurationNs(step ?? '15s')!, {
            ...(limit === undefined ? {} : { limit }),
            ...(direction === undefined ? {} : { direction }),
          });
    if (one.error !== undefined) {
      const error = await run().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(LogqlError);
      expect((error as Error).message).toBe(one.error);
      return;
    }
    const result = await run();
    const data = one.data as { resultType: string; result: unknown };
    expect(normal(toData(result.value))).toEqual(normal(data));
    // Of equal values sort keeps what order a hash table gave it.
    if (!query.startsWith('sort')) expect(orderOf(toData(result.value))).toEqual(orderOf(data));
  });
});
