/**
 * Warnings of each kind: what its strategy says on create and update (`WarningsOnCreate`, `WarningsOnUpdate` of
 * `pkg/registry`).
 */
import type { GroupVersionKind } from '../registry/resource-definition.ts';
import { isDns1123Label } from '../validation/names.ts';
import { listAt, numberAt, recordAt, recordsAt, stringAt, stringMapAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { cidrWarnings, ipWarnings } from './addresses.ts';
import { deprecatedKeys, nodeLabelProblem, nodeSelectorWarnings } from './node-labels.ts';
import { podWarnings } from './pod.ts';
import { claimSpecWarnings } from './quantities.ts';
import { serviceWarnings } from './service.ts';
import { volumeWarnings } from './volumes.ts';

type Warn = (object: JsonRecord, old: JsonRecord | undefined) => string[];

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};
const metadataOf = (object: JsonRecord): JsonRecord => recordAt(object, 'metadata') ?? {};

/** A name that pods get as a part of theirs. */
function nameWarnings(object: JsonRecord, used = 'Pod names and hostnames'): string[] {
  const problems = isDns1123Label(stringAt(metadataOf(object), 'name'));
  return problems.length === 0
    ? []
    : [
        `metadata.name: this is used in ${used}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
      ];
}

/** Templates are only looked at again where the spec changed. */
function isUnchanged(object: JsonRecord, old: JsonRecord | undefined): boolean {
  return old !== undefined && metadataOf(object).generation === metadataOf(old).generation;
}

const template: Warn = (object, old) =>
  isUnchanged(object, old) ? [] : podWarnings(recordAt(specOf(object), 'template') ?? {}, 'spec.template');

/** A workload whose pods get its name as a part of theirs. */
const namedTemplate: Warn = (object, old) => [...(old ? [] : nameWarnings(object)), ...template(object, old)];

/** `WarningsForJobSpec`. */
function jobSpecWarnings(spec: JsonRecord, field: string): string[] {
  const isHuge =
    spec.completionMode === 'Indexed' &&
    (numberAt(spec, 'completions') ?? 0) > 100_000 &&
    (numberAt(spec, 'parallelism') ?? 0) > 10_000;
  return [
    ...(isHuge
      ? [
          `${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
        ]
      : []),
    ...podWarnings(recordAt(spec, 'template') ?? {}, `${field}.template`),
  ];
}

const job: Warn = (object, old) => [
  ...(old ? [] : nameWarnings(object)),
  ...(isUnchanged(object, old) ? [] : jobSpecWarnings(specOf(object), 'spec')),
];

const cronJob: Warn = (object, old) => [
  ...(old ? [] : nameWarnings(object)),
  ...(isUnchanged(object, old)
    ? []
    : jobSpecWarnings(recordAt(recordAt(specOf(object), 'jobTemplate'), 'spec') ?? {}, 'spec.jobTemplate.spec')),
  ...(old && stringAt(specOf(object), 'schedule').includes('TZ')
    ? [
        'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
      ]
    : []),
];

const statefulSet: Warn = (object, old) => [
  ...template(object, old),
  ...recordsAt(specOf(object), 'volumeClaimTemplates').flatMap((claim, index) =>
    claimSpecWarnings(recordAt(claim, 'spec'), `spec.volumeClaimTemplates[${index}]`),
  ),
  ...((numberAt(specOf(object), 'revisionHistoryLimit') ?? 0) < 0
    ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
    : []),
];

const ingress: Warn = (object, old) =>
  old === undefined &&
  Object.hasOwn(stringMapAt(metadataOf(object), 'annotations'), 'kubernetes.io/ingress.class') &&
  typeof specOf(object).ingressClassName !== 'string'
    ? [`annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`]
    : [];

const networkPolicy: Warn = (object) =>
  (['ingress', 'egress'] as const).flatMap((list) =>
    recordsAt(specOf(object), list).flatMap((rule, index) => {
      const side = list === 'ingress' ? 'from' : 'to';
      return recordsAt(rule, side).flatMap((peer, at) => {
        const block = recordAt(peer, 'ipBlock');
        const path = `spec.${list}[${index}].${side}[${at}].ipBlock`;
        if (!block) return [];
        return [
          ...cidrWarnings(stringAt(block, 'cidr'), `${path}.cidr`),
          ...listAt(block, 'except').flatMap((cidr, n) => cidrWarnings(String(cidr), `${path}.except[${n}]`)),
        ];
      });
    }),
  );

const labelOf = (object: JsonRecord, key: string): string => stringMapAt(metadataOf(object), 'labels')[key] ?? '';

