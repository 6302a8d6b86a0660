/**
 * What the server itself changes in an object before it is validated and stored: status dropped or kept, generation, and
 * fields that clients leave to it (the `strategy.go` of each resource, `registry/rest/{create,update}.go`).
 */
import type { GroupVersionKind } from '../registry/resource-definition.ts';
import { ensureRecord, recordAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import { copyJson, isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { prepareJob, prepareServiceUpdate } from './kinds.ts';
import { keepAllButPart } from './pod-parts.ts';
import { computeQosClass } from './qos.ts';

interface Rule {
  /** The status a new object starts with; `undefined`: the client's is kept. */
  readonly status?: (object: JsonRecord) => JsonRecord;
  /** metadata.generation counts changes of the spec (or of everything but metadata and status). */
  readonly generation?: 'spec' | 'all';
  /** Has a status subresource: ordinary updates cannot change the status. */
  readonly hasStatus: boolean;
}

const empty = (): JsonRecord => ({});
const SPEC: Rule = { status: empty, generation: 'spec', hasStatus: true };

const RULES: Readonly<Record<string, Rule>> = {
  '/Pod': {
    status: (pod) => ({ phase: 'Pending', qosClass: computeQosClass(pod) }),
    generation: 'spec',
    hasStatus: true,
  },
  '/Service': { status: () => ({ loadBalancer: {} }), hasStatus: true },
  '/Namespace': { status: () => ({ phase: 'Active' }), hasStatus: true },
  '/Node': { hasStatus: true },
  '/PersistentVolume': { status: () => ({ phase: 'Pending' }), hasStatus: true },
  '/PersistentVolumeClaim': { status: () => ({ phase: 'Pending' }), hasStatus: true },
  '/ResourceQuota': { status: empty, hasStatus: true },
  '/ReplicationController': { status: () => ({ replicas: 0 }), generation: 'spec', hasStatus: true },
  'apps/Deployment': SPEC,
  'apps/ReplicaSet': { ...SPEC, status: () => ({ replicas: 0 }) },
  'apps/StatefulSet': { ...SPEC, status: () => ({ replicas: 0, availableReplicas: 0 }) },
  'apps/DaemonSet': {
    ...SPEC,
    status: () => ({ currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }),
  },
  'batch/Job': SPEC,
  'batch/CronJob': SPEC,
  'autoscaling/HorizontalPodAutoscaler': {
    status: () => ({ desiredReplicas: 0, currentMetrics: null }),
    hasStatus: true,
  },
  'policy/PodDisruptionBudget': {
    ...SPEC,
    status: () => ({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }),
  },
  'networking.k8s.io/Ingress': { ...SPEC, status: () => ({ loadBalancer: {} }) },
  'networking.k8s.io/NetworkPolicy': { generation: 'spec', hasStatus: false },
  'networking.k8s.io/IngressClass': { generation: 'spec', hasStatus: false },
  'networking.k8s.io/ServiceCIDR': { status: empty, hasStatus: true },
  'discovery.k8s.io/EndpointSlice': { generation: 'all', hasStatus: false },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    status: (crd) => ({
      conditions: null,
      acceptedNames: { plural: '', kind: '' },
      storedVersions: storageVersions(crd),
    }),
    generation: 'spec',
    hasStatus: true,
  },
  'apiregistration.k8s.io/APIService': { status: empty, hasStatus: true },
  'storage.k8s.io/CSIDriver': { generation: 'spec', hasStatus: false },
  'storage.k8s.io/VolumeAttachment': { status: () => ({ attached: false }), hasStatus: true },
  'scheduling.k8s.io/PriorityClass': { generation: 'all', hasStatus: false },
  'certificates.k8s.io/CertificateSigningRequest': { status: empty, hasStatus: true },
  'flowcontrol.apiserver.k8s.io/FlowSchema': SPEC,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': SPEC,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': { generation: 'all', hasStatus: false },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': { generation: 'all', hasStatus: false },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': SPEC,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': { generation: 'spec', hasStatus: false },
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': { generation: 'spec', hasStatus: false },
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': { generation: 'spec', hasStatus: false },
};

const key = (gvk: GroupVersionKind): string => `${gvk.group}/${gvk.kind}`;

/** Changes a new object in place. metadata's name, uid and creationTimestamp must be set already. */
export function prepareForCreate(gvk: GroupVersionKind, object: JsonRecord): void {
  const metadata = ensureRecord(object, 'metadata');
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  const rule = RULES[key(gvk)];
  if (rule?.generation !== undefined) metadata.generation = 1;
  else if (rule !== undefined || gvk.kind === 'ConfigMap') delete metadata.generation;
  switch (key(gvk)) {
    case '/Namespace':
      addNamespaceFinalizer(object);
      break;
    case '/Node':
      alignPodRanges(object);
      break;
    case '/Secret':
      dropStringData(object);
      break;
    case '/PersistentVolumeClaim':
      normalizeDataSource(object);
      break;
    case 'batch/Job':
      prepareJob(object);
      break;
    case 'apps/DaemonSet':
      setTemplateGeneration(object, 1);
      break;
  }
  if (rule?.status !== undefined) object.status = rule.status(object);
}

/**
 * Changes an updated object in place; `old` is the stored one. An update of the `status` subresource keeps everything but
 * the status, any other update keeps the status. The generation rises where the spec changes.
 */
export function prepareForUpdate(gvk: GroupVersionKind, object: JsonRecord, old: JsonRecord, subresource = ''): void {
  const metadata = ensureRecord(object, 'metadata');
  const before = ensureRecord(old, 'metadata');
  copyOrDelete(metadata, before, 'generation');
  if ((metadata.uid ?? '') === '' && before.uid !== undefined) metadata.uid = before.uid;
  if (before.creationTimestamp !== undefined && before.creationTimestamp !== null)
    metadata.creationTimestamp = before.creationTimestamp;
  if (before.deletionTimestamp !== undefined && before.deletionTimestamp !== null)
    metadata.deletionTimestamp = before.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined && metadata.deletionGracePeriodSeconds === undefined)
    metadata.deletionGracePeriodSeconds = before.deletionGracePeriodSeconds;
  const rule = RULES[key(gvk)];
  if (subresource === 'status') {
    keepAllButStatus(gvk, object, old);
    return;
  }
  if (gvk.kind === 'Pod' && gvk.group === '' && subresource !== '') {
    keepAllButPart(object, old, subresource);
    countGeneration(gvk, rule, object, old);
    return;
  }
  const conditions = recordAt(object, 'status')?.conditions;
  if (rule?.hasStatus === true && !(gvk.kind === 'Namespace' && subresource === 'finalize'))
    copyOrDelete(object, old, 'status');
  switch (key(gvk)) {
    case 'certificates.k8s.io/CertificateSigningRequest':
      copyOrDelete(object, old, 'spec');
      if (subresource === 'approval') setConditions(object, conditions);
      break;
    case '/Node':
      alignPodRanges(object);
      break;
    case '/Secret':
      dropStringData(object);
      break;
    case '/Service':
      prepareServiceUpdate(object, old);
      break;
    case '/Namespace':
      if (subresource !== 'finalize') {
        const finalizers = recordAt(old, 'spec')?.finalizers;
        if (finalizers === undefined) delete ensureRecord(object, 'spec').finalizers;
        else ensureRecord(object, 'spec').finalizers = copyJson(finalizers);
      }
      break;
    case '/PersistentVolumeClaim':
      normalizeDataSource(object);
      break;
    case 'apps/DaemonSet':
      bumpTemplateGeneration(object, old);
      break;
  }
  countGeneration(gvk, rule, object, old);
}

