import type { Clock } from '@kind-e2e/base';
import { formatExpr, PromqlError, type QueryEngine, type QueryResult, selectorsOf } from '@kind-e2e/promql';
import { type MetricReader, quote } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { sendJsonText } from '../http/send.ts';
import { astToJson } from './ast-json.ts';
import { prepareAnswer } from './cors.ts';
import { blameOn, invalidParameter, sendPrometheusError } from './errors.ts';
import { federate } from './federate.ts';
import {
  durationParameter,
  integerParameter,
  limitParameter,
  lookbackParameter,
  MAX_TIME_MS,
  MIN_TIME_MS,
  rangeParameters,
  selectorParameters,
  timeParameter,
} from './parameters.ts';
import type { RuleProvider, StatisticsProvider, TargetProvider } from './providers.ts';
import { refusedRoutes } from './refused-routes.ts';
import { labelsText, renderResult } from './render.ts';
import { statusRoutes } from './status-routes.ts';
import { timestampText, valueText } from './value-bytes.ts';

export interface PrometheusOptions {
  readonly metrics: MetricReader & Partial<StatisticsProvider>;
  readonly engine: QueryEngine;
  readonly clock: Clock;
  readonly targets?: TargetProvider;
  readonly rules?: RuleProvider;
  /** Shown by /api/v1/status/flags. */
  readonly flags: Readonly<Record<string, string>>;
  /** Most time a query may ask for with `timeout`. */
  readonly maxTimeoutMs: number;
}

