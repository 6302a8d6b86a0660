import type { RetryCondition, RetryPolicy } from '../snapshot/routes.ts';
import { getHeader, type HeaderList } from './headers.ts';
import type { UpstreamReset } from './stream.ts';

/**
 * Istio's default (pilot/pkg/networking/core/route/retry/retry.go): two retries, on another endpoint, where the request
 * cannot have been worked on or the answer is 503.
 */
export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 2,
  on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'retriable-status-codes'],
  statusCodes: [503],
};

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);
const GRPC_CODES: Readonly<Partial<Record<RetryCondition, string>>> = {
  cancelled: '1',
  'deadline-exceeded': '4',
  'resource-exhausted': '8',
  internal: '13',
  unavailable: '14',
};
const BASE_BACKOFF_MS = 25;
const MAX_BACKOFF_FACTOR = 10;

/** True when a failed try may be followed by another. */
export function retriesReset(policy: RetryPolicy, reset: UpstreamReset, method: string): boolean {
  if (reset.reason === 'overflow') return false;
  return policy.on.some((condition) => {
    switch (condition) {
      case 'connect-failure':
      case 'reset-before-request':
        // A kept connection that the peer closed as we wrote: nothing was answered, and asking twice does no harm.
        return reset.unsent || (reset.reason === 'connection termination' && IDEMPOTENT.has(method));
      case 'refused-stream':
        return reset.reason === 'remote refused stream reset';
      case 'reset':
      case '5xx':
      case 'gateway-error':
        return true;
      default:
        return false;
    }
  });
}

export function retriesStatus(policy: RetryPolicy, status: number, headers: HeaderList): boolean {
  return policy.on.some((condition) => {
    switch (condition) {
      case '5xx':
        return status >= 500;
      case 'gateway-error':
        return status >= 502 && status <= 504;
      case 'retriable-4xx':
        return status === 409;
      case 'retriable-status-codes':
        return policy.statusCodes?.includes(status) === true;
      default: {
        const code = GRPC_CODES[condition];
        return code !== undefined && getHeader(headers, 'grpc-status') === code;
      }
    }
  });
}

/** Envoy's fully jittered exponential back-off: 0 to base × 2ⁿ, at most ten times the base. */
export function retryDelayMs(policy: RetryPolicy, attempt: number, dice: number): number {
  const base = policy.backoffMs ?? BASE_BACKOFF_MS;
  return dice * Math.min(base * 2 ** attempt, base * MAX_BACKOFF_FACTOR);
}
