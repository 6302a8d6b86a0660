import type { Clock } from '@kind-e2e/base';
import type { QueryEngine } from '@kind-e2e/promql';
import type { MetricReader, SampleSeries } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { durationText } from './clock-skew.ts';
import { parseGoBool, parseGoFloat, parseGoInt } from './go-values.ts';
import { failStructured, sendPretty, sendStructured } from './send.ts';

export interface JaegerMetricsOptions {
  readonly metrics: MetricReader;
  readonly engine: QueryEngine;
  readonly clock: Clock;
}

const CALLS = 'traces_span_metrics_calls_total';
const BUCKETS = 'traces_span_metrics_duration_milliseconds_bucket';
/** `minStep` of metricstore/prometheus/metricstore/reader.go. */
const MIN_STEP_MS = 1;
/** Points of a series beyond which Prometheus refuses. */
const MAX_POINTS = 11_000;
const KINDS = new Set(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']);

interface Request {
  /** Label matchers as PromQL. */
  readonly selector: string;
  readonly byOperation: boolean;
  readonly groupBy: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** `10m` */
  readonly range: string;
}

/** Jaeger's "monitor" API over span metrics (jaeger cmd/…/http_handler.go, metricstore/prometheus). */
export function jaegerMetricsRoutes(options: JaegerMetricsOptions): RouteGroup {
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });
  const seriesOf = async (
    { signal }: RequestContext,
    { startMs, endMs, stepMs }: Request,
    promql: string,
  ): Promise<readonly SampleSeries[]> => {
    const { value } = await options.engine.range(options.metrics, promql, startMs, endMs, stepMs, { signal });
    return value.type === 'matrix' ? value.series : [];
  };
  const send = (
    context: RequestContext,
    { byOperation }: Request,
    name: string,
    help: string,
    series: readonly SampleSeries[],
    shown = (value: number): number | string => numberOf(value),
  ): void =>
    sendPretty(context, {
      name: `${byOperation ? 'service_operation' : 'service'}_${name}`,
      type: 'GAUGE',
      help: `${help}, grouped by service${byOperation ? ' & operation' : ''}`,
      metrics: series.map(({ labels: set, timestamps, values }) => ({
        labels: [...set].map(([label, text]) => ({ name: label === 'span_name' ? 'operation' : label, value: text })),
        metricPoints: Array.from(timestamps, (time, i) => ({
          gaugeValue: { doubleValue: shown(values[i] ?? 0) },
          timestamp: protobufTime(time),
        })),
      })),
    });
  const requestOf = (context: RequestContext): Request => parseRequest(context.parameters, options.clock.now());
  return {
    routes: [
      get('/api/metrics/latencies', async (context) => {
        const text = context.parameters.get('quantile') ?? '';
        const quantile = twoDigits(parseGoFloat(text, "unable to parse param 'quantile': "));
        const request = requestOf(context);
        const { selector, range, groupBy } = request;
        const promql = `histogram_quantile(${quantile}, sum(rate(${BUCKETS}{${selector}}[${range}])) by (${groupBy},le))`;
        const series = await seriesOf(context, request, promql);
        send(context, request, 'latencies', `${quantile}th quantile latency`, series);
      }),
      get('/api/metrics/calls', async (context) => {
        const request = requestOf(context);
        send(context, request, 'call_rate', 'calls/sec', await seriesOf(context, request, callsOf(request)));
      }),
      get('/api/metrics/errors', async (context) => {
        const request = requestOf(context);
        const { selector, range, groupBy } = request;
        const errors = `sum(rate(${CALLS}{${selector}, status_code="STATUS_CODE_ERROR"}[${range}])) by (${groupBy})`;
        const help = 'error rate, computed as a fraction of errors/sec over calls/sec';
        const series = await seriesOf(context, request, `${errors} / ${callsOf(request)}`);
        if (series.length > 0) send(context, request, 'error_rate', help, series);
        // Where there are calls and no errors at all the rates are 0, not absent.
        else send(context, request, 'error_rate', help, await seriesOf(context, request, callsOf(request)), () => 0);
      }),
      get('/api/metrics/minstep', (context) => sendStructured(context, { data: MIN_STEP_MS })),
    ],
    fail: failStructured,
  };
}

function callsOf({ selector, range, groupBy }: Request): string {
  return `sum(rate(${CALLS}{${selector}}[${range}])) by (${groupBy})`;
}

/** Go's `%.2f`. */
function twoDigits(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? value.toFixed(2) : value > 0 ? '+Inf' : '-Inf';
}

/** What Prometheus says, through Jaeger; the request is to blame, so that it is no error of the server here. */
function refusedByPrometheus(message: string): ApiError {
  return new ApiError(400, `failed executing metrics query: bad_data: ${message}`);
}

/** `promqlDurationString`: a duration as Go prints it, up to the first letter. */
function rangeOf(ms: bigint): string {
  const range = /^[^a-z]*[a-z]/.exec(durationText(ms * 1_000_000n))?.[0] ?? '';
  if (!/^\d+[a-z]$/.test(range) || ms <= 0n)
    throw refusedByPrometheus(`invalid parameter "query": not a valid duration of a range: ${JSON.stringify(range)}`);
  return range;
}

/** A Timestamp in protobuf's JSON has milliseconds only where there are some. */
function protobufTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** JSON has no NaN; protobuf's JSON writes it as a string. */
function numberOf(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function parseRequest(parameters: URLSearchParams, nowMs: number): Request {
  const services = parameters.getAll('service');
  if (services.length === 0)
    throw new ApiError(400, "unable to parse param 'service': please provide at least one service name");
  const groupBy = parameters.get('groupByOperation') ?? '';
  const byOperation = parseGoBool(groupBy, "unable to parse param 'groupByOperation': ");
  const kinds = parameters.getAll('spanKind');
  for (const kind of kinds)
    if (!KINDS.has(kind)) throw new ApiError(400, `unable to parse param 'spanKind': unsupported span kind: '${kind}'`);
  const wanted = kinds.length > 0 ? kinds : ['server'];
  const number = (name: string, fallback: number): number => {
    const text = parameters.get(name) ?? '';
    return text === '' ? fallback : Number(parseGoInt(text, 64, `unable to parse param '${name}': `));
  };
  const endMs = number('endTs', nowMs);
  const lookbackMs = number('lookback', 3_600_000);
  const stepMs = number('step', 5000);
  const ratePerMs = number('ratePer', 600_000);
  if (lookbackMs < 0) throw refusedByPrometheus('invalid parameter "end": end timestamp must not be before start time');
  if (stepMs <= 0)
    throw refusedByPrometheus(
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  if (Math.floor(lookbackMs / stepMs) > MAX_POINTS)
    throw refusedByPrometheus(
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  return {
    selector: [
      `service_name=~${JSON.stringify(services.map(quoteRegex).join('|'))}`,
      `span_kind=~${JSON.stringify(wanted.map((kind) => `SPAN_KIND_${kind.toUpperCase()}`).join('|'))}`,
    ].join(', '),
    byOperation,
    groupBy: byOperation ? 'service_name,span_name' : 'service_name',
    startMs: endMs - lookbackMs,
    endMs,
    stepMs,
    range: rangeOf(BigInt(ratePerMs)),
  };
}

function quoteRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
