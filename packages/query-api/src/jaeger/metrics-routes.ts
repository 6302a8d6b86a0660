import type { Clock } from '@kind-e2e/base';
import type { QueryEngine } from '@kind-e2e/promql';
import type { MetricReader } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { parseGoBool, parseGoFloat, parseGoInt } from './go-values.ts';
import { failStructured, sendPretty, sendStructured } from './send.ts';

export interface JaegerMetricsOptions {
  readonly metrics: MetricReader;
  readonly engine: QueryEngine;
  readonly clock: Clock;
}

const CALLS = 'traces_span_metrics_calls_total';
const BUCKETS = 'traces_span_metrics_duration_milliseconds_bucket';
const MIN_STEP_MS = 1000;
const KINDS = new Set(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']);

interface Request {
  /** Label matchers as PromQL. */
  readonly selector: string;
  readonly byOperation: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** `10m` */
  readonly range: string;
}

/** Jaeger's "monitor" API over span metrics (jaeger cmd/…/http_handler.go, metricstore/prometheus). */
export function jaegerMetricsRoutes(options: JaegerMetricsOptions): RouteGroup {
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });
  const family = async (
    context: RequestContext,
    name: string,
    help: string,
    promql: (request: Request, labels: string) => string,
  ): Promise<void> => {
    const request = parseRequest(context.parameters, options.clock.now());
    const labels = request.byOperation ? 'service_name, span_name' : 'service_name';
    const query = promql(request, labels);
    const { value } = await options.engine.range(
      options.metrics,
      query,
      request.startMs,
      request.endMs,
      request.stepMs,
      {
        signal: context.signal,
      },
    );
    const series = value.type === 'matrix' ? value.series : [];
    sendPretty(context, {
      name: `${request.byOperation ? 'service_operation' : 'service'}_${name}`,
      type: 'GAUGE',
      help: `${help}, grouped by service${request.byOperation ? ' & operation' : ''}`,
      metrics: series.map(({ labels: set, timestamps, values }) => ({
        labels: [...set].map(([label, text]) => ({ name: label === 'span_name' ? 'operation' : label, value: text })),
        metricPoints: Array.from(timestamps, (time, i) => ({
          gaugeValue: { doubleValue: numberOf(values[i] ?? 0) },
          timestamp: protobufTime(time),
        })),
      })),
    });
  };
  return {
    routes: [
      get('/api/metrics/latencies', (context) => {
        const text = context.parameters.get('quantile') ?? '';
        const quantile = parseGoFloat(text, "unable to parse param 'quantile': ");
        return family(
          context,
          'latencies',
          `${quantile}th quantile latency`,
          ({ selector, range }, labels) =>
            `histogram_quantile(${quantile}, sum(rate(${BUCKETS}{${selector}}[${range}])) by (${labels}, le))`,
        );
      }),
      get('/api/metrics/calls', (context) =>
        family(
          context,
          'call_rate',
          'calls/sec',
          ({ selector, range }, labels) => `sum(rate(${CALLS}{${selector}}[${range}])) by (${labels})`,
        ),
      ),
      get('/api/metrics/errors', (context) =>
        family(
          context,
          'error_rate',
          'error rate, computed as a fraction of errors/sec over calls/sec',
          ({ selector, range }, labels) => {
            const errors = `sum(rate(${CALLS}{${selector}, status_code="STATUS_CODE_ERROR"}[${range}])) by (${labels})`;
            const calls = `sum(rate(${CALLS}{${selector}}[${range}])) by (${labels})`;
            // Where there were calls but no errors the rate is 0, not absent.
            return `(${errors} / ${calls}) or (${calls} * 0)`;
          },
        ),
      ),
      get('/api/metrics/minstep', (context) => sendStructured(context, { data: MIN_STEP_MS })),
    ],
    fail: failStructured,
  };
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
  const stepMs = Math.max(MIN_STEP_MS, number('step', 5000));
  const ratePerMs = number('ratePer', 600_000);
  if (lookbackMs / stepMs > 11_000) throw new ApiError(400, "unable to parse param 'step': too small for the lookback");
  return {
    selector: [
      `service_name=~${JSON.stringify(services.map(quoteRegex).join('|'))}`,
      `span_kind=~${JSON.stringify(wanted.map((kind) => `SPAN_KIND_${kind.toUpperCase()}`).join('|'))}`,
    ].join(', '),
    byOperation,
    startMs: endMs - lookbackMs,
    endMs,
    stepMs,
    range: `${Math.max(1, Math.round(ratePerMs / 1000))}s`,
  };
}

function quoteRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
