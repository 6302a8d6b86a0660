/** Answers recorded from Prometheus 3.5 over one data set; see testdata/README.md. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { createEngine, formatValue, PromqlError, PromqlSyntaxError, type QueryValue } from '../src/index.ts';
import { MemoryReader } from './memory-reader.ts';

interface Case {
  readonly endpoint: string;
  readonly params: { query: string; time?: number; start?: number; end?: number; step?: number };
  readonly data?: unknown;
  readonly errorType?: string;
  readonly error?: string;
  readonly infos?: readonly string[];
  readonly warnings?: readonly string[];
}

function testdata(name: string): string {
  return gunzipSync(readFileSync(new URL(`../testdata/${name}`, import.meta.url))).toString();
}

function load(): MemoryReader {
  const reader = new MemoryReader();
  for (const line of testdata('golden-dataset.om.gz').split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+) (\S+)$/.exec(line);
    if (match === null || line.startsWith('#')) continue;
    const labels: Record<string, string> = { __name__: match[1]! };
    for (const [, name, value] of (match[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)) labels[name!] = value!;
    const value = match[3]!.replace('Inf', 'Infinity');
    reader.add(Labels.fromObject(labels), { timestampMs: Number(match[4]) * 1000, value: Number(value) });
  }
  return reader;
}

/** In the shape of the HTTP API's answer. */
function toData(value: QueryValue): unknown {
  switch (value.type) {
    case 'scalar':
      return { resultType: 'scalar', result: [value.timestampMs / 1000, formatValue(value.value)] };
    case 'string':
      return { resultType: 'string', result: [value.timestampMs / 1000, value.value] };
    case 'vector':
      return {
        resultType: 'vector',
        result: value.samples.map((s) => ({
          metric: s.labels.toObject(),
          value: [s.timestampMs / 1000, formatValue(s.value)],
        })),
      };
    case 'matrix':
      return {
        resultType: 'matrix',
        result: value.series.map((s) => ({
          metric: s.labels.toObject(),
          values: [...s.timestamps].map((t, i) => [t / 1000, formatValue(s.values[i]!)]),
        })),
      };
  }
}

/** Numbers rounded to 10 digits, series in one order where the query does not sort. */
function normal(data: unknown, query: string): unknown {
  const text = JSON.stringify(data, (_key, value) => {
    if (typeof value !== 'string' || !/^[-+]?[\d.]+(e[-+]?\d+)?$/.test(value)) return value;
    return Number(Number(value).toPrecision(10)).toString();
  });
  const copy = JSON.parse(text);
  if (Array.isArray(copy.result) && !/^\s*sort/.test(query) && copy.resultType !== 'scalar')
    copy.result = copy.result.map((one: unknown) => JSON.stringify(sortKeys(one))).sort();
  return copy;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

describe('answers of Prometheus 3.5', () => {
  const engine = createEngine();
  const reader = load();
  const cases = testdata('golden-cases.jsonl.gz')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Case)
    .filter(({ endpoint }) => endpoint.startsWith('query'));

  it.each(cases.map((one) => [`${one.endpoint} ${one.params.query}`, one] as const))('%s', async (_name, one) => {
    const { query, time = 0, start = 0, end = 0, step = 0 } = one.params;
    const run = (): ReturnType<typeof engine.instant> =>
      one.endpoint === 'query'
        ? engine.instant(reader, query, time * 1000)
        : engine.range(reader, query, start * 1000, end * 1000, step * 1000);
    if (one.errorType !== undefined) {
      const error = await run().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error instanceof PromqlSyntaxError || error instanceof PromqlError).toBe(true);
      const kind = error instanceof PromqlError ? error.kind : 'bad_data';
      const prefix = kind === 'bad_data' ? 'invalid parameter "query": ' : '';
      expect(kind).toBe(one.errorType);
      // Which of the duplicates Prometheus names depends on the order of its postings.
      const text = (message: string): string => message.replace(/: \[\{.*\}\];/, ': [];');
      expect(text(prefix + (error as Error).message)).toBe(text(one.error!));
      return;
    }
    const result = await run();
    expect(normal(toData(result.value), query)).toEqual(normal(one.data, query));
    expect([...result.infos].sort()).toEqual([...(one.infos ?? [])].sort());
    expect([...result.warnings].sort()).toEqual([...(one.warnings ?? [])].sort());
  });
});