/** The one part of a certificate signing request that its approval is about. */
function setConditions(object: JsonRecord, conditions: unknown): void {
  const status = ensureRecord(object, 'status');
  if (conditions === undefined) delete status.conditions;
  else status.conditions = conditions;
}

function countGeneration(gvk: GroupVersionKind, rule: Rule | undefined, object: JsonRecord, old: JsonRecord): void {
  if (rule?.generation === undefined || !hasChanged(gvk, rule.generation, object, old)) return;
  const before = recordAt(old, 'metadata')?.generation;
  ensureRecord(object, 'metadata').generation = (typeof before === 'number' ? before : 0) + 1;
}

function copyOrDelete(target: JsonRecord, source: JsonRecord, name: string): void {
  if (source[name] === undefined) delete target[name];
  else target[name] = copyJson(source[name]);
}

function hasChanged(gvk: GroupVersionKind, what: 'spec' | 'all', object: JsonRecord, old: JsonRecord): boolean {
  if (what === 'spec') return !semanticEquals(object.spec, old.spec);
  for (const name of new Set([...Object.keys(object), ...Object.keys(old)]))
    if (!['metadata', 'status', 'kind', 'apiVersion'].includes(name) && !semanticEquals(object[name], old[name]))
      return true;
  // EndpointSlices count changes of labels, too (`pkg/registry/discovery/endpointslice/strategy.go`).
  return (
    key(gvk) === 'discovery.k8s.io/EndpointSlice' &&
    !semanticEquals(recordAt(object, 'metadata')?.labels, recordAt(old, 'metadata')?.labels)
  );
}