/** Controllers write their addresses as they should be: theirs are not looked at. */
const endpoints: Warn = (object) =>
  labelOf(object, 'endpoints.kubernetes.io/managed-by') === 'endpoint-controller'
    ? []
    : recordsAt(object, 'subsets').flatMap((subset, index) =>
        ['addresses', 'notReadyAddresses'].flatMap((list) =>
          recordsAt(subset, list).flatMap((address, at) =>
            ipWarnings(stringAt(address, 'ip'), `subsets[${index}].${list}[${at}].ip`),
          ),
        ),
      );

const SLICE_CONTROLLERS: readonly string[] = [
  'endpointslice-controller.k8s.io',
  'endpointslicemirroring-controller.k8s.io',
];

const endpointSlice: Warn = (object, old) => {
  const isFqdn = object.addressType === 'FQDN';
  return [
    ...(isFqdn && old === undefined ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    ...(isFqdn || SLICE_CONTROLLERS.includes(labelOf(object, 'endpointslice.kubernetes.io/managed-by'))
      ? []
      : recordsAt(object, 'endpoints').flatMap((endpoint, index) =>
          listAt(endpoint, 'addresses').flatMap((address, at) =>
            ipWarnings(String(address), `endpoints[${index}].addresses[${at}]`),
          ),
        )),
  ];
};

const node: Warn = (object) => [
  ...(isRecord(specOf(object).configSource) ? ['spec.configSource: the feature is removed'] : []),
  ...(stringAt(specOf(object), 'externalID') === ''
    ? []
    : ['spec.externalID: this field is deprecated, and is unused by Kubernetes']),
];

const storageClass: Warn = (object) =>
  recordsAt(object, 'allowedTopologies').flatMap((topology, index) =>
    recordsAt(topology, 'matchLabelExpressions').flatMap((expression, at) => {
      const problem = nodeLabelProblem(stringAt(expression, 'key'));
      return problem === undefined ? [] : [`allowedTopologies[${index}].matchLabelExpressions[${at}].key: ${problem}`];
    }),
  );

const runtimeClass: Warn = (object) =>
  deprecatedKeys(stringMapAt(recordAt(object, 'scheduling'), 'nodeSelector')).map(
    ([, problem]) => `scheduling.nodeSelector: ${problem}`,
  );

const claim: Warn = (object) => [
  ...(Object.hasOwn(stringMapAt(metadataOf(object), 'annotations'), 'volume.beta.kubernetes.io/storage-class')
    ? [
        `metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead`,
      ]
    : []),
  ...claimSpecWarnings(specOf(object), 'spec'),
];

const KINDS: Readonly<Record<string, Warn>> = {
  // Nobody looks at the warnings of an update of a pod.
  '/Pod': (object, old) => (old ? [] : [...nameWarnings(object, "the Pod's hostname"), ...podWarnings(object)]),
  '/PodTemplate': (object, old) =>
    isUnchanged(object, old) && old ? [] : podWarnings(recordAt(object, 'template') ?? {}, 'template'),
  '/ReplicationController': namedTemplate,
  'apps/Deployment': namedTemplate,
  'apps/ReplicaSet': namedTemplate,
  'apps/DaemonSet': template,
  'apps/StatefulSet': statefulSet,
  'batch/Job': job,
  'batch/CronJob': cronJob,
  '/Service': serviceWarnings,
  '/Endpoints': endpoints,
  '/Node': node,
  '/PersistentVolume': volumeWarnings,
  '/PersistentVolumeClaim': claim,
  'discovery.k8s.io/EndpointSlice': endpointSlice,
  'networking.k8s.io/Ingress': ingress,
  'networking.k8s.io/NetworkPolicy': networkPolicy,
  'node.k8s.io/RuntimeClass': runtimeClass,
  'storage.k8s.io/StorageClass': storageClass,
  'storage.k8s.io/CSIStorageCapacity': (object) =>
    nodeSelectorWarnings(recordAt(object, 'nodeTopology'), 'nodeTopology'),
};

/** What is said of a valid object that is created, or that replaces `old`; status and other parts have no warnings. */
export function warningsOf(gvk: GroupVersionKind, object: JsonRecord, old?: JsonRecord): string[] {
  return KINDS[`${gvk.group}/${gvk.kind}`]?.(object, old) ?? [];
}

/** Versions that are served but deprecated: every answer says so (`APILifecycleDeprecated` and its kin). */
export function deprecationOf(gvk: GroupVersionKind): string | undefined {
  const { group, version, kind } = gvk;
  if (group !== '' || version !== 'v1') return undefined;
  if (kind === 'ComponentStatus') return 'v1 ComponentStatus is deprecated in v1.19+';
  if (kind === 'Endpoints') return 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice';
  return undefined;
}
