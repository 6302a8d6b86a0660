import type { Clock } from '@kind-e2e/base';
import { type Span, serviceOf, type TraceReader } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import type { Route, RouteGroup } from '../http/router.ts';
import { sendJson, sendText } from '../http/send.ts';
import { toZipkinSpan } from './span-json.ts';

export interface ZipkinOptions {
  readonly traces: TraceReader;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;

/** Zipkin's read API (zipkin-api/zipkin2-api.yaml). */
export function zipkinRoutes({ traces, clock }: ZipkinOptions): RouteGroup {
  const get = (path: string, handle: Route['handle']): Route => ({ methods: ['GET'], path, handle });
  const range = (parameters: URLSearchParams): { startNs: bigint; endNs: bigint } => {
    const endMs = integer(parameters, 'endTs') ?? Math.trunc(clock.now());
    const lookbackMs = integer(parameters, 'lookback') ?? DAY_MS;
    return { startNs: BigInt(endMs - lookbackMs) * 1_000_000n, endNs: BigInt(endMs) * 1_000_000n };
  };
  const byId = (id: string): readonly Span[] => {
    if (!/^[0-9a-fA-F]{1,32}$/.test(id)) throw new ApiError(400, `${id} should be lower-hex encoded with no prefix`);
    return traces.trace(id.toLowerCase().padStart(32, '0'));
  };
  const service = (parameters: URLSearchParams): string => {
    const name = parameters.get('serviceName') ?? '';
    if (name === '') throw new ApiError(400, "Required parameter 'serviceName' is missing.");
    return name;
  };
  return {
    routes: [
      get('/api/v2/services', ({ response }) => sendJson(response, 200, traces.services())),
      get('/api/v2/spans', ({ parameters, response }) => {
        const names = traces.operations(service(parameters)).map(({ name }) => name);
        sendJson(response, 200, [...new Set(names)].sort());
      }),
      get('/api/v2/remoteServices', ({ parameters, response }) => {
        const wanted = service(parameters);
        const children = traces.dependencies(0n, BigInt(Math.trunc(clock.now())) * 1_000_000n);
        sendJson(
          response,
          200,
          [...new Set(children.filter(({ parent }) => parent === wanted).map(({ child }) => child))].sort(),
        );
      }),
      get('/api/v2/traces', ({ parameters, response }) => {
        const limit = integer(parameters, 'limit') ?? 10;
        if (limit <= 0) throw new ApiError(400, 'limit <= 0');
        const spanName = parameters.get('spanName') ?? '';
        const serviceName = parameters.get('serviceName') ?? '';
        const minUs = integer(parameters, 'minDuration');
        const maxUs = integer(parameters, 'maxDuration');
        const { tags, words } = annotationQuery(parameters.get('annotationQuery') ?? '');
        const found = traces
          .search({
            ...range(parameters),
            // Words are looked for afterwards, so more is asked for than wanted.
            limit: words.length > 0 ? limit * 10 : limit,
            ...(serviceName !== '' && { service: serviceName }),
            ...(spanName !== '' && spanName !== 'all' && { operation: spanName }),
            ...(minUs !== undefined && { minDurationNs: BigInt(minUs) * 1000n }),
            ...(maxUs !== undefined && { maxDurationNs: BigInt(maxUs) * 1000n }),
            ...(Object.keys(tags).length > 0 && { tags }),
          })
          .filter((spans) => words.every((word) => spans.some((span) => hasWord(span, word, serviceName))))
          .slice(0, limit);
        sendJson(
          response,
          200,
          found.map((spans) => spans.map(toZipkinSpan)),
        );
      }),
      get('/api/v2/traceMany', ({ parameters, response }) => {
        const ids = (parameters.get('traceIds') ?? '').split(',').filter((id) => id !== '');
        const found = ids.map(byId).filter((spans) => spans.length > 0);
        sendJson(
          response,
          200,
          found.map((spans) => spans.map(toZipkinSpan)),
        );
      }),
      get('/api/v2/trace/{id}', ({ path, response }) => {
        const spans = byId(path.id ?? '');
        if (spans.length === 0) throw new ApiError(404, `${path.id} not found`);
        sendJson(response, 200, spans.map(toZipkinSpan));
      }),
      get('/api/v2/dependencies', ({ parameters, response }) => {
        if (!parameters.has('endTs')) throw new ApiError(400, "Required parameter 'endTs' is missing.");
        const { startNs, endNs } = range(parameters);
        const links = traces.dependencies(startNs, endNs).map(({ parent, child, callCount, errorCount }) => ({
          parent,
          child,
          callCount,
          ...(errorCount > 0 && { errorCount }),
        }));
        sendJson(response, 200, links);
      }),
      get('/api/v2/autocompleteKeys', ({ response }) => sendJson(response, 200, [])),
      get('/health', ({ response }) => sendJson(response, 200, { status: 'UP' })),
    ],
    fail: ({ response }, error) => {
      const status = error instanceof ApiError ? error.status : 500;
      sendText(response, status, error instanceof Error ? error.message : String(error));
    },
  };
}

/** `error and http.method=GET`: words that must be there, and tags with values. */
function annotationQuery(text: string): { tags: Record<string, string>; words: string[] } {
  const tags: Record<string, string> = {};
  const words: string[] = [];
  for (const part of text.split(' and ').map((piece) => piece.trim())) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals > 0) tags[part.slice(0, equals)] = part.slice(equals + 1);
    else words.push(part);
  }
  return { tags, words };
}

function hasWord(span: Span, word: string, service: string): boolean {
  if (service !== '' && serviceOf(span) !== service) return false;
  if (word === 'error' && span.status.code === 'error') return true;
  return Object.hasOwn(span.attributes, word) || span.events.some((event) => event.name === word);
}

function integer(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name) ?? '';
  if (text === '') return undefined;
  if (!/^\d{1,16}$/.test(text)) throw new ApiError(400, `${name} should be a number, got ${text.slice(0, 40)}`);
  return Number(text);
}
