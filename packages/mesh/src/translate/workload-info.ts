import type { WorkloadMetadata } from '@kind-e2e/proxy';
import { canonicalNameOf, canonicalRevisionOf, STATUS_ANNOTATION, workloadNameOf } from '../inject/sidecar-injector.ts';
import type { PodLike } from '../world/objects.ts';
import { labelsMatch, nameOf, namespaceOf, type World } from '../world/world.ts';

/** A pod as the mesh sees it. */
export interface PodInfo {
  readonly pod: PodLike;
  /** Key in the snapshot's metadata: `namespace/name`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly kind: 'sidecar' | 'gateway' | 'none';
  readonly terminating: boolean;
  readonly spiffeId: string;
  readonly metadata: WorkloadMetadata;
}

export const CLUSTER_ID = 'Kubernetes';

/** Pods with an address that have not ended. */
export function podsOf(world: World): PodInfo[] {
  const found: PodInfo[] = [];
  const localities = new Map(world.nodes.map((node) => [nameOf(node), localityOf(node.metadata?.labels ?? {})]));
  for (const pod of world.pods) {
    const address = pod.status?.podIP;
    const phase = pod.status?.phase;
    if (!address || pod.spec?.hostNetwork === true || phase === 'Succeeded' || phase === 'Failed') continue;
    const namespace = namespaceOf(pod);
    const name = nameOf(pod);
    const labels = pod.metadata?.labels ?? {};
    const workload = workloadNameOf(pod);
    const spiffeId = `spiffe://${world.config.trustDomain ?? 'cluster.local'}/ns/${namespace}/sa/${pod.spec?.serviceAccountName ?? 'default'}`;
    const id = `${namespace}/${name}`;
    const locality = labels['istio-locality']?.replaceAll('.', '/') ?? localities.get(pod.spec?.nodeName ?? '');
    found.push({
      pod,
      id,
      namespace,
      name,
      address,
      labels,
      kind: kindOf(world, pod, labels, namespace),
      terminating: pod.metadata?.deletionTimestamp !== undefined,
      spiffeId,
      metadata: {
        address,
        name,
        namespace,
        ...(pod.metadata?.uid ? { uid: pod.metadata.uid } : {}),
        workload,
        app: labels.app ?? labels['app.kubernetes.io/name'] ?? labels['service.istio.io/canonical-name'] ?? workload,
        version: labels.version ?? labels['app.kubernetes.io/version'] ?? 'unknown',
        canonicalService: canonicalNameOf(labels, workload),
        canonicalRevision: canonicalRevisionOf(labels),
        spiffeId,
        cluster: CLUSTER_ID,
        ...(locality ? { locality } : {}),
      },
    });
  }
  return found;
}

/** A gateway is what a Gateway selects, what the gateway template made, or what bears the label of the usual one. */
function kindOf(
  world: World,
  pod: PodLike,
  labels: Readonly<Record<string, string>>,
  namespace: string,
): PodInfo['kind'] {
  const annotations = pod.metadata?.annotations ?? {};
  if (annotations[STATUS_ANNOTATION] !== undefined) return 'sidecar';
  if (annotations['inject.istio.io/templates'] === 'gateway') return 'gateway';
  const isOfRoot = namespace === (world.config.rootNamespace ?? 'istio-system');
  if (isOfRoot && /(?:^|-)(?:ingress|egress)gateway$/.test(labels.istio ?? '')) return 'gateway';
  const selected = world.gateways.some(
    ({ spec }) => Object.keys(spec?.selector ?? {}).length > 0 && labelsMatch(spec?.selector, labels),
  );
  return selected ? 'gateway' : 'none';
}

export function localityOf(labels: Readonly<Record<string, string>>): string | undefined {
  const region = labels['topology.kubernetes.io/region'];
  if (region === undefined) return undefined;
  const zone = labels['topology.kubernetes.io/zone'];
  const subzone = labels['topology.istio.io/subzone'];
  return [region, zone, zone === undefined ? undefined : subzone].filter((part) => part !== undefined).join('/');
}
