import { type Span, serviceOf, type TraceSearch } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { RequestContext, Route, RouteGroup } from '../http/router.ts';
import { sendJson } from '../http/send.ts';
import { tracesDataOf } from './otlp-json.ts';
import { parseGoDuration, parseLimit, parseOrder } from './parameters.ts';
import { type JaegerOptions, parseKind, parseTraceId } from './routes.ts';

/** Jaeger's API of today (jaeger-idl proto/api_v3/query_service.proto, its HTTP gateway), which the UI of Jaeger 2 asks. */
export function jaegerV3Routes(options: JaegerOptions): RouteGroup {
  const { traces } = options;
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });
  return {
    routes: [
      get('/api/v3/services', ({ response }) => sendJson(response, 200, { services: traces.services() })),
      get('/api/v3/operations', ({ parameters, response }) => {
        const service = parameters.get('service') ?? '';
        if (service === '') throw new ApiError(400, 'malformed parameter service: missing');
        const kind = parseKind(parameters.get('span_kind') ?? parameters.get('spanKind'));
        const operations = traces.operations(service, kind).map((operation) => ({
          name: operation.name,
          spanKind: operation.kind === 'unspecified' ? '' : operation.kind,
        }));
        sendJson(response, 200, { operations });
      }),
      get('/api/v3/traces', (context) => {
        const found = traces.search(parseV3Search(context.parameters));
        if (found.length === 0) throw new ApiError(404, 'No traces found');
        sendJson(context.response, 200, { result: tracesDataOf(found) });
      }),
      get('/api/v3/traces/{id}', ({ path, response }) => {
        const spans = traces.trace(parseTraceId(path.id ?? ''));
        if (spans.length === 0) throw new ApiError(404, 'No traces found');
        sendJson(response, 200, { result: tracesDataOf([spans]) });
      }),
      get('/api/v3/trace-summaries', (context) => {
        const summaries = traces.search(parseV3Search(context.parameters)).map(summaryOf);
        sendJson(context.response, 200, { summaries });
      }),
      get('/api/v3/dependencies', (context: RequestContext) => {
        const { startNs, endNs } = timesOf(context.parameters, ['start_time', 'startTime'], ['end_time', 'endTime']);
        const dependencies = traces
          .dependencies(startNs, endNs)
          .map(({ parent, child, callCount }) => ({ parent, child, callCount: String(callCount) }));
        sendJson(context.response, 200, { dependencies });
      }),
    ],
    fail: ({ response }, error) => {
      const status = error instanceof ApiError ? error.status : 500;
      const message = error instanceof Error ? error.message : String(error);
      sendJson(response, status, { error: { httpCode: status, message } });
    },
  };
}

/** What the list of search results shows of a trace. Times are nanoseconds in strings. */
function summaryOf(spans: readonly Span[]): unknown {
  const ids = new Set(spans.map((span) => span.spanId));
  const root = spans.find((span) => span.parentSpanId === '') ?? spans[0];
  const services = new Map<string, { name: string; spanCount: number; errorSpanCount: number }>();
  let start = spans[0]?.startTimeUnixNano ?? 0n;
  let end = 0n;
  let errors = 0;
  let orphans = 0;
  for (const span of spans) {
    const name = serviceOf(span);
    const service = services.get(name) ?? { name, spanCount: 0, errorSpanCount: 0 };
    services.set(name, service);
    service.spanCount++;
    if (span.status.code === 'error') {
      service.errorSpanCount++;
      errors++;
    }
    if (span.parentSpanId !== '' && !ids.has(span.parentSpanId)) orphans++;
    if (span.startTimeUnixNano < start) start = span.startTimeUnixNano;
    if (span.endTimeUnixNano > end) end = span.endTimeUnixNano;
  }
  return {
    traceId: spans[0]?.traceId ?? '',
    rootServiceName: root ? serviceOf(root) : '',
    rootOperationName: root?.name ?? '',
    minStartTimeUnixNano: String(start),
    maxEndTimeUnixNano: String(end),
    spanCount: spans.length,
    errorSpanCount: errors,
    orphanSpanCount: orphans,
    services: [...services.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** `query.service_name` or `query.serviceName`, and so on. */
function parseV3Search(parameters: URLSearchParams): TraceSearch {
  const value = (snake: string): string => {
    const camel = snake.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    return parameters.get(`query.${snake}`) ?? parameters.get(`query.${camel}`) ?? '';
  };
  const { startNs, endNs } = timesOf(
    parameters,
    ['query.start_time_min', 'query.startTimeMin'],
    ['query.start_time_max', 'query.startTimeMax'],
  );
  const service = value('service_name');
  const operation = value('operation_name');
  const minDurationNs = duration('query.duration_min', value('duration_min'));
  const maxDurationNs = duration('query.duration_max', value('duration_max'));
  const tags = attributes(value('attributes'));
  return {
    startNs,
    endNs,
    limit: parseLimit(value('search_depth') || value('num_traces') || parameters.get('limit')),
    order: parseOrder(parameters.get('query.order') ?? parameters.get('order')),
    ...(service !== '' && { service }),
    ...(operation !== '' && operation !== 'all' && { operation }),
    ...(minDurationNs !== undefined && { minDurationNs }),
    ...(maxDurationNs !== undefined && { maxDurationNs }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}

function attributes(text: string): Record<string, string> {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value).map(([key, tag]) => [key, String(tag)]));
  } catch {
    // Said below.
  }
  throw new ApiError(400, 'malformed parameter query.attributes: expected a JSON object of strings');
}

function timesOf(
  parameters: URLSearchParams,
  start: readonly string[],
  end: readonly string[],
): { startNs: bigint; endNs: bigint } {
  const read = (names: readonly string[]): bigint => {
    const name = names.find((candidate) => parameters.get(candidate));
    if (name === undefined) throw new ApiError(400, `${start[0]} and ${end[0]} are required`);
    const text = parameters.get(name) ?? '';
    const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(text);
    const ms = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
    if (!match || Number.isNaN(ms))
      throw new ApiError(400, `malformed parameter ${name}: ${JSON.stringify(text)} is no RFC 3339 time`);
    return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
  };
  return { startNs: read(start), endNs: read(end) };
}

function duration(name: string, text: string): bigint | undefined {
  if (text === '') return undefined;
  const parsed = parseGoDuration(text);
  if (parsed === undefined)
    throw new ApiError(400, `malformed parameter ${name}: time: invalid duration ${JSON.stringify(text)}`);
  return parsed;
}
