/**
 * The cells of every kind but pods, in the order of `columns.ts` (`pkg/printers/internalversion/printers.go`). Long
 * because it is a table: one entry a kind.
 */
import { formatLabelSelectorObject, type LabelSelectorObject } from '../selectors/label-selector.ts';
import { listAt, numberAt, recordAt, recordsAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import { humanDuration } from '../values/duration.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { parseRfc3339 } from '../values/time.ts';
import { age, since } from './age.ts';
import { podCells } from './pod-cells.ts';

export type CellPrinter = (object: JsonRecord, nowMs: number) => unknown[];

const NONE = '<none>';
const UNSET = '<unset>';

const nameOf = (object: JsonRecord): string => stringAt(recordAt(object, 'metadata'), 'name');
const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};
const statusOf = (object: JsonRecord): JsonRecord => recordAt(object, 'status') ?? {};
const count = (parent: unknown, key: string): number => numberAt(parent, key) ?? 0;

/** Names and images of a template's containers. */
function containersOf(template: unknown): [string, string] {
  const containers = recordsAt(recordAt(template, 'spec'), 'containers');
  return [
    containers.map((entry) => stringAt(entry, 'name')).join(','),
    containers.map((entry) => stringAt(entry, 'image')).join(','),
  ];
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const keys = Object.keys(labels).sort();
  return keys.length === 0 ? NONE : keys.map((key) => `${key}=${labels[key]}`).join(',');
}

function selectorText(selector: unknown): string {
  return formatLabelSelectorObject(isRecord(selector) ? (selector as LabelSelectorObject) : undefined);
}

const ACCESS_MODES: readonly [string, string][] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

function accessModes(modes: readonly string[]): string {
  return ACCESS_MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

function joined(items: readonly string[], max: number): string {
  const shown = items.slice(0, max).join(',');
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown;
}

function loadBalancerText(status: JsonRecord): string {
  const ingress = recordsAt(recordAt(status, 'loadBalancer'), 'ingress');
  return [...new Set(ingress.map((entry) => stringAt(entry, 'ip') || stringAt(entry, 'hostname')))]
    .filter(Boolean)
    .join(',');
}

function serviceExternal(service: JsonRecord): string {
  const spec = specOf(service);
  const external = stringsAt(spec, 'externalIPs');
  switch (stringAt(spec, 'type')) {
    case 'ClusterIP':
    case 'NodePort':
      return external.length > 0 ? external.join(',') : NONE;
    case 'LoadBalancer': {
      const balancer = loadBalancerText(statusOf(service));
      if (external.length > 0) return [...(balancer === '' ? [] : [balancer]), ...external].join(',');
      return balancer === '' ? '<pending>' : balancer;
    }
    case 'ExternalName':
      return stringAt(spec, 'externalName');
    default:
      return '<unknown>';
  }
}

function servicePorts(service: JsonRecord): string {
  const ports = recordsAt(specOf(service), 'ports');
  if (ports.length === 0) return NONE;
  return ports
    .map((port) => {
      const node = count(port, 'nodePort');
      return `${count(port, 'port')}${node > 0 ? `:${node}` : ''}/${stringAt(port, 'protocol')}`;
    })
    .join(',');
}

function nodeCells(node: JsonRecord, nowMs: number): unknown[] {
  const status = statusOf(node);
  const ready = recordsAt(status, 'conditions').find((condition) => condition.type === 'Ready');
  const states = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (specOf(node).unschedulable === true) states.push('SchedulingDisabled');
  const labels = stringMapAt(recordAt(node, 'metadata'), 'labels');
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith('node-role.kubernetes.io/')) {
      const role = key.slice('node-role.kubernetes.io/'.length);
      if (role !== '') roles.add(role);
    } else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  const info = recordAt(status, 'nodeInfo');
  const address = (type: string): string =>
    stringAt(
      recordsAt(status, 'addresses').find((entry) => entry.type === type),
      'address',
    ) || NONE;
  return [
    nameOf(node),
    states.join(','),
    roles.size > 0 ? [...roles].sort().join(',') : NONE,
    age(node, nowMs),
    stringAt(info, 'kubeletVersion'),
    address('InternalIP'),
    address('ExternalIP'),
    stringAt(info, 'osImage') || '<unknown>',
    stringAt(info, 'kernelVersion') || '<unknown>',
    stringAt(info, 'containerRuntimeVersion') || '<unknown>',
  ];
}

