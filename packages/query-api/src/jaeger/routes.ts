import type { Clock } from '@kind-e2e/base';
import type { Span, SpanKind, TraceReader } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import { readBody } from '../http/parameters.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { adjustTrace, rawTrace } from './adjusters.ts';
import { parseDependencies, parseSearch, parseTraceId, parseTraceRequest } from './parameters.ts';
import { failStructured, sendStructured } from './send.ts';
import { type JaegerTrace, toJaegerTrace } from './trace-json.ts';

export interface JaegerOptions {
  readonly traces: TraceReader;
  readonly clock: Clock;
  /** Spans of other hosts are moved by at most this to lie within their parents. */
  readonly maxClockSkewNs: bigint;
  /** Reads OTLP's JSON for /api/transform, which is not served without it. */
  readonly readOtlpTraces?: (body: Buffer) => readonly Span[];
}

const MAX_TRANSFORM_BYTES = 64 * 1024 * 1024;
const KINDS: readonly string[] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** Jaeger's HTTP API of the query service (jaegerquery/internal/http_handler.go), which Grafana and older UIs ask. */
export function jaegerRoutes(options: JaegerOptions): RouteGroup {
  const { traces, clock, maxClockSkewNs, readOtlpTraces } = options;
  const nowNs = (): bigint => BigInt(Math.trunc(clock.now())) * 1_000_000n;
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });
  const send = (context: RequestContext, data: readonly unknown[], total = 0): void =>
    sendStructured(context, { data, total });
  const idsOf = (raw: boolean): 'unique' | 'as-sent' => (raw ? 'as-sent' : 'unique');
  const traceOf = (spans: readonly Span[], raw: boolean): JaegerTrace =>
    toJaegerTrace(raw ? rawTrace(spans) : adjustTrace(spans, maxClockSkewNs));
  return {
    routes: [
      get('/api/services', (context) => {
        const services = traces.services();
        send(context, services, services.length);
      }),
      get('/api/services/{service}/operations', (context) => {
        const names = [...new Set(traces.operations(context.path.service ?? '').map(({ name }) => name))];
        send(context, names, names.length);
      }),
      get('/api/operations', (context) => {
        const service = context.parameters.get('service') ?? '';
        if (service === '') throw new ApiError(400, "parameter 'service' is required");
        const kind = kindOf(context.parameters.get('spanKind') ?? '');
        const found = kind === 'none' ? [] : traces.operations(service, kind);
        send(
          context,
          found.map(({ name, kind: spanKind }) => ({ name, spanKind: spanKind === 'unspecified' ? '' : spanKind })),
          found.length,
        );
      }),
      get('/api/traces', (context) => {
        const search = parseSearch(context.parameters, nowNs());
        const { traceIds, raw } = search;
        const found =
          traceIds.length > 0
            ? traceIds.map((id) => traces.trace(id, idsOf(raw))).filter((spans) => spans.length > 0)
            : traces.search(search).map((spans) => (raw ? traces.trace(spans[0]?.traceId ?? '', 'as-sent') : spans));
        send(
          context,
          found.map((spans) => traceOf(spans, raw)),
        );
      }),
      get('/api/traces/{id}', (context) => {
        const id = parseTraceId(context.path.id ?? '');
        const { raw } = parseTraceRequest(context.parameters);
        const spans = traces.trace(id, idsOf(raw));
        if (spans.length === 0) throw new ApiError(404, 'trace not found');
        send(context, [traceOf(spans, raw)]);
      }),
      {
        methods: ['POST'],
        path: '/api/archive/{id}',
        handle: (context) => {
          parseTraceId(context.path.id ?? '');
          parseTraceRequest(context.parameters);
          throw new ApiError(500, 'archive span storage was not configured');
        },
      },
      ...(readOtlpTraces ? [transformRoute(readOtlpTraces)] : []),
      get('/api/dependencies', (context) => {
        const { startNs, endNs } = parseDependencies(context.parameters, BigInt(Math.trunc(clock.now())));
        const service = context.parameters.get('service') ?? '';
        const data = traces
          .dependencies(startNs, endNs)
          .filter(({ parent, child }) => service === '' || parent === service || child === service)
          .map(({ parent, child, callCount }) => ({ parent, child, callCount }));
        send(context, data);
      }),
    ],
    fail: failStructured,
  };
}

/** Shows a file of OTLP's JSON that the UI was given, as it is (`transformOTLP`; otlp_translator.go). */
function transformRoute(readOtlpTraces: (body: Buffer) => readonly Span[]): Route {
  return {
    methods: ['POST'],
    path: '/api/transform',
    handle: async (context) => {
      const body = await readBody(context.request, MAX_TRANSFORM_BYTES);
      let spans: readonly Span[];
      try {
        spans = readOtlpTraces(body);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ApiError(400, `cannot unmarshal OTLP : ${reason}`, undefined, { cause: error });
      }
      const byTrace = Map.groupBy(spans, ({ traceId }) => traceId);
      sendStructured(context, { data: [...byTrace.values()].map((trace) => toJaegerTrace(rawTrace(trace))) });
    },
  };
}

/** A kind that no span has finds nothing, as in Jaeger's stores. */
export function kindOf(text: string): SpanKind | 'none' | undefined {
  if (text === '') return undefined;
  return KINDS.includes(text) ? (text as SpanKind) : 'none';
}
