import type { ForwardAction, RouteDestination } from '../snapshot/routes.ts';
import { getHeader, type HeaderList } from './headers.ts';
import { Mirror } from './mirror.ts';
import type { ProxyContext } from './role.ts';
import type { RequestHead } from './stream.ts';

/** One of several destinations, by their weights. */
export function chooseDestination(
  destinations: readonly RouteDestination[],
  total: number,
  dice: () => number,
): RouteDestination | undefined {
  if (destinations.length <= 1) return destinations[0];
  let point = dice() * total;
  for (const destination of destinations) {
    point -= destination.weight;
    if (point < 0) return destination;
  }
  return destinations.at(-1);
}

/** Begins the copies of a request that its route asks for. */
export function startMirrors(action: ForwardAction, head: RequestHead, proxy: ProxyContext): Mirror[] | undefined {
  let started: Mirror[] | undefined;
  for (const mirror of action.mirrors ?? []) {
    if (proxy.random() * 100 >= mirror.percent) continue;
    const cluster = proxy.cluster(mirror.cluster);
    const endpoint = cluster?.pick({ hashKey: undefined, tried: undefined });
    if (!cluster || !endpoint) continue;
    started ??= [];
    started.push(new Mirror(cluster, endpoint, head));
  }
  return started;
}

/** The caller may set a shorter or longer limit (Envoy's x-envoy-upstream-rq-timeout-ms). */
export function timeoutOf(headers: HeaderList, routeMs: number | undefined): number {
  const asked = getHeader(headers, 'x-envoy-upstream-rq-timeout-ms');
  if (asked !== undefined && /^\d{1,9}$/.test(asked)) return Number(asked);
  return routeMs ?? 0;
}