function eventCells(event: JsonRecord, nowMs: number): unknown[] {
  const involved = recordAt(event, 'involvedObject') ?? recordAt(event, 'regarding') ?? {};
  const series = recordAt(event, 'series');
  const first =
    stringAt(event, 'firstTimestamp') || stringAt(event, 'deprecatedFirstTimestamp') || stringAt(event, 'eventTime');
  let last = stringAt(event, 'lastTimestamp') || stringAt(event, 'deprecatedLastTimestamp') || first;
  let times = count(event, 'count') || count(event, 'deprecatedCount') || 1;
  if (series !== undefined) {
    last = stringAt(series, 'lastObservedTime') || last;
    times = count(series, 'count');
  }
  const firstSeen = since(first || undefined, nowMs);
  const name = stringAt(involved, 'name');
  const target =
    name === '' ? stringAt(involved, 'kind').toLowerCase() : `${stringAt(involved, 'kind').toLowerCase()}/${name}`;
  const source = recordAt(event, 'source') ?? recordAt(event, 'deprecatedSource');
  const component =
    stringAt(source, 'component') || stringAt(event, 'reportingComponent') || stringAt(event, 'reportingController');
  const host =
    stringAt(source, 'host') || (stringAt(source, 'component') === '' ? stringAt(event, 'reportingInstance') : '');
  return [
    last === '' ? firstSeen : since(last, nowMs),
    stringAt(event, 'type'),
    stringAt(event, 'reason'),
    target,
    stringAt(involved, 'fieldPath'),
    [component, host].filter((part) => part !== '').join(', '),
    (stringAt(event, 'message') || stringAt(event, 'note')).trim(),
    firstSeen,
    times,
    nameOf(event),
  ];
}

function jobCells(job: JsonRecord, nowMs: number): unknown[] {
  const spec = specOf(job);
  const status = statusOf(job);
  const succeeded = count(status, 'succeeded');
  let completions: string;
  if (typeof spec.completions === 'number') completions = `${succeeded}/${spec.completions}`;
  else {
    const parallelism = count(spec, 'parallelism');
    completions = parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
  }
  const start = parseRfc3339(stringAt(status, 'startTime'))?.ms;
  const end = parseRfc3339(stringAt(status, 'completionTime'))?.ms;
  const duration = start === undefined ? '' : humanDuration((end ?? nowMs) - start);
  const has = (type: string): boolean =>
    recordsAt(status, 'conditions').some((condition) => condition.type === type && condition.status === 'True');
  let state = 'Running';
  if (has('Complete')) state = 'Complete';
  else if (has('Failed')) state = 'Failed';
  else if (recordAt(job, 'metadata')?.deletionTimestamp !== undefined) state = 'Terminating';
  else if (has('Suspended')) state = 'Suspended';
  else if (has('FailureTarget')) state = 'FailureTarget';
  else if (has('SuccessCriteriaMet')) state = 'SuccessCriteriaMet';
  return [
    nameOf(job),
    state,
    completions,
    duration,
    age(job, nowMs),
    ...containersOf(spec.template),
    selectorText(spec.selector),
  ];
}

function metricTargets(autoscaler: JsonRecord): string {
  const metrics = recordsAt(specOf(autoscaler), 'metrics');
  const current = recordsAt(statusOf(autoscaler), 'currentMetrics');
  if (metrics.length === 0) return NONE;
  const texts = metrics.map((metric, index) => {
    const key = `${stringAt(metric, 'type').charAt(0).toLowerCase()}${stringAt(metric, 'type').slice(1)}`;
    const source = recordAt(metric, key);
    const target = recordAt(source, 'target');
    const now = recordAt(recordAt(current[index], key), 'current');
    const prefix = key === 'resource' || key === 'containerResource' ? `${stringAt(source, 'name')}: ` : '';
    if (typeof target?.averageUtilization === 'number') {
      const used = typeof now?.averageUtilization === 'number' ? `${now.averageUtilization}%` : '<unknown>';
      return `${prefix}${used}/${target.averageUtilization}%`;
    }
    if (target?.averageValue !== undefined)
      return `${prefix}${stringAt(now, 'averageValue') || '<unknown>'}/${stringAt(target, 'averageValue')}${prefix === '' ? ' (avg)' : ''}`;
    return `${prefix}${stringAt(now, 'value') || '<unknown>'}/${stringAt(target, 'value')}`;
  });
  return texts.length > 2 ? `${texts.slice(0, 2).join(', ')} + ${texts.length - 2} more...` : texts.join(', ');
}

