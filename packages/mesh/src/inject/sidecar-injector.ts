import type { GroupVersionResource, KubeObject } from '@kind-e2e/kube-api';
import type { PodLike } from '../world/objects.ts';
import { mergedScrapeAnnotations } from './metrics-merging.ts';

/** What the API server tells a mutator; the part of it that counts here. */
export interface InjectionRequest {
  readonly resource: GroupVersionResource;
  readonly operation: 'CREATE' | 'UPDATE';
  readonly namespaceObject?: KubeObject;
  readonly object: KubeObject;
}

export const STATUS_ANNOTATION = 'sidecar.istio.io/status';
const INJECT_LABEL = 'sidecar.istio.io/inject';
const REVISION = 'default';

/** What Istio's webhook leaves behind; kubelet and mesh take it as the mark of an injected pod. */
const STATUS = JSON.stringify({
  initContainers: ['istio-init'],
  containers: ['istio-proxy'],
  volumes: [
    'workload-socket',
    'credential-socket',
    'workload-certs',
    'istio-envoy',
    'istio-data',
    'istio-podinfo',
    'istio-token',
    'istiod-ca-cert',
  ],
  imagePullSecrets: null,
  revision: REVISION,
});

/**
 * The mutating webhook of Istio as a function: marks new pods of injected namespaces. Who decides (Istio's
 * webhook selectors and `injectRequired`): hostNetwork never; the pod's label; the namespace's.
 */
export function sidecarInjector(request: InjectionRequest): KubeObject | undefined {
  if (request.operation !== 'CREATE' || request.resource.group !== '' || request.resource.resource !== 'pods')
    return undefined;
  const pod = request.object as KubeObject & PodLike;
  if (!isInjectionWanted(pod, request.namespaceObject)) return undefined;
  const metadata = pod.metadata ?? {};
  const labels = { ...metadata.labels };
  const owner = workloadNameOf(pod);
  labels['security.istio.io/tlsMode'] ??= 'istio';
  labels['service.istio.io/canonical-name'] ??= canonicalNameOf(labels, owner);
  labels['service.istio.io/canonical-revision'] ??= canonicalRevisionOf(labels);
  metadata.labels = labels;
  metadata.annotations = {
    ...metadata.annotations,
    ...mergedScrapeAnnotations(metadata.annotations ?? {}),
    [STATUS_ANNOTATION]: STATUS,
    'istio.io/rev': REVISION,
  };
  pod.metadata = metadata;
  return pod;
}

function isInjectionWanted(pod: KubeObject & PodLike, namespace: KubeObject | undefined): boolean {
  if (pod.spec?.hostNetwork === true) return false;
  const { labels = {}, annotations = {} } = pod.metadata ?? {};
  if (annotations['inject.istio.io/templates'] === 'gateway') return false;
  if (annotations[STATUS_ANNOTATION] !== undefined) return false;
  const asked = labels[INJECT_LABEL] ?? annotations[INJECT_LABEL];
  if (asked !== undefined) return asked === 'true';
  const ofNamespace = namespace?.metadata?.labels ?? {};
  if (ofNamespace['istio-injection'] !== undefined) return ofNamespace['istio-injection'] === 'enabled';
  return ofNamespace['istio.io/rev'] !== undefined;
}

/** Istio's order for the name of the canonical service. */
export function canonicalNameOf(labels: Readonly<Record<string, string>>, workload: string): string {
  return labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels.app ?? workload;
}

export function canonicalRevisionOf(labels: Readonly<Record<string, string>>): string {
  return (
    labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version'] ?? labels.version ?? 'latest'
  );
}

/**
 * The name of what owns a pod, as Istio derives it (kubemesh `GetDeployMetaFromPod`): a ReplicaSet of a Deployment and
 * a Job of a CronJob lose their suffix.
 */
export function workloadNameOf(pod: PodLike): string {
  const { metadata } = pod;
  const named = metadata?.labels?.['service.istio.io/workload-name'];
  if (named !== undefined) return named;
  const owner = metadata?.ownerReferences?.find((reference) => reference.controller === true);
  const own = metadata?.name ?? (metadata?.generateName ?? '').replace(/-$/, '');
  if (owner === undefined) return own;
  if (owner.kind === 'ReplicaSet') {
    const hash = metadata?.labels?.['pod-template-hash'];
    return hash !== undefined && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner.name;
  }
  if (owner.kind === 'Job') return owner.name.replace(/-\d{8,}$/, '');
  return owner.name;
}