/** A status update may change metadata's labels and annotations only where the real one lets it. */
function keepAllButStatus(gvk: GroupVersionKind, object: JsonRecord, old: JsonRecord): void {
  for (const name of new Set([...Object.keys(object), ...Object.keys(old)]))
    if (!['metadata', 'status', 'kind', 'apiVersion'].includes(name)) copyOrDelete(object, old, name);
  const metadata = ensureRecord(object, 'metadata');
  const before = ensureRecord(old, 'metadata');
  delete metadata.deletionTimestamp;
  if (before.deletionTimestamp !== undefined) metadata.deletionTimestamp = before.deletionTimestamp;
  switch (key(gvk)) {
    case '/Pod': {
      // ownerReferences cannot change; the class of service is settled (`podStatusStrategy`).
      copyOrDelete(metadata, before, 'ownerReferences');
      const status = ensureRecord(object, 'status');
      const qosClass = recordAt(old, 'status')?.qosClass;
      if (qosClass !== undefined) status.qosClass = qosClass;
      break;
    }
    case 'apps/Deployment':
      copyOrDelete(metadata, before, 'labels');
      break;
    case 'apiextensions.k8s.io/CustomResourceDefinition':
    case 'networking.k8s.io/ServiceCIDR':
      for (const name of ['labels', 'annotations', 'ownerReferences', 'finalizers'])
        copyOrDelete(metadata, before, name);
      break;
  }
}

/** `stringData` is written into `data` and never stored (`Convert_v1_Secret_To_core_Secret`). */
export function dropStringData(object: JsonRecord): void {
  const added = stringMapAt(object, 'stringData');
  delete object.stringData;
  if (Object.keys(added).length === 0) return;
  const data: JsonRecord = { ...(isRecord(object.data) ? object.data : {}) };
  for (const [name, value] of Object.entries(added)) data[name] = toBase64(value);
  object.data = Object.fromEntries(Object.entries(data).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function toBase64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function addNamespaceFinalizer(object: JsonRecord): void {
  const spec = ensureRecord(object, 'spec');
  const finalizers = stringsAt(spec, 'finalizers');
  if (!finalizers.includes('kubernetes')) spec.finalizers = [...finalizers, 'kubernetes'];
}

/** dataSource and dataSourceRef mirror each other for claims and snapshots (`pvcutil.NormalizeDataSources`). */
function normalizeDataSource(object: JsonRecord): void {
  const spec = recordAt(object, 'spec');
  if (spec === undefined) return;
  const source = recordAt(spec, 'dataSource');
  const reference = recordAt(spec, 'dataSourceRef');
  if (source !== undefined && reference === undefined) spec.dataSourceRef = copyJson(source);
  else if (reference !== undefined && source === undefined && stringAt(reference, 'namespace') === '')
    spec.dataSource = copyJson(reference);
}

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function setTemplateGeneration(object: JsonRecord, generation: number): void {
  ensureRecord(ensureRecord(object, 'metadata'), 'annotations')[TEMPLATE_GENERATION] = String(generation);
}

function bumpTemplateGeneration(object: JsonRecord, old: JsonRecord): void {
  const before = Number(stringMapAt(recordAt(old, 'metadata'), 'annotations')[TEMPLATE_GENERATION] ?? '0');
  const changed = !semanticEquals(recordAt(object, 'spec')?.template, recordAt(old, 'spec')?.template);
  setTemplateGeneration(object, changed ? before + 1 : before);
}

/** The version that a new CRD stores in, as the list that the status keeps; null where there is none. */
function storageVersions(crd: JsonRecord): string[] | null {
  const { versions } = recordAt(crd, 'spec') ?? {};
  const storage = Array.isArray(versions) ? versions.find((one) => isRecord(one) && one.storage === true) : undefined;
  return isRecord(storage) ? [stringAt(storage, 'name')] : null;
}

/** podCIDR is the first of podCIDRs; where the two differ the single one counts (`Convert_v1_NodeSpec_To_core_NodeSpec`). */
function alignPodRanges(node: JsonRecord): void {
  const spec = recordAt(node, 'spec');
  if (spec === undefined) return;
  const single = stringAt(spec, 'podCIDR');
  const all = Array.isArray(spec.podCIDRs) ? spec.podCIDRs : [];
  if (single !== '' && all[0] !== single) spec.podCIDRs = [single];
  else if (single === '' && typeof all[0] === 'string') spec.podCIDR = all[0];
}
