import type { Clock } from '@kind-e2e/base';
import type { TraceReader } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { sendJson, sendText } from '../http/send.ts';
import { findZipkinTraces, parseWindow, parseZipkinQuery } from './query.ts';
import { toZipkinTrace } from './span-json.ts';

export interface ZipkinOptions {
  readonly traces: TraceReader;
  readonly clock: Clock;
}

/** Services beyond which names may be cached: who is just beginning must see each new one. */
const FEW_SERVICES = 3;
const NAMES_MAX_AGE_S = 300;
const MAX_TRACE_IDS = 1000;
/** Armeria's ANY_TEXT_TYPE, which Zipkin's errors have for a type as it stands (BodyIsExceptionMessage). */
const ERROR_TYPE = 'text/*';

/** Zipkin's read API (zipkin-api/zipkin2-api.yaml; zipkin-server's ZipkinQueryApiV2). */
export function zipkinRoutes({ traces, clock }: ZipkinOptions): RouteGroup {
  const get = (path: string, handle: Route['handle']): Route => ({
    methods: ['GET'],
    path,
    handle: (context) => {
      allowOrigin(context);
      return handle(context);
    },
  });
  /** The service as it is written in its spans: Zipkin's names are of lower case, ours are not. */
  const service = (parameters: URLSearchParams): string | undefined => {
    const name = required(parameters, 'serviceName');
    return traces.services().find((known) => known.toLowerCase() === name.toLowerCase());
  };
  const sendNames = (
    { response }: RequestContext,
    names: readonly string[],
    mayCache = traces.services().length > FEW_SERVICES,
  ): void => {
    if (mayCache) response.setHeader('cache-control', `max-age=${NAMES_MAX_AGE_S}, must-revalidate`);
    sendJson(response, 200, names);
  };
  return {
    routes: [
      get('/api/v2/services', (context) => sendNames(context, traces.services())),
      get('/api/v2/spans', (context) => {
        const name = service(context.parameters);
        const names = name === undefined ? [] : traces.operations(name).map((operation) => operation.name);
        sendNames(context, [...new Set(names)].sort());
      }),
      get('/api/v2/remoteServices', (context) => {
        const wanted = service(context.parameters);
        const children = traces.dependencies(0n, BigInt(Math.trunc(clock.now())) * 1_000_000n);
        sendNames(
          context,
          [...new Set(children.filter(({ parent }) => parent === wanted).map(({ child }) => child))].sort(),
        );
      }),
      get('/api/v2/traces', ({ parameters, response }) =>
        sendJson(response, 200, findZipkinTraces(traces, parseZipkinQuery(parameters, clock.now()))),
      ),
      get('/api/v2/traceMany', ({ parameters, response }) => {
        const ids = parseTraceIds(required(parameters, 'traceIds'));
        if (ids.size === 1) throw new ApiError(400, 'Use /api/v2/trace/{traceId} endpoint to retrieve a single trace');
        const found = [...ids].map((id) => traces.trace(id, 'as-sent')).filter((spans) => spans.length > 0);
        sendJson(response, 200, found.map(toZipkinTrace));
      }),
      get('/api/v2/trace/{id}', ({ path, response }) => {
        const id = normalizeTraceId((path.id ?? '').trim());
        const spans = traces.trace(id, 'as-sent');
        if (spans.length === 0) throw new ApiError(404, `${id} not found`);
        sendJson(response, 200, toZipkinTrace(spans));
      }),
      get('/api/v2/dependencies', ({ parameters, response }) => {
        required(parameters, 'endTs');
        const { endTs, lookback } = parseWindow(parameters, clock.now());
        const links = traces
          .dependencies(BigInt(endTs - lookback) * 1_000_000n, BigInt(endTs) * 1_000_000n)
          .map(({ parent, child, callCount, errorCount }) => ({
            parent,
            child,
            callCount,
            ...(errorCount > 0 && { errorCount }),
          }));
        sendJson(response, 200, links);
      }),
      // No tag is set up for completion, as in Zipkin unless AUTOCOMPLETE_KEYS names some.
      get('/api/v2/autocompleteKeys', (context) => sendNames(context, [], true)),
      get('/api/v2/autocompleteValues', (context) => {
        if (required(context.parameters, 'key') === '') throw new ApiError(400, 'key was empty');
        sendNames(context, [], false);
      }),
      get('/health', ({ response }) => sendJson(response, 200, { status: 'UP' })),
    ],
    fail: ({ response }, error) => {
      const status = error instanceof ApiError ? error.status : 500;
      sendText(response, status, error instanceof Error ? error.message : String(error), ERROR_TYPE);
    },
  };
}

/** `zipkin.query.allowed-origins` is `*` unless someone sets it. */
function allowOrigin({ request, response }: RequestContext): void {
  if (request.headers.origin !== undefined) response.setHeader('access-control-allow-origin', '*');
}

/** A parameter that Armeria, Zipkin's server, insists on (AnnotatedValueResolver). */
function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (value === null) throw new ApiError(400, `Mandatory parameter/header is missing: ${name}`);
  return value;
}

/** The ids of `traceMany`, split as Java's `split(",", 1000)` does: what is left after 999 of them is the last. */
function parseTraceIds(text: string): ReadonlySet<string> {
  if (text === '') throw new ApiError(400, 'traceIds parameter is empty');
  const parts = text.split(',');
  const ids = new Set<string>();
  for (const id of [...parts.slice(0, MAX_TRACE_IDS - 1), ...joined(parts.slice(MAX_TRACE_IDS - 1))]) {
    const normalized = normalizeTraceId(id);
    if (ids.has(normalized)) throw new ApiError(400, `redundant traceId: ${id}`);
    ids.add(normalized);
  }
  return ids;
}

function joined(parts: readonly string[]): string[] {
  return parts.length === 0 ? [] : [parts.join(',')];
}

/** zipkin2.Span.normalizeTraceId: of sixteen digits or of thirty-two. */
function normalizeTraceId(id: string): string {
  if (id === '') throw new ApiError(400, 'traceId is empty');
  if (id.length > 32) throw new ApiError(400, 'traceId.length > 32');
  if (!/^[0-9a-f]+$/.test(id)) throw new ApiError(400, `${id} should be lower-hex encoded with no prefix`);
  if (/^0+$/.test(id)) throw new ApiError(400, 'traceId is all zeros');
  const padded = id.padStart(id.length > 16 ? 32 : 16, '0');
  return id.length === 32 && /^0{16}/.test(id) ? id.slice(16) : padded;
}
