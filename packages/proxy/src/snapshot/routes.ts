import type { ServiceName, WeightedCluster } from './snapshot.ts';

/** Requests of one listener: virtual hosts by domain, each with routes of which the first match wins. */
export interface RouteTable {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHost[];
}

export interface VirtualHost {
  readonly name: string;
  /** `host`, `host:port`, `*.suffix`, `prefix.*` or `*`; the most precise wins, case does not matter. */
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
  readonly service?: ServiceName;
}

export type StringMatch =
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly present: true };

export interface RouteMatch {
  /** `prefix` as Envoy's: any path that begins with it. `pathPrefix`: whole segments only. */
  readonly path?: StringMatch | { readonly pathPrefix: string };
  readonly ignoreCase?: boolean;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly scheme?: StringMatch;
  readonly port?: number;
  /** Lower-case names; each must match. */
  readonly headers?: readonly HeaderMatch[];
  readonly query?: readonly { readonly name: string; readonly match: StringMatch }[];
}

export interface HeaderMatch {
  readonly name: string;
  readonly match: StringMatch;
  readonly not?: boolean;
}

export interface Route {
  readonly name?: string;
  readonly match: RouteMatch;
  /** Name of the span, `host:port/path*`. */
  readonly operation: string;
  readonly action: RouteAction;
  readonly requestHeaders?: HeaderOperations;
  readonly responseHeaders?: HeaderOperations;
  readonly cors?: CorsPolicy;
  readonly fault?: FaultPolicy;
}

export type RouteAction =
  | ForwardAction
  | {
      readonly kind: 'redirect';
      readonly status: number;
      readonly scheme?: string;
      readonly authority?: string;
      readonly port?: number;
      /** Replaces the whole path; `%PREFIX()%` within stands for the rest behind the matched prefix. */
      readonly path?: string;
    }
  | { readonly kind: 'direct'; readonly status: number; readonly body?: string; readonly bodyBase64?: string };

export interface ForwardAction {
  readonly kind: 'forward';
  readonly destinations: readonly RouteDestination[];
  readonly rewrite?: {
    readonly path?: string;
    /** Replaces the matched prefix. */
    readonly prefix?: string;
    readonly regex?: { readonly match: string; readonly rewrite: string };
    readonly authority?: string;
  };
  /** Whole request, retries included; 0 or absent: none. */
  readonly timeoutMs?: number;
  readonly retry?: RetryPolicy;
  readonly mirrors?: readonly { readonly cluster: string; readonly percent: number }[];
}

export interface RouteDestination extends WeightedCluster {
  readonly requestHeaders?: HeaderOperations;
  readonly responseHeaders?: HeaderOperations;
  readonly authority?: string;
}

export type RetryCondition =
  | 'connect-failure'
  | 'refused-stream'
  | 'reset'
  | 'reset-before-request'
  | '5xx'
  | 'gateway-error'
  | 'retriable-4xx'
  | 'retriable-status-codes'
  | 'unavailable'
  | 'cancelled'
  | 'deadline-exceeded'
  | 'internal'
  | 'resource-exhausted';

export interface RetryPolicy {
  /** Retries after the first try. */
  readonly attempts: number;
  readonly perTryTimeoutMs?: number;
  readonly on: readonly RetryCondition[];
  readonly statusCodes?: readonly number[];
  /** Base of the back-off, default 25 ms. */
  readonly backoffMs?: number;
  /** Also retry on an endpoint that failed before. */
  readonly ignorePreviousHosts?: boolean;
}

/** Names in lower case. A value may hold Envoy's `%REQ(name)%` and its kin. */
export interface HeaderOperations {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface CorsPolicy {
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAgeSeconds?: number;
  readonly allowCredentials?: boolean;
  readonly forwardUnmatchedPreflights?: boolean;
}

export interface FaultPolicy {
  readonly delay?: { readonly percent: number; readonly ms: number };
  readonly abort?: { readonly percent: number; readonly httpStatus?: number; readonly grpcStatus?: number };
}
