import { z } from 'zod';
import { type Milliseconds, milliseconds, seconds, secondsToMs } from '../units/brands.ts';
import { getJson } from './http.ts';

/** Prometheus' HTTP API (prometheus: docs/querying/api.md), under the gateway's path. */
const BASE = '/prometheus/api/v1';

export type MetricLabels = Readonly<Record<string, string>>;

/** A series in columns: seconds and values side by side, ready for a chart. */
export interface Series {
  labels: MetricLabels;
  times: number[];
  values: number[];
}

export interface Exemplar {
  labels: MetricLabels;
  series: MetricLabels;
  value: number;
  at: Milliseconds;
}

export function parseSampleValue(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text === 'NaN' ? Number.NaN : Number(text);
}

const labels = z.record(z.string(), z.string());
const sample = z.tuple([z.number(), z.string()]);
const notes = { warnings: z.array(z.string()).optional(), infos: z.array(z.string()).optional() };

const queryData = z.discriminatedUnion('resultType', [
  z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: labels, value: sample.optional(), histogram: z.unknown().optional() })),
  }),
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z.object({ metric: labels, values: z.array(sample).optional(), histograms: z.unknown().optional() }),
    ),
  }),
  z.object({ resultType: z.literal('scalar'), result: sample }),
  z.object({ resultType: z.literal('string'), result: z.tuple([z.number(), z.string()]) }),
]);

const queryResponse = z.object({ status: z.literal('success'), data: queryData, ...notes });

export interface QueryResult {
  type: 'vector' | 'matrix' | 'scalar' | 'string';
  series: Series[];
  text?: string;
  notes: string[];
}

function toResult(body: z.infer<typeof queryResponse>): QueryResult {
  const notes = [...(body.warnings ?? []), ...(body.infos ?? [])];
  const { data } = body;
  switch (data.resultType) {
    case 'vector':
      return {
        type: 'vector',
        notes,
        series: data.result.flatMap((item) =>
          item.value
            ? [{ labels: item.metric, times: [item.value[0]], values: [parseSampleValue(item.value[1])] }]
            : [],
        ),
      };
    case 'matrix':
      return {
        type: 'matrix',
        notes,
        series: data.result.map((item) => ({
          labels: item.metric,
          times: (item.values ?? []).map(([at]) => at),
          values: (item.values ?? []).map(([, value]) => parseSampleValue(value)),
        })),
      };
    case 'scalar':
      return {
        type: 'scalar',
        notes,
        series: [{ labels: {}, times: [data.result[0]], values: [parseSampleValue(data.result[1])] }],
      };
    case 'string':
      return { type: 'string', notes, series: [], text: data.result[1] };
  }
}

export async function queryInstant(query: string, at: Milliseconds, signal?: AbortSignal): Promise<QueryResult> {
  return toResult(await getJson(`${BASE}/query`, queryResponse, { params: { query, time: at / 1000 }, signal }));
}

export async function queryRange(
  query: string,
  range: { from: Milliseconds; to: Milliseconds; stepSeconds: number },
  signal?: AbortSignal,
): Promise<QueryResult> {
  // Aligned to the step, so that a refresh moves whole points and the picture does not shimmer.
  const start = Math.floor(range.from / 1000 / range.stepSeconds) * range.stepSeconds;
  const end = Math.floor(range.to / 1000 / range.stepSeconds) * range.stepSeconds;
  const params = { query, start, end: Math.max(end, start), step: range.stepSeconds };
  return toResult(await getJson(`${BASE}/query_range`, queryResponse, { params, signal }));
}

const exemplarResponse = z.object({
  status: z.literal('success'),
  data: z
    .array(
      z.object({
        seriesLabels: labels,
        exemplars: z.array(z.object({ labels, value: z.union([z.string(), z.number()]), timestamp: z.number() })),
      }),
    )
    .nullable(),
});

