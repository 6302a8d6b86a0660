import { isRecord, type KubeObject, type ResourceDefinition } from '@kind-e2e/kube-api';

type Reader = (object: KubeObject) => string | undefined;

function at(...path: readonly string[]): Reader {
  return (object) => {
    let value: unknown = object;
    for (const name of path) value = isRecord(value) ? value[name] : undefined;
    return value === undefined || value === null ? undefined : String(value);
  };
}

function paths(...list: readonly string[]): Record<string, Reader> {
  return Object.fromEntries(list.map((path) => [path, at(...path.split('.'))]));
}

const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

/** The fields that can be selected by, beside metadata's (`AddFieldLabelConversionFunc` of each group). */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Reader>>>> = {
  pods: {
    ...paths(
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ),
    'spec.hostNetwork': (object) => at('spec', 'hostNetwork')(object) ?? 'false',
    'status.podIPs': (object) => at('status', 'podIP')(object),
  },
  nodes: {
    'spec.unschedulable': (object) => at('spec', 'unschedulable')(object) ?? 'false',
  },
  namespaces: paths('status.phase'),
  services: paths('spec.clusterIP', 'spec.type'),
  secrets: paths('type'),
  replicationcontrollers: {
    'status.replicas': (object) => at('status', 'replicas')(object) ?? '0',
  },
  events: {
    ...paths('reason', 'type', 'reportingComponent'),
    source: (object) => at('source', 'component')(object) ?? at('reportingComponent')(object),
    ...Object.fromEntries(INVOLVED.map((name) => [`involvedObject.${name}`, at('involvedObject', name)])),
  },
  'events.k8s.io/events': {
    ...paths('reason', 'type'),
    reportingController: at('reportingController'),
    ...Object.fromEntries(INVOLVED.map((name) => [`regarding.${name}`, at('regarding', name)])),
  },
  'batch/jobs': { 'status.successful': (object) => at('status', 'succeeded')(object) ?? '0' },
  'certificates.k8s.io/certificatesigningrequests': paths('spec.signerName'),
};

const NONE: Readonly<Record<string, Reader>> = {};

/** What a kind without fields of its own says (runtime `DefaultMetaV1FieldSelectorConversion`). */
function unknownField(path: string): string {
  return `${JSON.stringify(path)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

/** Reads the selectable fields of a kind. */
export function fieldReader({ group, plural }: ResourceDefinition): {
  field(object: KubeObject, path: string): string | undefined;
  supportsField(path: string): boolean;
  fieldProblem(path: string): string;
} {
  const readers = FIELDS[group === '' ? plural : `${group}/${plural}`] ?? NONE;
  return {
    field: (object, path) => (Object.hasOwn(readers, path) ? readers[path]?.(object) : undefined),
    supportsField: (path) => Object.hasOwn(readers, path),
    fieldProblem: (path) => {
      if (group === 'batch' && plural === 'jobs') return `field label "${path}" not supported for batchv1.Job`;
      return readers === NONE ? unknownField(path) : `field label not supported: ${path}`;
    },
  };
}
