import type { ServerResponse } from 'node:http';
import type { Clock } from '@kind-e2e/base';
import { formatQuery, parseQuery, type QueryEngine, type StreamResult } from '@kind-e2e/logql';
import { compareStrings, type LabelMatcher, type LogReader } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { sendJson, sendJsonText, sendText } from '../http/send.ts';
import { labelsText } from '../prometheus/render.ts';
import { timestampText } from '../prometheus/value-bytes.ts';
import { sendLokiError } from './errors.ts';
import { detectFields, detectFieldValues, isUsefulLabel } from './fields.ts';
import {
  alignedRange,
  checkOrder,
  checkQueryLength,
  directionParameter,
  type LokiRange,
  limitParameter,
  rangeParameters,
  rangeQueryParameters,
  stepParameter,
  timeParameter,
  volumeLimit,
} from './parameters.ts';
import { findPatterns } from './patterns.ts';
import { renderLokiResult } from './render.ts';
import { periodsOf, type VolumeOptions, volumesOf } from './volume.ts';

export interface LokiOptions {
  readonly logs: LogReader;
  /** Made when first asked for. */
  readonly engine: () => QueryEngine;
  readonly clock: Clock;
}

const SIX_HOURS_NS = 21_600_000_000_000n;

/** Loki's HTTP API (grafana.com/docs/loki, "Loki HTTP API"; pkg/querier and pkg/loghttp of Loki 3). */
export function lokiRoutes(options: LokiOptions): RouteGroup {
  const { logs, clock } = options;
  const nowNs = (): bigint => BigInt(Math.trunc(clock.now())) * 1_000_000n;
  const both = (path: string, handle: Route['handle']): Route => ({ methods: ['GET', 'POST'], path, handle });

  const query = async (context: RequestContext): Promise<void> => {
    const { parameters, signal } = context;
    const began = clock.monotonic();
    const limit = limitParameter(parameters);
    const time = timeParameter(parameters, 'time', nowNs());
    const direction = directionParameter(parameters);
    const text = parameters.get('query') ?? '';
    const result = await options.engine().instant(logs, text, time, { limit, direction, signal });
    const seconds = (clock.monotonic() - began) / 1000;
    send(context, renderLokiResult(result, { categorize: wantsCategories(context), direction, seconds }));
  };

  const queryRange = async (context: RequestContext): Promise<void> => {
    const { parameters, signal } = context;
    const began = clock.monotonic();
    const asked = rangeQueryParameters(parameters, nowNs());
    const { step, limit, direction, intervalNs } = asked;
    const text = parameters.get('query') ?? '';
    const isLog = parseQuery(text).kind === 'log';
    checkQueryLength(asked);
    const { startNs, endNs } = isLog ? asked : alignedRange(asked, step);
    const result = await options.engine().range(logs, text, startNs, endNs, step, {
      limit,
      direction,
      ...(intervalNs !== undefined && { intervalNs }),
      signal,
    });
    const seconds = (clock.monotonic() - began) / 1000;
    send(context, renderLokiResult(result, { categorize: wantsCategories(context), direction, seconds }));
  };

  const optionalSelector = (parameters: URLSearchParams): (readonly LabelMatcher[])[] => {
    const text = parameters.get('query') ?? '';
    return text === '' || text === '{}' ? [] : [onlyMatchers(text)];
  };

  const labels = ({ parameters, response }: RequestContext): void => {
    const { startNs, endNs } = rangeParameters(parameters, nowNs(), SIX_HOURS_NS);
    const names = new Set<string>();
    for (const stream of logs.streams(optionalSelector(parameters), startNs, endNs))
      for (const [name] of stream) names.add(name);
    sendNames(response, names);
  };

  const labelValues = ({ parameters, path, response }: RequestContext): void => {
    const { startNs, endNs } = rangeParameters(parameters, nowNs(), SIX_HOURS_NS);
    const values = new Set<string>();
    for (const stream of logs.streams(optionalSelector(parameters), startNs, endNs))
      values.add(stream.get(path.name ?? ''));
    values.delete('');
    sendNames(response, values);
  };

  const series = ({ parameters, response }: RequestContext): void => {
    const { startNs, endNs } = rangeParameters(parameters, nowNs(), SIX_HOURS_NS);
    const asked = [...parameters.getAll('match[]'), ...parameters.getAll('match')];
    const selectors = asked.length === 1 && /^\{\s*\}$/.test(asked[0] ?? '') ? [] : asked.map(onlyMatchers);
    const found = logs.streams(selectors, startNs, endNs);
    sendJsonText(response, 200, `{"status":"success","data":[${found.map(labelsText).join(',')}]}`);
  };

  const stats = ({ parameters, response }: RequestContext): void => {
    const { startNs, endNs } = rangeQueryParameters(parameters, nowNs());
    const total = { streams: 0, chunks: 0, bytes: 0, entries: 0 };
    for (const volume of logs.volumes(onlyMatchers(parameters.get('query') ?? ''), startNs, endNs)) {
      total.streams++;
      total.chunks += volume.chunks;
      total.bytes += volume.bytes;
      total.entries += volume.entries;
    }
    sendJson(response, 200, total);
  };

  const volumeOptions = (parameters: URLSearchParams): VolumeOptions => {
    const aggregateBy = parameters.get('aggregateBy') || 'series';
    if (aggregateBy !== 'series' && aggregateBy !== 'labels') throw new ApiError(400, 'invalid aggregation option');
    const text = parameters.get('query') ?? '';
    return {
      matchers: text === '' || text === '{}' ? [] : onlyMatchers(text),
      limit: volumeLimit(parameters),
      targetLabels: (parameters.get('targetLabels') ?? '').split(',').filter((name) => name !== ''),
      aggregateBy,
    };
  };

  /** With `labels` only the names count. */
  const metricText = (volume: ReturnType<typeof volumesOf>[number], { aggregateBy }: VolumeOptions): string => {
    if (aggregateBy === 'series') return labelsText(volume.labels);
    const [first] = volume.labels;
    return JSON.stringify({ [first?.[0] ?? '']: '' });
  };

  const volume = ({ parameters, response }: RequestContext): void => {
    const wanted = volumeOptions(parameters);
    const range = rangeParameters(parameters, nowNs());
    checkOrder(range);
    sendJsonText(response, 200, volumeText([range], wanted));
  };

  const volumeRange = ({ parameters, response }: RequestContext): void => {
    const wanted = volumeOptions(parameters);
    const range = rangeParameters(parameters, nowNs());
    checkOrder(range);
    sendJsonText(response, 200, volumeText(periodsOf(range, stepParameter(parameters, range)), wanted));
  };

  /** Volumes of periods, each at its end; a vector where nothing has more than one (pkg/querier/queryrange/volume.go). */
  const volumeText = (periods: readonly LokiRange[], wanted: VolumeOptions): string => {
    const series = new Map<string, { bytes: number; points: string[] }>();
    for (const period of periods) {
      const time = timestampText(Number(period.endNs / 1_000_000n));
      for (const entry of volumesOf(logs, period, wanted)) {
        const metric = metricText(entry, wanted);
        const known = series.get(metric);
        if (known) known.points.push(`[${time},"${entry.bytes}"]`);
        else series.set(metric, { bytes: entry.bytes, points: [`[${time},"${entry.bytes}"]`] });
      }
    }
    const isVector = [...series.values()].every(({ points }) => points.length === 1);
    const result = [...series]
      .sort(([, a], [, b]) => b.bytes - a.bytes)
      .map(([metric, { points }]) =>
        isVector ? `{"metric":${metric},"value":${points[0]}}` : `{"metric":${metric},"values":[${points.join(',')}]}`,
      );
    const type = isVector ? 'vector' : 'matrix';
    return `{"status":"success","data":{"resultType":"${type}","result":[${result.join(',')}]}}`;
  };

  /** The newest lines of a query, for the guesses that are made from a sample. */
  const sample = async ({ parameters, signal }: RequestContext, lines: number): Promise<readonly StreamResult[]> => {
    const range = rangeParameters(parameters, nowNs());
    checkOrder(range);
    const { value } = await options
      .engine()
      .range(logs, parameters.get('query') ?? '', range.startNs, range.endNs, stepParameter(parameters, range), {
        limit: lines,
        direction: 'backward',
        signal,
      });
    if (value.type !== 'streams') throw new ApiError(400, 'only log selector is supported');
    return value.streams;
  };

  const fieldLimit = (parameters: URLSearchParams): number =>
    limitParameter(parameters, 'limit', limitParameter(parameters, 'field_limit', 1000));

  const fields = async (context: RequestContext): Promise<void> => {
    const limit = fieldLimit(context.parameters);
    const found = detectFields(await sample(context, limitParameter(context.parameters, 'line_limit', 100)), limit);
    sendJson(context.response, 200, { ...(found.length > 0 && { fields: found }), limit });
  };

  const fieldValues = async (context: RequestContext): Promise<void> => {
    const limit = fieldLimit(context.parameters);
    const streams = await sample(context, limitParameter(context.parameters, 'line_limit', 100));
    const values = detectFieldValues(streams, context.path.name ?? '', limit);
    sendJson(context.response, 200, { ...(values.length > 0 && { values }), limit });
  };

  const detectedLabels = ({ parameters, response }: RequestContext): void => {
    const { startNs, endNs } = rangeParameters(parameters, nowNs());
    checkOrder({ startNs, endNs });
    const values = new Map<string, Set<string>>();
    for (const stream of logs.streams(optionalSelector(parameters), startNs, endNs))
      for (const [name, value] of stream) values.set(name, (values.get(name) ?? new Set()).add(value));
    const found = [...values]
      .filter(([label, set]) => isUsefulLabel(label, set))
      .map(([label, set]) => ({ label, cardinality: set.size }));
    sendJson(response, 200, { detectedLabels: found.sort((a, b) => compareStrings(a.label, b.label)) });
  };

  const patterns = async (context: RequestContext): Promise<void> => {
    const range = rangeParameters(context.parameters, nowNs());
    const step = Math.max(10, Number(stepParameter(context.parameters, range) / 1_000_000_000n));
    const streams = await sample(context, 5000);
    sendJson(context.response, 200, { status: 'success', data: findPatterns(streams, step) });
  };

  const api = '/loki/api/v1';
  return {
    routes: [
      both(`${api}/query`, query),
      both(`${api}/query_range`, queryRange),
      both(`${api}/labels`, labels),
      both(`${api}/label`, labels),
      both(`${api}/label/{name}/values`, labelValues),
      both(`${api}/series`, series),
      both(`${api}/index/stats`, stats),
      both(`${api}/index/volume`, volume),
      both(`${api}/index/volume_range`, volumeRange),
      both(`${api}/detected_fields`, fields),
      both(`${api}/detected_field/{name}/values`, fieldValues),
      both(`${api}/detected_labels`, detectedLabels),
      both(`${api}/patterns`, patterns),
      both(`${api}/format_query`, ({ parameters, response }) =>
        sendJson(response, 200, { status: 'success', data: formatQuery(parseQuery(parameters.get('query') ?? '')) }),
      ),
      both(`${api}/status/buildinfo`, ({ response }) =>
        sendJson(response, 200, {
          version: '3.5.0',
          revision: 'kind-e2e',
          branch: 'HEAD',
          buildUser: '',
          buildDate: '',
          goVersion: '',
        }),
      ),
      both('/ready', ({ response }) => sendText(response, 200, 'ready\n')),
    ],
    fail: ({ response }, error) => sendLokiError(response, error),
  };
}

/** A selector without stages (syntax.ParseMatchers). */
function onlyMatchers(text: string): readonly LabelMatcher[] {
  const expr = parseQuery(text);
  if (expr.kind !== 'log' || expr.stages.length > 0) throw new ApiError(400, 'only label matchers are supported');
  return expr.matchers;
}

/** Without `data` where there are none (LabelResponse of pkg/loghttp). */
function sendNames(response: ServerResponse, names: ReadonlySet<string>): void {
  const data = [...names].sort(compareStrings);
  sendJson(response, 200, { status: 'success', ...(data.length > 0 && { data }) });
}

function send({ response }: RequestContext, text: string): void {
  response.setHeader('vary', 'X-Loki-Response-Encoding-Flags');
  sendJsonText(response, 200, text);
}

function wantsCategories({ request }: RequestContext): boolean {
  return String(request.headers['x-loki-response-encoding-flags'] ?? '')
    .split(',')
    .includes('categorize-labels');
}