export async function queryExemplars(
  query: string,
  range: { from: Milliseconds; to: Milliseconds },
  signal?: AbortSignal,
): Promise<Exemplar[]> {
  const params = { query, start: range.from / 1000, end: range.to / 1000 };
  const body = await getJson(`${BASE}/query_exemplars`, exemplarResponse, { params, signal });
  return (body.data ?? []).flatMap((series) =>
    series.exemplars.map((item) => ({
      labels: item.labels,
      series: series.seriesLabels,
      value: typeof item.value === 'string' ? parseSampleValue(item.value) : item.value,
      at: secondsToMs(seconds(item.timestamp)),
    })),
  );
}

const stringList = z.object({ status: z.literal('success'), data: z.array(z.string()).nullable() });

export async function labelNames(match: string | undefined, signal?: AbortSignal): Promise<string[]> {
  const params = match === undefined ? {} : { 'match[]': match };
  return (await getJson(`${BASE}/labels`, stringList, { params, signal })).data ?? [];
}

export async function labelValues(
  label: string,
  options: {
    match?: string | undefined;
    from?: Milliseconds;
    to?: Milliseconds;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<string[]> {
  const params = {
    'match[]': options.match,
    start: options.from === undefined ? undefined : options.from / 1000,
    end: options.to === undefined ? undefined : options.to / 1000,
  };
  const path = `${BASE}/label/${encodeURIComponent(label)}/values`;
  return (await getJson(path, stringList, { params, signal: options.signal })).data ?? [];
}

const target = z.object({
  discoveredLabels: labels.optional(),
  labels,
  scrapePool: z.string(),
  scrapeUrl: z.string(),
  lastError: z.string().optional().default(''),
  lastScrape: z.string().optional().default(''),
  lastScrapeDuration: z.number().optional().default(0),
  health: z.enum(['up', 'down', 'unknown']).catch('unknown'),
  scrapeInterval: z.string().optional(),
});
export type Target = z.infer<typeof target>;

export async function targets(signal?: AbortSignal): Promise<Target[]> {
  const schema = z.object({ data: z.object({ activeTargets: z.array(target).nullable() }) });
  return (await getJson(`${BASE}/targets`, schema, { params: { state: 'active' }, signal })).data.activeTargets ?? [];
}

const alert = z.object({
  labels,
  annotations: labels.optional().default({}),
  state: z.enum(['firing', 'pending', 'inactive']),
  activeAt: z.string().optional(),
  value: z.union([z.string(), z.number()]).optional(),
});
export type Alert = z.infer<typeof alert>;

export async function alerts(signal?: AbortSignal): Promise<Alert[]> {
  const schema = z.object({ data: z.object({ alerts: z.array(alert).nullable() }) });
  return (await getJson(`${BASE}/alerts`, schema, { signal })).data.alerts ?? [];
}

const rule = z.object({
  type: z.enum(['alerting', 'recording']).catch('recording'),
  name: z.string(),
  query: z.string(),
  duration: z.number().optional(),
  state: z.enum(['firing', 'pending', 'inactive', 'unknown']).optional(),
  health: z.string().optional(),
  lastError: z.string().optional(),
  labels: labels.optional().default({}),
  annotations: labels.optional().default({}),
  alerts: z.array(alert).optional().default([]),
});
const ruleGroup = z.object({
  name: z.string(),
  file: z.string().optional().default(''),
  interval: z.number().optional(),
  rules: z.array(rule),
});
export type RuleGroup = z.infer<typeof ruleGroup>;
export type Rule = z.infer<typeof rule>;

export async function ruleGroups(signal?: AbortSignal): Promise<RuleGroup[]> {
  const schema = z.object({ data: z.object({ groups: z.array(ruleGroup).nullable() }) });
  return (await getJson(`${BASE}/rules`, schema, { signal })).data.groups ?? [];
}

export async function buildInfo(signal?: AbortSignal): Promise<{ version: string }> {
  const schema = z.object({ data: z.object({ version: z.string() }) });
  return (await getJson(`${BASE}/status/buildinfo`, schema, { signal })).data;
}

/** A series' name as Prometheus writes it: `metric{label="value"}`. */
export function seriesName(metric: MetricLabels): string {
  const { __name__: name = '', ...rest } = metric;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(', ')}}`;
}

export const sampleTime = (second: number): Milliseconds => milliseconds(second * 1000);
