import {
  DEFAULT_RETRY,
  type ForwardAction,
  type HeaderOperations,
  type RetryCondition,
  type RetryPolicy,
  type Route,
  type RouteAction,
  type RouteMatch,
  type StringMatch,
} from '@kind-e2e/proxy';
import type {
  Destination,
  Headers,
  HttpMatchRequest,
  HttpRetry,
  HttpRoute,
  StringMatch as IstioMatch,
} from '../world/istio-types.ts';
import { labelsMatch } from '../world/world.ts';
import { parseDuration } from './durations.ts';
import type { ClientScope } from './scopes.ts';

/** What a route of a VirtualService needs to know of where it is used. */
export interface RouteContext {
  readonly scope: ClientScope;
  /** `namespace/name` of the gateways this is for, or `mesh`. */
  readonly gateways: ReadonlySet<string>;
  /** Port of the listener: the service's, or the gateway server's. */
  readonly port: number;
  /** Namespace and name of the VirtualService. */
  readonly namespace: string;
  readonly name: string;
  readonly virtualServiceHost: string;
  readonly defaultRetry: HttpRetry | undefined;
  /** Full host, port and key of a destination's cluster. The key is one that no cluster has where there is none. */
  resolve(
    destination: Destination,
    namespace: string,
    port: number,
  ): { readonly key: string; readonly host: string; readonly port: number };
  /** Routes of a delegate VirtualService. */
  delegate(
    name: string,
    namespace: string,
  ): { readonly routes: readonly HttpRoute[]; readonly namespace: string; readonly name: string } | undefined;
}

/** Translates one HTTP route; a route with several matches gives several, in order (Istio's `translateRoute`). */
export function translateHttpRoute(
  http: HttpRoute,
  context: RouteContext,
  inherited: readonly HttpMatchRequest[] | undefined = undefined,
): Route[] {
  if (http.delegate) {
    const target = context.delegate(http.delegate.name ?? '', http.delegate.namespace ?? context.namespace);
    if (target === undefined) return [];
    return target.routes.flatMap((route) =>
      translateHttpRoute(
        inheritFrom(http, route),
        { ...context, namespace: target.namespace, name: target.name },
        http.match && http.match.length > 0 ? http.match : undefined,
      ),
    );
  }
  const own = http.match && http.match.length > 0 ? http.match : [undefined];
  const combined =
    inherited === undefined ? own : inherited.flatMap((outer) => own.map((inner) => mergeMatches(outer, inner)));
  return combined.flatMap((match) =>
    match === undefined || applies(match, context) ? [routeOf(http, match, context)] : [],
  );
}

/** Settings of the delegating route hold where the delegate says nothing. */
function inheritFrom(root: HttpRoute, route: HttpRoute): HttpRoute {
  const { match: _match, delegate: _delegate, route: _route, ...settings } = root;
  return { ...settings, ...route };
}

function mergeMatches(outer: HttpMatchRequest, inner: HttpMatchRequest | undefined): HttpMatchRequest {
  if (inner === undefined) return outer;
  return {
    ...outer,
    ...inner,
    headers: { ...outer.headers, ...inner.headers },
    withoutHeaders: { ...outer.withoutHeaders, ...inner.withoutHeaders },
    queryParams: { ...outer.queryParams, ...inner.queryParams },
  };
}

/** Parts of a match that are decided now, not for each request. */
function applies(match: HttpMatchRequest, context: RouteContext): boolean {
  const { scope, gateways } = context;
  if (match.gateways?.length && !match.gateways.some((name) => gateways.has(gatewayKey(name, context.namespace))))
    return false;
  if (match.port !== undefined && match.port !== context.port) return false;
  if (scope.gateway) return true;
  if (match.sourceNamespace && match.sourceNamespace !== scope.namespace) return false;
  return labelsMatch(match.sourceLabels, scope.labels);
}

export function gatewayKey(name: string, namespace: string): string {
  return name === 'mesh' || name.includes('/') ? name : `${namespace}/${name}`;
}

function routeOf(http: HttpRoute, match: HttpMatchRequest | undefined, context: RouteContext): Route {
  const translated = matchOf(match);
  const { action, operation } = actionOf(http, match, context);
  const requestHeaders = headersOf(http.headers, 'request');
  const responseHeaders = headersOf(http.headers, 'response');
  const cors = corsOf(http);
  const fault = faultOf(http);
  const name = http.name ? (match?.name ? `${http.name}.${match.name}` : http.name) : undefined;
  return {
    ...(name ? { name } : {}),
    match: translated,
    operation,
    action,
    ...(requestHeaders ? { requestHeaders } : {}),
    ...(responseHeaders ? { responseHeaders } : {}),
    ...(cors ? { cors } : {}),
    ...(fault ? { fault } : {}),
  };
}

function stringMatch(match: IstioMatch): StringMatch {
  if (match.exact !== undefined) return { exact: match.exact };
  if (match.prefix !== undefined) return { prefix: match.prefix };
  if (match.regex !== undefined) return match.regex === '*' ? { present: true } : { regex: match.regex };
  return { present: true };
}

