import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isRecord,
  type KubeObject,
  type Quantity,
} from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { type Json, recordsIn } from './pod-parts.ts';
import { podResources, quantityOf, type Resources } from './pod-resources.ts';
import { inScopes } from './quota-scopes.ts';
import { forbiddenBy } from './refusal.ts';

const ZERO: Quantity = { nano: 0n, format: 'DecimalSI' };
const ONE: Quantity = { nano: 1_000_000_000n, format: 'DecimalSI' };

/** Kinds with a short name in quotas, beside `count/<resource>.<group>`. */
const SHORT_COUNTS: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
]);
/** Resources of a pod that a quota makes obligatory on each container. */
const OBLIGATORY: ReadonlySet<string> = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);

/**
 * Refuses what would exceed a ResourceQuota (plugin/resourcequota). What is used is counted from the objects
 * themselves; `status.used` is the quota controller's.
 */
export function resourceQuota(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    validate({ resource, operation, subresource, object, old }) {
      if (operation === 'DELETE' || subresource !== '' || !resource.definition.namespaced) return;
      const namespace = object.metadata?.namespace ?? '';
      const quotas = store.collection('resourcequotas');
      if (quotas.sizeOf(namespace) === 0) return;
      const wanted = usageOf(resource, object);
      const before = operation === 'UPDATE' && old ? usageOf(resource, old) : new Map<string, Quantity>();
      for (const record of quotas.list(namespace)) {
        const spec = sectionOf(record.object, 'spec');
        const hard = isRecord(spec.hard) ? spec.hard : {};
        if (!inScopes(spec, resource.collection, object)) continue;
        if (resource.collection === 'pods' && operation === 'CREATE')
          checkObligatory(resource, object, record.name, hard);
        checkQuota(store, resource, object, record.name, spec, hard, wanted, before);
      }
    },
  };
}

function checkQuota(
  store: ObjectStore,
  resource: ServedResource,
  object: KubeObject,
  quota: string,
  spec: Json,
  hard: Json,
  wanted: Resources,
  before: Resources,
): void {
  const exceeded: string[] = [];
  const used = usedIn(store, resource, object.metadata?.namespace ?? '', spec);
  for (const name of Object.keys(hard).sort()) {
    const request = wanted.get(name);
    if (!request) continue;
    const delta: Quantity = { ...request, nano: request.nano - (before.get(name) ?? ZERO).nano };
    if (delta.nano <= 0n) continue;
    const total = addQuantities(used.get(name) ?? ZERO, delta);
    if (compareQuantities(total, quantityOf(hard[name])) > 0) exceeded.push(name);
  }
  if (exceeded.length === 0) return;
  const show = (amounts: (name: string) => Quantity): string =>
    exceeded.map((name) => `${name}=${formatQuantity(amounts(name))}`).join(',');
  throw forbiddenBy(
    resource,
    object,
    `exceeded quota: ${quota}, requested: ${show((name) => wanted.get(name) ?? ZERO)}, used: ${show((name) => used.get(name) ?? ZERO)}, limited: ${show((name) => quantityOf(hard[name]))}`,
  );
}

function usedIn(store: ObjectStore, resource: ServedResource, namespace: string, spec: Json): Resources {
  const total: Resources = new Map();
  for (const record of store.collection(resource.collection).records(namespace)) {
    if (!inScopes(spec, resource.collection, record.object)) continue;
    for (const [name, amount] of usageOf(resource, record.object))
      total.set(name, addQuantities(total.get(name) ?? ZERO, amount));
  }
  return total;
}

/** What one object uses, by the names that quotas have for it. */
function usageOf(resource: ServedResource, object: KubeObject): Resources {
  const { group, plural } = resource.definition;
  const usage: Resources = new Map([[group === '' ? `count/${plural}` : `count/${plural}.${group}`, ONE]]);
  if (resource.collection === 'pods') {
    const { phase } = sectionOf(object, 'status');
    if (phase === 'Succeeded' || phase === 'Failed') return usage;
    usage.set('pods', ONE);
    const { requests, limits } = podResources(object);
    for (const [name, amount] of requests) {
      usage.set(`requests.${name}`, amount);
      usage.set(name, amount);
    }
    for (const [name, amount] of limits) usage.set(`limits.${name}`, amount);
    return usage;
  }
  if (SHORT_COUNTS.has(resource.collection)) usage.set(resource.collection, ONE);
  const spec = sectionOf(object, 'spec');
  if (resource.collection === 'services') {
    const ports = { ...ONE, nano: ONE.nano * BigInt(recordsIn(spec, 'ports').length) };
    if (spec.type === 'LoadBalancer') usage.set('services.loadbalancers', ONE);
    if (spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false))
      usage.set('services.nodeports', ports);
  }
  if (resource.collection === 'persistentvolumeclaims') {
    const requests = isRecord(spec.resources) && isRecord(spec.resources.requests) ? spec.resources.requests : {};
    const storage = quantityOf(requests.storage);
    usage.set('requests.storage', storage);
    if (typeof spec.storageClassName === 'string') {
      usage.set(`${spec.storageClassName}.storageclass.storage.k8s.io/requests.storage`, storage);
      usage.set(`${spec.storageClassName}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
    }
  }
  return usage;
}

/** A quota on CPU or memory wants each container to say how much. */
function checkObligatory(resource: ServedResource, pod: KubeObject, quota: string, hard: Json): void {
  const missing = new Map<string, string[]>();
  const spec = sectionOf(pod, 'spec');
  for (const name of Object.keys(hard).sort()) {
    if (!OBLIGATORY.has(name)) continue;
    const [part, key] = name.startsWith('limits.')
      ? ['limits', name.slice(7)]
      : ['requests', name.replace('requests.', '')];
    for (const container of [...recordsIn(spec, 'containers'), ...recordsIn(spec, 'initContainers')]) {
      const own = isRecord(container.resources) ? container.resources[part ?? ''] : undefined;
      if (isRecord(own) && own[key ?? ''] !== undefined) continue;
      missing.set(name, [...(missing.get(name) ?? []), String(container.name)]);
    }
  }
  if (missing.size === 0) return;
  const text = [...missing].map(([name, containers]) => `${name} for: ${containers.join(',')}`).join('; ');
  throw forbiddenBy(resource, pod, `failed quota: ${quota}: must specify ${text}`);
}
