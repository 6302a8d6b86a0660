import { createHash } from 'node:crypto';
import {
  type Identity,
  PASSTHROUGH_CLUSTER,
  type RouteTable,
  SNAPSHOT_FORMAT,
  type Snapshot,
  type Workload,
  type WorkloadMetadata,
} from '@kind-e2e/proxy';
import { ISTIO_KINDS } from '../analysis/kinds.ts';
import { validateIstioObject } from '../validation/validate.ts';
import type { IstioObject } from '../world/objects.ts';
import type { World } from '../world/world.ts';
import { ClusterBuilder } from './clusters.ts';
import { type ForwarderOptions, forwardersOf } from './forwarders.ts';
import { type GatewayAddress, gatewayListeners } from './gateways.ts';
import { namesOf } from './names.ts';
import { type OutboundPlan, outboundListeners, planOutbound } from './outbound.ts';
import { buildRegistry, type MeshEndpoint, type MeshService } from './registry.ts';
import { type ClientScope, createScopes, visibleServices } from './scopes.ts';
import { Secrets } from './secrets.ts';
import { type JwksOf, jwtRulesOf, mtlsModeOf, policiesOf } from './security.ts';
import type { TcpAddresses } from './tcp-addresses.ts';
import { telemetryOf } from './telemetry.ts';
import { VirtualServices } from './virtual-services.ts';
import { type PodInfo, podsOf } from './workload-info.ts';
import { inboundPorts, workloadOf } from './workloads.ts';

export interface TranslateOptions {
  readonly tcpAddresses: TcpAddresses;
  /** Certificate of a SPIFFE id. */
  readonly identityOf: (spiffeId: string) => Identity;
  readonly jwksOf: JwksOf;
  readonly gatewayAddresses: readonly GatewayAddress[];
  readonly forwarders: ForwarderOptions;
}

/** The whole data plane from the whole world. Pure but for the addresses that `tcpAddresses` remembers. */
export function translate(given: World, options: TranslateOptions): Snapshot {
  const world = withoutInvalid(given);
  const pods = podsOf(world);
  const registry = buildRegistry(world, pods);
  const proxied = pods.filter((pod) => pod.kind !== 'none');
  const secrets = new Secrets(world);
  const clusters = new ClusterBuilder({ world, registry, secrets, mtlsDisabled: mtlsDisabledOf(world) });
  const virtualServices = new VirtualServices(world, registry, clusters);
  const routeTables: Record<string, RouteTable> = {};
  const scopeOf = createScopes(world);
  const plans = new Map<string, OutboundPlan>();
  const reach = new Map<string, ReadonlySet<MeshService>>();
  const identities: Record<string, Identity> = {};
  const metadata: Record<string, WorkloadMetadata> = {};
  for (const pod of pods) metadata[pod.id] = pod.metadata;
  const visible = (scope: ClientScope): ReadonlySet<MeshService> => {
    let services = reach.get(scope.id);
    if (services === undefined) {
      services = new Set(visibleServices(registry, scope));
      reach.set(scope.id, services);
    }
    return services;
  };
  const planOf = (scope: ClientScope): OutboundPlan => {
    let plan = plans.get(scope.id);
    if (plan === undefined) {
      plan = planOutbound({ world, registry, clusters, virtualServices, scope, routeTables });
      plans.set(scope.id, plan);
    }
    return plan;
  };
  const workloads = proxied.map((pod): Workload => {
    const scope = scopeOf(pod);
    const gateway = pod.kind === 'gateway';
    identities[pod.spiffeId] = options.identityOf(pod.spiffeId);
    return workloadOf(pod, {
      identity: pod.spiffeId,
      inbound: gateway ? [] : inboundPorts(world, registry.values(), pod),
      outbound: gateway ? [] : outboundListeners(planOf(scope), pod, options.tcpAddresses),
      gateways: gateway
        ? gatewayListeners({
            world,
            pod,
            scope,
            virtualServices,
            routeTables,
            secrets,
            hostAddresses: options.gatewayAddresses,
          })
        : [],
      policies: policiesOf(world, pod),
      jwtRules: jwtRulesOf(world, pod, options.jwksOf),
      telemetry: telemetryOf(world, registry, pod),
      outboundPolicy:
        scope.sidecar?.spec?.outboundTrafficPolicy?.mode ?? world.config.outboundTrafficPolicy?.mode ?? 'ALLOW_ANY',
    });
  });
  const sidecars = proxied.filter((pod) => pod.kind === 'sidecar');
  const names = namesOf(
    registry.values(),
    sidecars,
    (pod, service) => visible(scopeOf(pod)).has(service),
    options.tcpAddresses,
  );
  options.tcpAddresses.endRound();
  const body: Omit<Snapshot, 'version'> = {
    format: SNAPSHOT_FORMAT,
    identities: { ...identities, ...secrets.identities },
    metadata,
    workloads,
    routeTables,
    clusters: { ...clusters.clusters, [PASSTHROUGH_CLUSTER]: passthrough },
    forwarders: forwardersOf(registry.values(), options.forwarders),
    names,
    telemetry: telemetryOfMesh(workloads),
  };
  return { ...body, version: createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16) };
}

const validity = new WeakMap<object, boolean>();

/** Objects that Istio's webhook would have refused have no effect; the analysis reports them. */
function withoutInvalid(world: World): World {
  const valid: Partial<Record<keyof World, unknown>> = {};
  for (const { kind, part } of ISTIO_KINDS)
    valid[part] = (world[part] as readonly IstioObject<unknown>[]).filter((object) => {
      let known = validity.get(object);
      if (known === undefined) {
        known = validateIstioObject({ ...object, kind }).length === 0;
        validity.set(object, known);
      }
      return known;
    });
  return { ...world, ...(valid as Partial<World>) };
}

const passthrough = {
  name: PASSTHROUGH_CLUSTER,
  endpoints: [],
  loadBalancer: { kind: 'round-robin' },
  protocol: 'same',
  tls: { mode: 'disable' },
  dynamic: true,
} as const;

/** Collectors that spans of any workload go to. */
function telemetryOfMesh(workloads: readonly Workload[]): Snapshot['telemetry'] {
  const tracing = workloads.find((workload) => (workload.telemetry?.tracing?.zipkinUrls.length ?? 0) > 0)?.telemetry
    ?.tracing;
  return tracing ? { tracing } : {};
}

/** Endpoints whose PeerAuthentication turns mutual TLS off take plain text only. */
function mtlsDisabledOf(world: World): (endpoint: MeshEndpoint) => boolean {
  const modes = new Map<PodInfo, ReturnType<typeof mtlsModeOf>>();
  return (endpoint) => {
    if (endpoint.pod === undefined) return false;
    let mode = modes.get(endpoint.pod);
    if (mode === undefined) {
      mode = mtlsModeOf(world, endpoint.pod);
      modes.set(endpoint.pod, mode);
    }
    return mode(endpoint.port) === 'DISABLE';
  };
}