function matchOf(match: HttpMatchRequest | undefined): RouteMatch {
  if (match === undefined) return {};
  const headers = [
    ...Object.entries(match.headers ?? {}).map(([name, value]) => ({
      name: name.toLowerCase(),
      match: stringMatch(value),
    })),
    ...Object.entries(match.withoutHeaders ?? {}).map(([name, value]) => ({
      name: name.toLowerCase(),
      match: stringMatch(value),
      not: true,
    })),
  ];
  const query = Object.entries(match.queryParams ?? {}).map(([name, value]) => ({ name, match: stringMatch(value) }));
  return {
    ...(match.uri ? { path: stringMatch(match.uri) } : {}),
    ...(match.ignoreUriCase ? { ignoreCase: true } : {}),
    ...(match.method ? { method: stringMatch(match.method) } : {}),
    ...(match.authority ? { authority: stringMatch(match.authority) } : {}),
    ...(match.scheme ? { scheme: stringMatch(match.scheme) } : {}),
    ...(headers.length > 0 ? { headers } : {}),
    ...(query.length > 0 ? { query } : {}),
  };
}

function pathOf(match: HttpMatchRequest | undefined): string {
  const uri = match?.uri;
  if (uri?.prefix !== undefined) return `${uri.prefix}*`;
  return uri?.exact ?? uri?.regex ?? '/*';
}

function actionOf(
  http: HttpRoute,
  match: HttpMatchRequest | undefined,
  context: RouteContext,
): { action: RouteAction; operation: string } {
  const fallback = `${context.name}:${context.port}${pathOf(match)}`;
  if (http.redirect) {
    const { redirect } = http;
    const port = redirect.port ?? (redirect.derivePort === 'FROM_REQUEST_PORT' ? context.port : undefined);
    return {
      operation: fallback,
      action: {
        kind: 'redirect',
        status: redirect.redirectCode || 301,
        ...(redirect.scheme ? { scheme: redirect.scheme } : {}),
        ...(redirect.authority ? { authority: redirect.authority } : {}),
        ...(port ? { port } : {}),
        ...(redirect.uri ? { path: redirect.uri } : {}),
      },
    };
  }
  if (http.directResponse) {
    const { status, body } = http.directResponse;
    return {
      operation: fallback,
      action: {
        kind: 'direct',
        status,
        ...(body?.string === undefined ? {} : { body: body.string }),
        ...(body?.bytes === undefined ? {} : { bodyBase64: body.bytes }),
      },
    };
  }
  return forwardOf(http, match, context, fallback);
}

function forwardOf(
  http: HttpRoute,
  match: HttpMatchRequest | undefined,
  context: RouteContext,
  fallback: string,
): { action: ForwardAction; operation: string } {
  const routes = http.route ?? [];
  const targets = routes.map((entry) => ({
    entry,
    target: context.resolve(entry.destination, context.namespace, context.port),
  }));
  const mirrors = [
    ...(http.mirror
      ? [{ destination: http.mirror, percent: http.mirrorPercentage?.value ?? http.mirrorPercent ?? 100 }]
      : []),
    ...(http.mirrors ?? []).map(({ destination, percentage }) => ({ destination, percent: percentage?.value ?? 100 })),
  ].map(({ destination, percent }) => ({
    cluster: context.resolve(destination, context.namespace, context.port).key,
    percent,
  }));
  const { rewrite } = http;
  const only = targets.length === 1 ? targets[0]?.target : undefined;
  const timeoutMs = parseDuration(http.timeout);
  const action: ForwardAction = {
    kind: 'forward',
    destinations: targets.map(({ entry, target }) => {
      const requestHeaders = headersOf(entry.headers, 'request');
      const responseHeaders = headersOf(entry.headers, 'response');
      return {
        cluster: target.key,
        weight: routes.length === 1 ? 100 : (entry.weight ?? 0),
        ...(requestHeaders ? { requestHeaders } : {}),
        ...(responseHeaders ? { responseHeaders } : {}),
      };
    }),
    retry: retryOf(http.retries ?? context.defaultRetry),
    ...(rewrite
      ? {
          rewrite: {
            ...(rewrite.uriRegexRewrite
              ? {
                  regex: { match: rewrite.uriRegexRewrite.match ?? '', rewrite: rewrite.uriRegexRewrite.rewrite ?? '' },
                }
              : rewrite.uri === undefined
                ? {}
                : match?.uri?.prefix !== undefined || match?.uri?.exact !== undefined
                  ? { prefix: rewrite.uri }
                  : match?.uri?.regex === undefined
                    ? { path: rewrite.uri }
                    : {}),
            ...(rewrite.authority ? { authority: rewrite.authority } : {}),
          },
        }
      : {}),
    ...(timeoutMs ? { timeoutMs } : {}),
    ...(mirrors.length > 0 ? { mirrors } : {}),
  };
  return { action, operation: only ? `${only.host}:${only.port}${pathOf(match)}` : fallback };
}

