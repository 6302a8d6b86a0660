/** Defaults of the rest of the core group (`pkg/apis/core/v1/defaults.go`). */

import { ensureRecord, recordAt, recordsAt, setDefault, setNumberDefault, stringAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { canonicalQuantity } from '../values/quantity.ts';
import { defaultPodSpec, defaultVolumeSource } from './pod.ts';

export function defaultService(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'sessionAffinity', 'None');
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    const config = ensureRecord(ensureRecord(spec, 'sessionAffinityConfig'), 'clientIP');
    setDefault(config, 'timeoutSeconds', 10_800);
  }
  setDefault(spec, 'type', 'ClusterIP');
  for (const port of recordsAt(spec, 'ports')) {
    setDefault(port, 'protocol', 'TCP');
    if (port.targetPort === undefined || port.targetPort === null || port.targetPort === 0 || port.targetPort === '')
      port.targetPort = port.port ?? 0;
  }
  const isExternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (isExternal) setDefault(spec, 'externalTrafficPolicy', 'Cluster');
  if (isExternal || spec.type === 'ClusterIP') setDefault(spec, 'internalTrafficPolicy', 'Cluster');
  if (spec.type === 'LoadBalancer') setDefault(spec, 'allocateLoadBalancerNodePorts', true);
  for (const ingress of recordsAt(recordAt(recordAt(object, 'status'), 'loadBalancer'), 'ingress'))
    if (stringAt(ingress, 'ip') !== '') setDefault(ingress, 'ipMode', 'VIP');
}

export function defaultSecret(object: JsonRecord): void {
  setDefault(object, 'type', 'Opaque');
}

export function defaultNamespace(object: JsonRecord): void {
  setDefault(ensureRecord(object, 'status'), 'phase', 'Active');
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  if (name === '') return;
  const labels = ensureRecord(ensureRecord(object, 'metadata'), 'labels');
  labels['kubernetes.io/metadata.name'] = name;
}

export function defaultPersistentVolume(object: JsonRecord): void {
  setDefault(ensureRecord(object, 'status'), 'phase', 'Pending');
  const spec = ensureRecord(object, 'spec');
  setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain');
  setDefault(spec, 'volumeMode', 'Filesystem');
  const hostPath = recordAt(spec, 'hostPath');
  if (hostPath !== undefined && (hostPath.type === undefined || hostPath.type === null)) hostPath.type = '';
  defaultVolumeSource(spec);
}

export function defaultPersistentVolumeClaim(object: JsonRecord): void {
  setDefault(ensureRecord(object, 'status'), 'phase', 'Pending');
  setDefault(ensureRecord(object, 'spec'), 'volumeMode', 'Filesystem');
}

export function defaultEndpoints(object: JsonRecord): void {
  for (const subset of recordsAt(object, 'subsets'))
    for (const port of recordsAt(subset, 'ports')) setDefault(port, 'protocol', 'TCP');
}

export function defaultNode(object: JsonRecord): void {
  const status = recordAt(object, 'status');
  const capacity = recordAt(status, 'capacity');
  if (status !== undefined && capacity !== undefined) {
    const allocatable = ensureRecord(status, 'allocatable');
    for (const [name, value] of Object.entries(capacity)) setDefault(allocatable, name, value);
  }
}

export function defaultPodTemplate(object: JsonRecord): void {
  const spec = recordAt(recordAt(object, 'template'), 'spec');
  if (spec !== undefined) defaultPodSpec(spec);
}

/** Containers only: a limit's default becomes the maximum, a request's the limit's, then the minimum. */
export function defaultLimitRange(object: JsonRecord): void {
  for (const item of recordsAt(recordAt(object, 'spec'), 'limits')) {
    if (item.type !== 'Container') continue;
    const limits = mergeMissing(item.default, item.max);
    const requests = mergeMissing(mergeMissing(item.defaultRequest, limits), undefined);
    for (const [name, value] of Object.entries(isRecord(item.min) ? item.min : {}))
      if (requests[name] === undefined) requests[name] = value;
    if (Object.keys(limits).length > 0) item.default = limits;
    if (Object.keys(requests).length > 0) item.defaultRequest = requests;
  }
}

function mergeMissing(own: unknown, other: unknown): JsonRecord {
  const out: JsonRecord = { ...(isRecord(own) ? own : {}) };
  for (const [name, value] of Object.entries(isRecord(other) ? other : {}))
    if (out[name] === undefined) out[name] = value;
  return Object.fromEntries(Object.entries(out).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Sub-milli quantities of resource lists are rounded up (`SetDefaults_ResourceList`). */
export function roundResourceList(list: unknown): void {
  if (!isRecord(list)) return;
  for (const [name, value] of Object.entries(list)) {
    if (typeof value !== 'string' || !/[nu]$/.test(value)) continue;
    const canonical = canonicalQuantity(value);
    if (canonical === undefined) continue;
    const nano = BigInt(canonical.slice(0, -1)) * (canonical.endsWith('u') ? 1000n : 1n);
    list[name] = canonicalQuantity(`${(nano + 999_999n) / 1_000_000n}m`) ?? value;
  }
}

export function defaultReplicationStatus(object: JsonRecord): void {
  setNumberDefault(ensureRecord(object, 'status'), 'replicas', 0);
}