function endpointsText(endpoints: JsonRecord): string {
  const list: string[] = [];
  for (const subset of recordsAt(endpoints, 'subsets')) {
    const ports = recordsAt(subset, 'ports');
    for (const address of recordsAt(subset, 'addresses')) {
      if (ports.length === 0) list.push(stringAt(address, 'ip'));
      for (const port of ports) {
        const ip = stringAt(address, 'ip');
        list.push(`${ip.includes(':') ? `[${ip}]` : ip}:${count(port, 'port')}`);
      }
    }
  }
  if (list.length === 0) return NONE;
  return list.length > 3 ? `${list.slice(0, 3).join(',')} + ${list.length - 3} more...` : list.join(',');
}

function endpointSliceCells(slice: JsonRecord, nowMs: number): unknown[] {
  const ports = recordsAt(slice, 'ports').map((port) =>
    typeof port.port === 'number' ? String(port.port) : stringAt(port, 'name') || '*',
  );
  const addresses = recordsAt(slice, 'endpoints').flatMap((endpoint) => stringsAt(endpoint, 'addresses'));
  return [
    nameOf(slice),
    stringAt(slice, 'addressType'),
    ports.length === 0 ? UNSET : joined(ports, 3),
    addresses.length === 0 ? UNSET : joined(addresses, 3),
    age(slice, nowMs),
  ];
}

function quotaCells(quota: JsonRecord, nowMs: number): unknown[] {
  const hard = recordAt(statusOf(quota), 'hard') ?? {};
  const used = recordAt(statusOf(quota), 'used') ?? {};
  const texts: Record<'request' | 'limit', string[]> = { request: [], limit: [] };
  for (const name of Object.keys(hard).sort())
    texts[name.startsWith('limits.') ? 'limit' : 'request'].push(
      `${name}: ${String(used[name] ?? '0')}/${String(hard[name])}`,
    );
  return [nameOf(quota), texts.request.join(', '), texts.limit.join(', '), age(quota, nowMs)];
}

function bindingCells(binding: JsonRecord, nowMs: number): unknown[] {
  const reference = recordAt(binding, 'roleRef');
  const subjects = recordsAt(binding, 'subjects');
  const of = (kind: string): string =>
    subjects
      .filter((subject) => subject.kind === kind)
      .map((subject) =>
        kind === 'ServiceAccount'
          ? `${stringAt(subject, 'namespace')}/${stringAt(subject, 'name')}`
          : stringAt(subject, 'name'),
      )
      .join(', ');
  return [
    nameOf(binding),
    `${stringAt(reference, 'kind')}/${stringAt(reference, 'name')}`,
    age(binding, nowMs),
    of('User'),
    of('Group'),
    of('ServiceAccount'),
  ];
}

function ingressCells(ingress: JsonRecord, nowMs: number): unknown[] {
  const spec = specOf(ingress);
  const hosts = [
    ...new Set(
      recordsAt(spec, 'rules')
        .map((rule) => stringAt(rule, 'host'))
        .filter((host) => host !== ''),
    ),
  ];
  return [
    nameOf(ingress),
    typeof spec.ingressClassName === 'string' ? spec.ingressClassName : NONE,
    hosts.length === 0 ? '*' : joined(hosts, 3),
    loadBalancerText(statusOf(ingress)),
    recordsAt(spec, 'tls').length > 0 ? '80, 443' : '80',
    age(ingress, nowMs),
  ];
}

