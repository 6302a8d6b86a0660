import type { OutlierDetection } from '../snapshot/clusters.ts';
import type { EndpointState } from './endpoint.ts';

// Defaults of Istio's OutlierDetection, which are Envoy's.
const DEFAULT_CONSECUTIVE = 5;
const DEFAULT_BASE_EJECTION_MS = 30_000;
const DEFAULT_MAX_EJECTION_PERCENT = 10;
const MAX_EJECTION_MS = 300_000;

export type Outcome = { readonly status: number } | 'local-failure';

/** Counts what came of a try and ejects an endpoint that fails too often. True when it was ejected now. */
export function recordOutcome(
  endpoint: EndpointState,
  outcome: Outcome,
  settings: OutlierDetection,
  endpoints: readonly EndpointState[],
  now: number,
): boolean {
  const local = outcome === 'local-failure';
  const split = settings.splitLocalOrigin === true;
  const status = local ? 503 : outcome.status;
  if (local && split) endpoint.consecutiveLocalFailures++;
  else {
    if (!local && split) endpoint.consecutiveLocalFailures = 0;
    endpoint.consecutive5xx = status >= 500 ? endpoint.consecutive5xx + 1 : 0;
    endpoint.consecutiveGatewayErrors = status >= 502 && status <= 504 ? endpoint.consecutiveGatewayErrors + 1 : 0;
  }
  const limit5xx = settings.consecutive5xx ?? DEFAULT_CONSECUTIVE;
  const limitGateway = settings.consecutiveGatewayErrors ?? 0;
  const limitLocal = settings.consecutiveLocalOriginFailures ?? DEFAULT_CONSECUTIVE;
  const guilty =
    (limit5xx > 0 && endpoint.consecutive5xx >= limit5xx) ||
    (limitGateway > 0 && endpoint.consecutiveGatewayErrors >= limitGateway) ||
    (split && limitLocal > 0 && endpoint.consecutiveLocalFailures >= limitLocal);
  if (!guilty || endpoint.ejectedUntil > 0) return false;
  const ejected = endpoints.filter((other) => other.ejectedUntil > 0).length;
  const most = Math.max(
    1,
    Math.floor((endpoints.length * (settings.maxEjectionPercent ?? DEFAULT_MAX_EJECTION_PERCENT)) / 100),
  );
  if (ejected >= most) return false;
  const healthyAfter = endpoints.filter((other) => other.isHealthy()).length - 1;
  if ((healthyAfter / endpoints.length) * 100 < (settings.minHealthPercent ?? 0)) return false;
  endpoint.ejections++;
  endpoint.ejectedUntil =
    now + Math.min(MAX_EJECTION_MS, (settings.baseEjectionMs ?? DEFAULT_BASE_EJECTION_MS) * endpoint.ejections);
  endpoint.consecutive5xx = 0;
  endpoint.consecutiveGatewayErrors = 0;
  endpoint.consecutiveLocalFailures = 0;
  return true;
}

/** Lets endpoints back whose time is over; one that behaved for an interval is forgiven one ejection. */
export function releaseEjected(endpoints: readonly EndpointState[], now: number): void {
  for (const endpoint of endpoints)
    if (endpoint.ejectedUntil > 0 && endpoint.ejectedUntil <= now) endpoint.ejectedUntil = 0;
}
