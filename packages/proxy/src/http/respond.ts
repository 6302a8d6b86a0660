import type { ResponseFlag } from './flags.ts';
import type { HeaderList } from './headers.ts';
import type { UpstreamReset } from './stream.ts';

/** An answer the proxy makes itself. All of them are made here, worded as Envoy words them. */
export interface LocalReply {
  readonly status: number;
  readonly body: string;
  readonly flag?: ResponseFlag;
  /** Envoy's response code details, for the access log. */
  readonly details: string;
  readonly headers?: HeaderList;
  readonly grpcStatus?: number;
}

export const noHealthyUpstream: LocalReply = {
  status: 503,
  body: 'no healthy upstream',
  flag: 'UH',
  details: 'no_healthy_upstream',
};

export const noRoute: LocalReply = { status: 404, body: '', flag: 'NR', details: 'route_not_found' };

/** Istio's BlackHoleCluster: the registry is all there is, and the host is not in it. */
export const blackHole: LocalReply = { status: 502, body: '', flag: 'NR', details: 'direct_response' };

export const clusterNotFound: LocalReply = { status: 503, body: '', flag: 'NC', details: 'cluster_not_found' };

export const upstreamTimeout: LocalReply = {
  status: 504,
  body: 'upstream request timeout',
  flag: 'UT',
  details: 'response_timeout',
};

export const perTryTimeout: LocalReply = {
  status: 504,
  body: 'upstream request timeout',
  flag: 'UT',
  details: 'upstream_per_try_timeout',
};

export function rbacDenied(policy: string): LocalReply {
  return { status: 403, body: 'RBAC: access denied', details: `rbac_access_denied_matched_policy[${policy}]` };
}

export function jwtDenied(message: string): LocalReply {
  return {
    status: 401,
    body: message,
    flag: 'UAEX',
    details: `jwt_authn_access_denied{${message.replaceAll(' ', '_')}}`,
  };
}

export function faultAbort(status: number, grpcStatus: number | undefined): LocalReply {
  const reply = { status, body: 'fault filter abort', flag: 'FI', details: 'fault_filter_abort' } as const;
  return grpcStatus === undefined ? reply : { ...reply, grpcStatus };
}

export const upgradeFailed: LocalReply = { status: 403, body: '', details: 'upgrade_failed' };

export const payloadTooLarge: LocalReply = {
  status: 413,
  body: 'Payload Too Large',
  details: 'request_payload_too_large',
};

export function badPath(details: string): LocalReply {
  return { status: 400, body: '', details };
}

const RESET_FLAGS: Readonly<Record<UpstreamReset['reason'], ResponseFlag>> = {
  'remote connection failure': 'UF',
  'connection timeout': 'UF',
  'connection termination': 'UC',
  overflow: 'UO',
  'protocol error': 'UPE',
  'remote reset': 'UR',
  'remote refused stream reset': 'UR',
  'local reset': 'UC',
};

export function flagOfReset(reset: UpstreamReset): ResponseFlag {
  return RESET_FLAGS[reset.reason];
}

/** Envoy's words for an upstream that failed before it answered. */
export function upstreamReset(reset: UpstreamReset, afterRetries: boolean): LocalReply {
  const failure = reset.transportFailure;
  const detail = `${reset.reason.replaceAll(' ', '_')}${failure ? `|${failure.replaceAll(' ', '_')}` : ''}`;
  if (reset.reason === 'overflow')
    return {
      status: 503,
      body: 'upstream connect error or disconnect/reset before headers. reset reason: overflow',
      flag: 'UO',
      details: 'upstream_reset_before_response_started{overflow}',
      headers: ['x-envoy-overloaded', 'true'],
    };
  return {
    status: reset.reason === 'protocol error' ? 502 : 503,
    body:
      `upstream connect error or disconnect/reset before headers. ${afterRetries ? 'retried and the latest ' : ''}` +
      `reset reason: ${reset.reason}${failure ? `, transport failure reason: ${failure}` : ''}`,
    flag: flagOfReset(reset),
    details: `upstream_reset_before_response_started{${detail}}`,
  };
}

/** gRPC's status for an HTTP one (Envoy's grpc/status.cc). */
export function grpcStatusOf(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}