function isDefaultClass(object: JsonRecord): boolean {
  const annotations = stringMapAt(recordAt(object, 'metadata'), 'annotations');
  return (
    annotations['storageclass.kubernetes.io/is-default-class'] === 'true' ||
    annotations['storageclass.beta.kubernetes.io/is-default-class'] === 'true'
  );
}

function claimText(reference: JsonRecord | undefined): string {
  return reference === undefined ? '' : `${stringAt(reference, 'namespace')}/${stringAt(reference, 'name')}`;
}

function phaseOrTerminating(object: JsonRecord): string {
  return recordAt(object, 'metadata')?.deletionTimestamp !== undefined
    ? 'Terminating'
    : stringAt(statusOf(object), 'phase');
}

function csrStatus(csr: JsonRecord): string {
  const status = statusOf(csr);
  const has = (type: string): boolean => recordsAt(status, 'conditions').some((condition) => condition.type === type);
  let text = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  if (has('Failed')) text += ',Failed';
  if (stringAt(status, 'certificate') !== '') text += ',Issued';
  return text;
}

function replicaCells(object: JsonRecord, nowMs: number): unknown[] {
  const spec = specOf(object);
  const status = statusOf(object);
  return [
    nameOf(object),
    count(spec, 'replicas'),
    count(status, 'replicas'),
    count(status, 'readyReplicas'),
    age(object, nowMs),
    ...containersOf(spec.template),
  ];
}

function paramText(reference: JsonRecord | undefined): string {
  if (reference === undefined) return UNSET;
  const name = stringAt(reference, 'name');
  const namespace = stringAt(reference, 'namespace');
  return name === '' ? '*' : namespace === '' ? name : `${namespace}/${name}`;
}

function paramKind(kind: JsonRecord | undefined): string {
  return kind === undefined ? UNSET : `${stringAt(kind, 'apiVersion')}/${stringAt(kind, 'kind')}`;
}

const webhookCells: CellPrinter = (object, nowMs) => [
  nameOf(object),
  recordsAt(object, 'webhooks').length,
  age(object, nowMs),
];
const policyBindingCells: CellPrinter = (object, nowMs) => [
  nameOf(object),
  stringAt(specOf(object), 'policyName'),
  paramText(recordAt(specOf(object), 'paramRef')),
  age(object, nowMs),
];

