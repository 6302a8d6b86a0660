import type { Clock } from '@kind-e2e/base';
import type { SpanKind, TraceReader } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { sendJson } from '../http/send.ts';
import { parseSearch } from './parameters.ts';
import { toJaegerTrace } from './trace-json.ts';

export interface JaegerOptions {
  readonly traces: TraceReader;
  readonly clock: Clock;
  /** Spans of other hosts are moved by at most this to lie within their parents. */
  readonly maxClockSkewNs: bigint;
}

const KINDS: readonly string[] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** Jaeger's HTTP API of the query service (jaeger cmd/…/http_handler.go), the one that Grafana and older UIs ask. */
export function jaegerRoutes(options: JaegerOptions): RouteGroup {
  const { traces, clock, maxClockSkewNs } = options;
  const nowNs = (): bigint => BigInt(Math.trunc(clock.now())) * 1_000_000n;
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });
  const send = ({ response }: RequestContext, data: readonly unknown[], total = 0): void =>
    sendJson(response, 200, { data, total, limit: 0, offset: 0, errors: null });
  const skewOf = ({ parameters }: RequestContext): bigint => (parameters.get('raw') === 'true' ? 0n : maxClockSkewNs);
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
        const found = traces.operations(service, parseKind(context.parameters.get('spanKind')));
        send(
          context,
          found.map(({ name, kind }) => ({ name, spanKind: kind === 'unspecified' ? '' : kind })),
          found.length,
        );
      }),
      get('/api/traces', (context) => {
        const ids = context.parameters.getAll('traceID');
        if (ids.length > 0) {
          const found = ids.map((id) => ({ id, spans: traces.trace(parseTraceId(id)) }));
          const errors = found
            .filter(({ spans }) => spans.length === 0)
            .map(({ id }) => ({ msg: 'trace not found', traceID: id }));
          const data = found
            .filter(({ spans }) => spans.length > 0)
            .map(({ spans }) => toJaegerTrace(spans, skewOf(context)));
          sendJson(context.response, 200, {
            data,
            total: 0,
            limit: 0,
            offset: 0,
            errors: errors.length > 0 ? errors : null,
          });
          return;
        }
        const found = traces.search(parseSearch(context.parameters, nowNs()));
        send(
          context,
          found.map((spans) => toJaegerTrace(spans, skewOf(context))),
        );
      }),
      get('/api/traces/{id}', (context) => {
        const spans = traces.trace(parseTraceId(context.path.id ?? ''));
        if (spans.length === 0) throw new ApiError(404, 'trace not found');
        send(context, [toJaegerTrace(spans, skewOf(context))]);
      }),
      get('/api/dependencies', (context) => {
        const endMs = integer(context.parameters, 'endTs') ?? BigInt(Math.trunc(clock.now()));
        const lookbackMs = integer(context.parameters, 'lookback') ?? 86_400_000n;
        const edges = traces.dependencies((endMs - lookbackMs) * 1_000_000n, endMs * 1_000_000n);
        const data = edges.map(({ parent, child, callCount }) => ({ parent, child, callCount }));
        send(context, data, data.length);
      }),
    ],
    fail: ({ response }, error) => {
      const status = error instanceof ApiError ? error.status : 500;
      const msg = error instanceof Error ? error.message : String(error);
      sendJson(response, status, { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: status, msg }] });
    },
  };
}

export function parseKind(text: string | null): SpanKind | undefined {
  if (text === null || text === '') return undefined;
  if (!KINDS.includes(text)) throw new ApiError(400, `unsupported span kind: '${text}'`);
  return text as SpanKind;
}

export function parseTraceId(text: string): string {
  if (text.length === 0 || text.length > 32)
    throw new ApiError(400, `TraceID cannot be longer than 32 hex characters: ${text.slice(0, 80)}`);
  if (!/^[0-9a-fA-F]+$/.test(text))
    throw new ApiError(400, `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return text.toLowerCase().padStart(32, '0');
}

function integer(parameters: URLSearchParams, name: string): bigint | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  if (!/^-?\d{1,18}$/.test(text))
    throw new ApiError(
      400,
      `unable to parse param '${name}': strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return BigInt(text);
}