const CONDITIONS: ReadonlySet<string> = new Set<RetryCondition>([
  'connect-failure',
  'refused-stream',
  'reset',
  'reset-before-request',
  '5xx',
  'gateway-error',
  'retriable-4xx',
  'retriable-status-codes',
  'unavailable',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
]);

/** Conditions of `retryOn` that are known; numbers are status codes. */
export function parseRetryOn(text: string): {
  readonly on: RetryCondition[];
  readonly statusCodes: number[];
  readonly unknown: string[];
} {
  const on: RetryCondition[] = [];
  const statusCodes: number[] = [];
  const unknown: string[] = [];
  for (const part of text.split(',').map((entry) => entry.trim())) {
    if (part === '') continue;
    if (/^\d{3}$/.test(part)) statusCodes.push(Number(part));
    else if (CONDITIONS.has(part)) on.push(part as RetryCondition);
    else unknown.push(part);
  }
  if (statusCodes.length > 0 && !on.includes('retriable-status-codes')) on.push('retriable-status-codes');
  return { on, statusCodes, unknown };
}

export function retryOf(retries: HttpRetry | undefined): RetryPolicy {
  if (retries === undefined) return DEFAULT_RETRY;
  const perTryTimeoutMs = parseDuration(retries.perTryTimeout);
  const backoffMs = parseDuration(retries.backoff);
  const conditions = retries.retryOn
    ? parseRetryOn(retries.retryOn)
    : { on: DEFAULT_RETRY.on, statusCodes: DEFAULT_RETRY.statusCodes ?? [] };
  return {
    attempts: retries.attempts ?? 0,
    on: conditions.on,
    ...(conditions.statusCodes.length > 0 ? { statusCodes: conditions.statusCodes } : {}),
    ...(perTryTimeoutMs ? { perTryTimeoutMs } : {}),
    ...(backoffMs ? { backoffMs } : {}),
    ...(retries.retryIgnorePreviousHosts === false ? { ignorePreviousHosts: true } : {}),
  };
}

function headersOf(headers: Headers | undefined, side: 'request' | 'response'): HeaderOperations | undefined {
  const operations = headers?.[side];
  if (operations === undefined) return undefined;
  const lower = (map: Record<string, string> | undefined) =>
    Object.fromEntries(Object.entries(map ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    ...(operations.set ? { set: lower(operations.set) } : {}),
    ...(operations.add ? { add: lower(operations.add) } : {}),
    ...(operations.remove ? { remove: operations.remove.map((name) => name.toLowerCase()) } : {}),
  };
}

function corsOf(http: HttpRoute): Route['cors'] {
  const policy = http.corsPolicy;
  if (policy === undefined) return undefined;
  const maxAge = parseDuration(policy.maxAge);
  const origins =
    policy.allowOrigins?.map(stringMatch) ??
    policy.allowOrigin?.map((origin): StringMatch => (origin === '*' ? { present: true } : { exact: origin })) ??
    [];
  return {
    allowOrigins: origins,
    ...(policy.allowMethods ? { allowMethods: policy.allowMethods } : {}),
    ...(policy.allowHeaders ? { allowHeaders: policy.allowHeaders } : {}),
    ...(policy.exposeHeaders ? { exposeHeaders: policy.exposeHeaders } : {}),
    ...(maxAge === undefined ? {} : { maxAgeSeconds: Math.round(maxAge / 1000) }),
    ...(policy.allowCredentials ? { allowCredentials: true } : {}),
    ...(policy.unmatchedPreflights === 'IGNORE' ? { forwardUnmatchedPreflights: false } : {}),
  };
}

/** gRPC's codes by the names that `abort.grpcStatus` may hold. */
const GRPC_STATUS: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

export function grpcStatusNumber(name: string): number | undefined {
  const index = /^\d+$/.test(name) ? Number(name) : GRPC_STATUS.indexOf(name.toUpperCase());
  return index >= 0 && index < GRPC_STATUS.length ? index : undefined;
}

function faultOf(http: HttpRoute): Route['fault'] {
  const { fault } = http;
  if (fault === undefined) return undefined;
  const delayMs = parseDuration(fault.delay?.fixedDelay);
  const grpc = fault.abort?.grpcStatus === undefined ? undefined : grpcStatusNumber(fault.abort.grpcStatus);
  return {
    ...(fault.delay && delayMs !== undefined
      ? { delay: { ms: delayMs, percent: fault.delay.percentage?.value ?? fault.delay.percent ?? 100 } }
      : {}),
    ...(fault.abort
      ? {
          abort: {
            percent: fault.abort.percentage?.value ?? 100,
            ...(fault.abort.httpStatus === undefined ? {} : { httpStatus: fault.abort.httpStatus }),
            ...(grpc === undefined ? {} : { grpcStatus: grpc }),
          },
        }
      : {}),
  };
}