export const CELLS: Readonly<Record<string, CellPrinter>> = {
  '/Pod': podCells,
  '/Service': (object, nowMs) => [
    nameOf(object),
    stringAt(specOf(object), 'type'),
    stringsAt(specOf(object), 'clusterIPs')[0] ?? (stringAt(specOf(object), 'clusterIP') || NONE),
    serviceExternal(object),
    servicePorts(object),
    age(object, nowMs),
    formatLabels(stringMapAt(specOf(object), 'selector')),
  ],
  '/Node': nodeCells,
  '/Namespace': (object, nowMs) => [nameOf(object), stringAt(statusOf(object), 'phase'), age(object, nowMs)],
  '/ConfigMap': (object, nowMs) => [
    nameOf(object),
    Object.keys(recordAt(object, 'data') ?? {}).length + Object.keys(recordAt(object, 'binaryData') ?? {}).length,
    age(object, nowMs),
  ],
  '/Secret': (object, nowMs) => [
    nameOf(object),
    stringAt(object, 'type'),
    Object.keys(recordAt(object, 'data') ?? {}).length,
    age(object, nowMs),
  ],
  '/ServiceAccount': (object, nowMs) => [nameOf(object), age(object, nowMs)],
  '/Event': eventCells,
  '/Endpoints': (object, nowMs) => [nameOf(object), endpointsText(object), age(object, nowMs)],
  '/PersistentVolumeClaim': (object, nowMs) => {
    const spec = specOf(object);
    const status = statusOf(object);
    const isBound = stringAt(spec, 'volumeName') !== '';
    const storage = recordAt(status, 'capacity')?.storage;
    return [
      nameOf(object),
      phaseOrTerminating(object),
      stringAt(spec, 'volumeName'),
      isBound && storage !== undefined ? String(storage) : '',
      isBound ? accessModes(stringsAt(status, 'accessModes')) : '',
      stringAt(spec, 'storageClassName'),
      stringAt(spec, 'volumeAttributesClassName') || UNSET,
      age(object, nowMs),
      stringAt(spec, 'volumeMode') || UNSET,
    ];
  },
  '/PersistentVolume': (object, nowMs) => {
    const spec = specOf(object);
    return [
      nameOf(object),
      String(recordAt(spec, 'capacity')?.storage ?? '0'),
      accessModes(stringsAt(spec, 'accessModes')),
      stringAt(spec, 'persistentVolumeReclaimPolicy'),
      phaseOrTerminating(object),
      claimText(recordAt(spec, 'claimRef')),
      stringAt(spec, 'storageClassName'),
      stringAt(spec, 'volumeAttributesClassName') || UNSET,
      stringAt(statusOf(object), 'reason'),
      age(object, nowMs),
      stringAt(spec, 'volumeMode') || UNSET,
    ];
  },
  '/ResourceQuota': quotaCells,
  '/PodTemplate': (object) => [
    nameOf(object),
    ...containersOf(object.template),
    formatLabels(stringMapAt(recordAt(recordAt(object, 'template'), 'metadata'), 'labels')),
  ],
  '/ComponentStatus': (object) => {
    const healthy = recordsAt(object, 'conditions').find((condition) => condition.type === 'Healthy');
    return [
      nameOf(object),
      healthy?.status === 'True' ? 'Healthy' : healthy === undefined ? 'Unknown' : 'Unhealthy',
      stringAt(healthy, 'message'),
      stringAt(healthy, 'error'),
    ];
  },
  '/ReplicationController': (object, nowMs) => [
    ...replicaCells(object, nowMs),
    formatLabels(stringMapAt(specOf(object), 'selector')),
  ],
  'apps/ReplicaSet': (object, nowMs) => [...replicaCells(object, nowMs), selectorText(specOf(object).selector)],
  'apps/Deployment': (object, nowMs) => {
    const spec = specOf(object);
    const status = statusOf(object);
    return [
      nameOf(object),
      `${count(status, 'readyReplicas')}/${count(spec, 'replicas')}`,
      count(status, 'updatedReplicas'),
      count(status, 'availableReplicas'),
      age(object, nowMs),
      ...containersOf(spec.template),
      selectorText(spec.selector),
    ];
  },
  'apps/StatefulSet': (object, nowMs) => [
    nameOf(object),
    `${count(statusOf(object), 'readyReplicas')}/${count(specOf(object), 'replicas')}`,
    age(object, nowMs),
    ...containersOf(specOf(object).template),
  ],
  'apps/DaemonSet': (object, nowMs) => {
    const spec = specOf(object);
    const status = statusOf(object);
    const pod = recordAt(recordAt(spec, 'template'), 'spec');
    return [
      nameOf(object),
      count(status, 'desiredNumberScheduled'),
      count(status, 'currentNumberScheduled'),
      count(status, 'numberReady'),
      count(status, 'updatedNumberScheduled'),
      count(status, 'numberAvailable'),
      formatLabels(stringMapAt(pod, 'nodeSelector')),
      age(object, nowMs),
      ...containersOf(spec.template),
      selectorText(spec.selector),
    ];
  },
  'apps/ControllerRevision': (object, nowMs) => {
    const owner = recordsAt(recordAt(object, 'metadata'), 'ownerReferences').find((entry) => entry.controller === true);
    const group = stringAt(owner, 'apiVersion').split('/');
    return [
      nameOf(object),
      owner === undefined
        ? NONE
        : `${stringAt(owner, 'kind').toLowerCase()}${group.length > 1 ? `.${group[0]}` : ''}/${stringAt(owner, 'name')}`,
      count(object, 'revision'),
      age(object, nowMs),
    ];
  },
  'batch/Job': jobCells,
  'batch/CronJob': (object, nowMs) => {
    const spec = specOf(object);
    const last = stringAt(statusOf(object), 'lastScheduleTime');
    const template = recordAt(recordAt(recordAt(spec, 'jobTemplate'), 'spec'), 'template');
    return [
      nameOf(object),
      stringAt(spec, 'schedule'),
      typeof spec.timeZone === 'string' ? spec.timeZone : NONE,
      spec.suspend === true ? 'True' : 'False',
      recordsAt(statusOf(object), 'active').length,
      last === '' ? NONE : since(last, nowMs),
      age(object, nowMs),
      ...containersOf(template),
      selectorText(recordAt(recordAt(spec, 'jobTemplate'), 'spec')?.selector),
    ];
  },
  'autoscaling/HorizontalPodAutoscaler': (object, nowMs) => {
    const spec = specOf(object);
    const target = recordAt(spec, 'scaleTargetRef');
    return [
      nameOf(object),
      `${stringAt(target, 'kind')}/${stringAt(target, 'name')}`,
      metricTargets(object),
      typeof spec.minReplicas === 'number' ? String(spec.minReplicas) : UNSET,
      count(spec, 'maxReplicas'),
      count(statusOf(object), 'currentReplicas'),
      age(object, nowMs),
    ];
  },
  'policy/PodDisruptionBudget': (object, nowMs) => {
    const spec = specOf(object);
    const text = (value: unknown): string => (value === undefined || value === null ? 'N/A' : String(value));
    return [
      nameOf(object),
      text(spec.minAvailable),
      text(spec.maxUnavailable),
      count(statusOf(object), 'disruptionsAllowed'),
      age(object, nowMs),
    ];
  },
  'networking.k8s.io/Ingress': ingressCells,
  'networking.k8s.io/IngressClass': (object, nowMs) => {
    const parameters = recordAt(specOf(object), 'parameters');
    const group = stringAt(parameters, 'apiGroup');
    return [
      nameOf(object),
      stringAt(specOf(object), 'controller'),
      parameters === undefined
        ? NONE
        : `${stringAt(parameters, 'kind')}${group === '' ? '' : `.${group}`}/${stringAt(parameters, 'name')}`,
      age(object, nowMs),
    ];
  },
  'networking.k8s.io/NetworkPolicy': (object, nowMs) => [
    nameOf(object),
    selectorText(specOf(object).podSelector),
    age(object, nowMs),
  ],
  'networking.k8s.io/ServiceCIDR': (object, nowMs) => [
    nameOf(object),
    stringsAt(specOf(object), 'cidrs').join(','),
    age(object, nowMs),
  ],
  'networking.k8s.io/IPAddress': (object) => {
    const parent = recordAt(specOf(object), 'parentRef');
    return [
      nameOf(object),
      [stringAt(parent, 'resource'), stringAt(parent, 'namespace'), stringAt(parent, 'name')].filter(Boolean).join('/'),
    ];
  },
  'discovery.k8s.io/EndpointSlice': endpointSliceCells,
  'rbac.authorization.k8s.io/RoleBinding': bindingCells,
  'rbac.authorization.k8s.io/ClusterRoleBinding': bindingCells,
  'coordination.k8s.io/Lease': (object, nowMs) => [
    nameOf(object),
    stringAt(specOf(object), 'holderIdentity'),
    age(object, nowMs),
  ],
  'storage.k8s.io/StorageClass': (object, nowMs) => [
    `${nameOf(object)}${isDefaultClass(object) ? ' (default)' : ''}`,
    stringAt(object, 'provisioner'),
    stringAt(object, 'reclaimPolicy') || 'Delete',
    stringAt(object, 'volumeBindingMode') || 'Immediate',
    object.allowVolumeExpansion === true,
    age(object, nowMs),
  ],
  'storage.k8s.io/CSIDriver': (object, nowMs) => {
    const spec = specOf(object);
    const tokens = recordsAt(spec, 'tokenRequests').map((entry) => stringAt(entry, 'audience'));
    const modes = stringsAt(spec, 'volumeLifecycleModes');
    return [
      nameOf(object),
      spec.attachRequired !== false,
      spec.podInfoOnMount === true,
      spec.storageCapacity === true,
      tokens.length === 0 ? UNSET : tokens.join(','),
      spec.requiresRepublish === true,
      modes.length === 0 ? NONE : modes.join(','),
      age(object, nowMs),
    ];
  },
  'storage.k8s.io/CSINode': (object, nowMs) => [
    nameOf(object),
    recordsAt(specOf(object), 'drivers').length,
    age(object, nowMs),
  ],
  'storage.k8s.io/CSIStorageCapacity': (object) => [
    nameOf(object),
    stringAt(object, 'storageClassName'),
    typeof object.capacity === 'string' ? object.capacity : UNSET,
  ],
  'storage.k8s.io/VolumeAttachment': (object, nowMs) => [
    nameOf(object),
    stringAt(specOf(object), 'attacher'),
    stringAt(recordAt(specOf(object), 'source'), 'persistentVolumeName'),
    stringAt(specOf(object), 'nodeName'),
    statusOf(object).attached === true,
    age(object, nowMs),
  ],
  'storage.k8s.io/VolumeAttributesClass': (object, nowMs) => [
    nameOf(object),
    stringAt(object, 'driverName'),
    age(object, nowMs),
  ],
  'scheduling.k8s.io/PriorityClass': (object, nowMs) => [
    nameOf(object),
    count(object, 'value'),
    object.globalDefault === true,
    age(object, nowMs),
    stringAt(object, 'preemptionPolicy'),
  ],
  'node.k8s.io/RuntimeClass': (object, nowMs) => [nameOf(object), stringAt(object, 'handler'), age(object, nowMs)],
  'certificates.k8s.io/CertificateSigningRequest': (object, nowMs) => {
    const spec = specOf(object);
    return [
      nameOf(object),
      age(object, nowMs),
      stringAt(spec, 'signerName') || NONE,
      stringAt(spec, 'username'),
      typeof spec.expirationSeconds === 'number' ? humanDuration(spec.expirationSeconds * 1000) : NONE,
      csrStatus(object),
    ];
  },
  'apiregistration.k8s.io/APIService': (object, nowMs) => {
    const service = recordAt(specOf(object), 'service');
    const available = recordsAt(statusOf(object), 'conditions').find((condition) => condition.type === 'Available');
    const state = stringAt(available, 'status');
    return [
      nameOf(object),
      service === undefined ? 'Local' : `${stringAt(service, 'namespace')}/${stringAt(service, 'name')}`,
      state === 'True' || state === '' ? state || 'Unknown' : `${state} (${stringAt(available, 'reason')})`,
      age(object, nowMs),
    ];
  },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhookCells,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhookCells,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': (object, nowMs) => [
    nameOf(object),
    listAt(specOf(object), 'validations').length,
    paramKind(recordAt(specOf(object), 'paramKind')),
    age(object, nowMs),
  ],
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': (object, nowMs) => [
    nameOf(object),
    listAt(specOf(object), 'mutations').length,
    paramKind(recordAt(specOf(object), 'paramKind')),
    age(object, nowMs),
  ],
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': policyBindingCells,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': policyBindingCells,
  'flowcontrol.apiserver.k8s.io/FlowSchema': (object, nowMs) => [
    nameOf(object),
    stringAt(recordAt(specOf(object), 'priorityLevelConfiguration'), 'name'),
    count(specOf(object), 'matchingPrecedence'),
    stringAt(recordAt(specOf(object), 'distinguisherMethod'), 'type') || NONE,
    age(object, nowMs),
    stringAt(
      recordsAt(statusOf(object), 'conditions').find((condition) => condition.type === 'Dangling'),
      'status',
    ) || '?',
  ],
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': (object, nowMs) => {
    const limited = recordAt(specOf(object), 'limited');
    const queuing = recordAt(recordAt(limited, 'limitResponse'), 'queuing');
    const shown = (value: unknown): unknown => (typeof value === 'number' ? value : NONE);
    return [
      nameOf(object),
      stringAt(specOf(object), 'type'),
      shown(limited?.nominalConcurrencyShares ?? recordAt(specOf(object), 'exempt')?.nominalConcurrencyShares),
      shown(queuing?.queues),
      shown(queuing?.handSize),
      shown(queuing?.queueLengthLimit),
      age(object, nowMs),
    ];
  },
};