/** Prometheus' HTTP API (prometheus.io, "HTTP API"; web/api/v1/api.go of 3.5). */
export function prometheusRoutes(options: PrometheusOptions): RouteGroup {
  const { metrics, engine, clock } = options;
  const both = (path: string, handle: Route['handle']): Route => ({ methods: ['GET', 'POST'], path, handle });
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });

  const query = async (context: RequestContext): Promise<void> => {
    const { parameters } = context;
    const began = clock.monotonic();
    const limit = limitParameter(parameters);
    const timeMs = timeParameter(parameters, 'time', clock.now());
    const more = queryOptions(context);
    const result = await evaluate(parameters, () =>
      engine.instant(metrics, parameters.get('query') ?? '', timeMs, more),
    );
    sendJsonText(
      context.response,
      200,
      renderResult(result, limit, statsText(parameters, result, clock.monotonic() - began)),
    );
  };

  const queryRange = async (context: RequestContext): Promise<void> => {
    const { parameters } = context;
    const began = clock.monotonic();
    const limit = limitParameter(parameters);
    const { startMs, endMs, stepMs } = rangeParameters(parameters);
    const more = queryOptions(context);
    const result = await evaluate(parameters, () =>
      engine.range(metrics, parameters.get('query') ?? '', startMs, endMs, stepMs, more),
    );
    sendJsonText(
      context.response,
      200,
      renderResult(result, limit, statsText(parameters, result, clock.monotonic() - began)),
    );
  };

  /** Mistakes of syntax, and a type that a range query cannot give, are blamed on the parameter. */
  const evaluate = async <T>(parameters: URLSearchParams, work: () => Promise<T>): Promise<T> => {
    try {
      engine.parse(parameters.get('query') ?? '');
    } catch (error) {
      throw invalidParameter('query', error instanceof Error ? error.message : String(error));
    }
    try {
      return await work();
    } catch (error) {
      if (error instanceof PromqlError && error.kind === 'bad_data') throw invalidParameter('query', error.message);
      throw error;
    }
  };

  const queryOptions = ({
    parameters,
    signal,
  }: RequestContext): { signal: AbortSignal; timeoutMs?: number; lookbackDeltaMs?: number } => {
    const timeoutMs = durationParameter(parameters, 'timeout');
    const lookbackDeltaMs = lookbackParameter(parameters);
    return {
      signal,
      ...(timeoutMs !== undefined && { timeoutMs: Math.min(timeoutMs, options.maxTimeoutMs) }),
      ...(lookbackDeltaMs !== undefined && { lookbackDeltaMs }),
    };
  };

  const timeRange = (parameters: URLSearchParams): { startMs: number; endMs: number } => {
    const startMs = timeParameter(parameters, 'start', MIN_TIME_MS);
    const endMs = timeParameter(parameters, 'end', MAX_TIME_MS);
    return { startMs, endMs };
  };

  const sendLimited = <T>(
    { response }: RequestContext,
    all: readonly T[],
    limit: number,
    text: (item: T) => string,
  ): void => {
    const cut = limit > 0 && all.length > limit;
    const shown = cut ? all.slice(0, limit) : all;
    const warnings = cut ? ',"warnings":["results truncated due to limit"]' : '';
    sendJsonText(response, 200, `{"status":"success","data":[${shown.map(text).join(',')}]${warnings}}`);
  };

  const labels = (context: RequestContext): void => {
    const { parameters } = context;
    const limit = limitParameter(parameters);
    const { startMs, endMs } = timeRange(parameters);
    const selectors = selectorParameters(parameters);
    sendLimited(context, metrics.labelNames(selectors, startMs, endMs), limit, (name) => JSON.stringify(name));
  };

  const labelValues = (context: RequestContext): void => {
    const { parameters } = context;
    const name = unescapeName(context.path.name ?? '');
    if (name === '' || !name.isWellFormed()) throw new ApiError(400, `invalid label name: ${quote(name)}`);
    const limit = limitParameter(parameters);
    const { startMs, endMs } = timeRange(parameters);
    const selectors = selectorParameters(parameters);
    sendLimited(context, metrics.labelValues(name, selectors, startMs, endMs), limit, (value) => JSON.stringify(value));
  };

  const series = (context: RequestContext): void => {
    const { parameters } = context;
    if (!parameters.has('match[]')) throw new ApiError(400, 'no match[] parameter provided');
    const limit = limitParameter(parameters);
    const { startMs, endMs } = timeRange(parameters);
    const selectors = blameOn('match[]', () => selectorParameters(parameters));
    sendLimited(context, metrics.series(selectors, startMs, endMs, limit > 0 ? limit + 1 : 0), limit, labelsText);
  };

  const exemplars = ({ parameters, response }: RequestContext): void => {
    const { startMs, endMs } = timeRange(parameters);
    if (endMs < startMs) throw new ApiError(400, 'end timestamp must not be before start timestamp');
    const selectors = [...selectorsOf(engine.parse(parameters.get('query') ?? ''))].map(({ matchers }) => matchers);
    if (selectors.length === 0) {
      response.writeHead(204);
      response.end();
      return;
    }
    const found = metrics.exemplars(selectors, startMs, endMs);
    const text = found.map((entry) => {
      const list = entry.exemplars.map(
        (exemplar) =>
          `{"labels":${labelsText(exemplar.labels)},"value":"${valueText(exemplar.value)}","timestamp":${timestampText(exemplar.timestampMs)}}`,
      );
      return `{"seriesLabels":${labelsText(entry.labels)},"exemplars":[${list.join(',')}]}`;
    });
    sendJsonText(response, 200, `{"status":"success","data":[${text.join(',')}]}`);
  };

  const metadata = ({ parameters, response }: RequestContext): void => {
    const limit = integerParameter(parameters, 'limit') ?? -1;
    const perMetric = integerParameter(parameters, 'limit_per_metric') ?? -1;
    const wanted = parameters.get('metric') ?? '';
    const data: Record<string, unknown> = {};
    let count = 0;
    for (const [name, entries] of metrics.metadata()) {
      if (wanted !== '' && name !== wanted) continue;
      if (limit >= 0 && count >= limit) break;
      data[name] = perMetric > 0 ? entries.slice(0, perMetric) : entries;
      count++;
    }
    sendJsonText(response, 200, JSON.stringify({ status: 'success', data }));
  };

  const parseOrFail = (parameters: URLSearchParams): ReturnType<QueryEngine['parse']> => {
    try {
      return engine.parse(parameters.get('query') ?? '');
    } catch (error) {
      throw invalidParameter('query', error instanceof Error ? error.message : String(error));
    }
  };

  return {
    routes: [
      both('/api/v1/query', query),
      both('/api/v1/query_range', queryRange),
      both('/api/v1/query_exemplars', exemplars),
      both('/api/v1/series', series),
      both('/api/v1/labels', labels),
      get('/api/v1/label/{name}/values', labelValues),
      get('/api/v1/metadata', metadata),
      both('/api/v1/format_query', ({ parameters, response }) => {
        const data = formatExpr(parseOrFail(parameters));
        sendJsonText(response, 200, JSON.stringify({ status: 'success', data }));
      }),
      both('/api/v1/parse_query', ({ parameters, response }) => {
        const data = astToJson(parseOrFail(parameters));
        sendJsonText(response, 200, JSON.stringify({ status: 'success', data }));
      }),
      get('/federate', ({ parameters, request, response }) => {
        federate(metrics, parameters.getAll('match[]'), clock.now(), request, response);
      }),
      ...statusRoutes(options),
      ...refusedRoutes(),
    ],
    answersHead: false,
    prepare: prepareAnswer,
    optionsStatus: (path) => (path.includes('/api/v1/') ? 204 : 200),
    fail: ({ response }, error) => sendPrometheusError(response, error),
  };
}

/** Nothing waits for a turn or is sorted apart, so that every time but the evaluation's is none. */
function statsText(parameters: URLSearchParams, { stats }: QueryResult, elapsedMs: number): string | undefined {
  if ((parameters.get('stats') ?? '') === '') return undefined;
  const seconds = elapsedMs / 1000;
  return JSON.stringify({
    timings: {
      evalTotalTime: seconds,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: seconds,
      execQueueTime: 0,
      execTotalTime: seconds,
    },
    samples: { totalQueryableSamples: stats.samplesRead, peakSamples: stats.peakSamples },
  });
}

/** Names with other characters come as `U__` and escapes (model.UnescapeName, ValueEncodingEscaping). */
function unescapeName(name: string): string {
  if (!name.startsWith('U__')) return name;
  return name
    .slice(3)
    .replace(/__|_([0-9A-Fa-f]{1,6})_/g, (whole, code: string | undefined) =>
      code === undefined
        ? whole === '__'
          ? '_'
          : whole
        : String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(code, 16))),
    );
}
