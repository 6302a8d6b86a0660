import type { LoadBalancer, LocalityPolicy } from '../snapshot/clusters.ts';
import type { EndpointState } from './endpoint.ts';

export interface Choice {
  readonly random: () => number;
  /** Key of consistent hashing, where the policy has one and the request too. */
  readonly hashKey: string | undefined;
  /** Endpoints tried already. */
  readonly tried: ReadonlySet<EndpointState> | undefined;
  readonly callerLocality: string | undefined;
}

/** Envoy's overprovisioning factor: a priority takes all traffic while 1/1.4 of it is healthy. */
const OVERPROVISIONING = 1.4;

/** Picks endpoints; keeps the turn of round robin. */
export class Balancer {
  #turn = 0;

  pick(
    endpoints: readonly EndpointState[],
    policy: LoadBalancer,
    locality: LocalityPolicy | undefined,
    choice: Choice,
  ): EndpointState | undefined {
    let healthy = endpoints.filter((endpoint) => endpoint.isHealthy());
    if (healthy.length === 0) return undefined;
    if (locality) healthy = byLocality(endpoints, healthy, locality, choice);
    const { tried } = choice;
    if (tried && tried.size > 0) {
      const fresh = healthy.filter((endpoint) => !tried.has(endpoint));
      if (fresh.length > 0) healthy = fresh;
    }
    if (healthy.length === 1) return healthy[0];
    switch (policy.kind) {
      case 'random':
        return weightedRandom(healthy, choice.random());
      case 'round-robin':
        return this.#inTurn(healthy);
      case 'least-request':
        return this.#leastRequest(healthy);
      case 'hash':
        return choice.hashKey === undefined
          ? weightedRandom(healthy, choice.random())
          : byHash(healthy, choice.hashKey);
    }
  }

  #inTurn(endpoints: readonly EndpointState[]): EndpointState | undefined {
    if (endpoints.every((endpoint) => endpoint.weight === endpoints[0]?.weight))
      return endpoints[this.#turn++ % endpoints.length];
    let total = 0;
    let best: EndpointState | undefined;
    for (const endpoint of endpoints) {
      endpoint.currentWeight += endpoint.weight;
      total += endpoint.weight;
      if (best === undefined || endpoint.currentWeight > best.currentWeight) best = endpoint;
    }
    if (best) best.currentWeight -= total;
    return best;
  }

  /** Fewest running requests for its weight; equals take turns, so that a quiet service is spread evenly. */
  #leastRequest(endpoints: readonly EndpointState[]): EndpointState | undefined {
    const start = this.#turn++;
    let best: EndpointState | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[(start + i) % endpoints.length];
      if (endpoint === undefined || endpoint.weight <= 0) continue;
      const load = endpoint.weight === 1 ? endpoint.activeRequests : (endpoint.activeRequests + 1) / endpoint.weight;
      if (load >= bestLoad) continue;
      best = endpoint;
      bestLoad = load;
      if (load === 0) break;
    }
    return best;
  }
}

function weightedRandom(endpoints: readonly EndpointState[], dice: number): EndpointState | undefined {
  let total = 0;
  for (const endpoint of endpoints) total += endpoint.weight;
  let point = dice * total;
  for (const endpoint of endpoints) {
    point -= endpoint.weight;
    if (point < 0) return endpoint;
  }
  return endpoints.at(-1);
}

/** Rendezvous hashing: each key keeps its endpoint while that lives, and only the keys of a lost one move. */
function byHash(endpoints: readonly EndpointState[], key: string): EndpointState | undefined {
  let best: EndpointState | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const endpoint of endpoints) {
    const unit = (hash32(`${endpoint.key}\n${key}`) + 0.5) / 0x1_0000_0000;
    const score = -endpoint.weight / Math.log(unit);
    if (score <= bestScore) continue;
    best = endpoint;
    bestScore = score;
  }
  return best;
}

/** FNV-1a, finished as in MurmurHash3 so that near keys part. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function byLocality(
  all: readonly EndpointState[],
  healthy: readonly EndpointState[],
  policy: LocalityPolicy,
  choice: Choice,
): EndpointState[] {
  const caller = choice.callerLocality ?? '';
  const distribution = policy.distribute?.find((entry) => localityMatches(entry.from, caller));
  if (distribution) return distributed(healthy, distribution.to, choice.random());
  const priorityOf = (endpoint: EndpointState): number => priority(caller, endpoint.config.locality ?? '', policy);
  let left = choice.random();
  const levels = [...new Set(all.map(priorityOf))].sort((a, b) => a - b);
  for (const level of levels) {
    const members = healthy.filter((endpoint) => priorityOf(endpoint) === level);
    if (members.length === 0) continue;
    const total = all.reduce((count, endpoint) => count + (priorityOf(endpoint) === level ? 1 : 0), 0);
    const share = Math.min(1, (members.length / total) * OVERPROVISIONING);
    if (left < share || level === levels.at(-1)) return members;
    left = (left - share) / (1 - share);
  }
  return [...healthy];
}

function distributed(
  healthy: readonly EndpointState[],
  to: Readonly<Record<string, number>>,
  dice: number,
): EndpointState[] {
  const groups = Object.entries(to)
    .map(([locality, weight]) => ({
      weight,
      members: healthy.filter((endpoint) => localityMatches(locality, endpoint.config.locality ?? '')),
    }))
    .filter((group) => group.members.length > 0 && group.weight > 0);
  const total = groups.reduce((sum, group) => sum + group.weight, 0);
  let point = dice * total;
  for (const group of groups) {
    point -= group.weight;
    if (point < 0) return group.members;
  }
  return groups.at(-1)?.members ?? [];
}

/** `region/zone/*` and `*` are allowed on the left. */
function localityMatches(pattern: string, locality: string): boolean {
  if (pattern === '*' || pattern === locality) return true;
  if (pattern.endsWith('/*')) return locality.startsWith(pattern.slice(0, -1)) || locality === pattern.slice(0, -2);
  return locality.startsWith(`${pattern}/`);
}

/** Istio's order: same subzone, zone, region, the region named for failover, anywhere. */
function priority(caller: string, endpoint: string, policy: LocalityPolicy): number {
  const [region = '', zone = '', subzone = ''] = caller.split('/');
  const [otherRegion = '', otherZone = '', otherSubzone = ''] = endpoint.split('/');
  if (region === otherRegion) {
    if (zone !== otherZone) return 2;
    return subzone === otherSubzone ? 0 : 1;
  }
  const failover = policy.failover?.find((entry) => entry.from === region);
  return failover?.to === otherRegion ? 3 : 4;
}
