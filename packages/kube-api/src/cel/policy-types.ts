/** Types of what the expressions of admission may read (`admission/plugin/cel/compile.go`, `apiserver/pkg/cel/mutation`). */
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from './authorizer.ts';
import type { StructTypes } from './checker.ts';
import { BOOL, type CelType, DYN, INT, listOf, mapOf, objectType, STRING, simple, TIMESTAMP } from './types.ts';

function record(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return objectType(name, new Map(Object.entries(fields)));
}

const texts = (...names: readonly string[]): Record<string, CelType> =>
  Object.fromEntries(names.map((name) => [name, STRING]));

const GVK = record('kubernetes.GroupVersionKind', texts('group', 'version', 'kind'));
const GVR = record('kubernetes.GroupVersionResource', texts('group', 'version', 'resource'));
const USER_INFO = record('kubernetes.UserInfo', {
  ...texts('username', 'uid'),
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
});
const REQUEST = record('kubernetes.AdmissionRequest', {
  kind: GVK,
  resource: GVR,
  subResource: STRING,
  requestKind: GVK,
  requestResource: GVR,
  ...texts('requestSubResource', 'name', 'namespace', 'operation'),
  userInfo: USER_INFO,
  dryRun: BOOL,
  options: DYN,
});
const NAMESPACE = record('kubernetes.Namespace', {
  metadata: record('kubernetes.NamespaceMetadata', {
    ...texts('name', 'generateName', 'namespace', 'UID', 'resourceVersion'),
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    finalizers: listOf(STRING),
  }),
  spec: record('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: record('kubernetes.NamespaceStatus', { phase: STRING }),
});

export interface PolicyEnvironment {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** The types of the policy's own variables, where it has some. */
  readonly variables?: ReadonlyMap<string, CelType>;
}

export function policyTypes({ hasParams, hasAuthorizer, variables }: PolicyEnvironment): ReadonlyMap<string, CelType> {
  return new Map([
    ['object', DYN],
    ['oldObject', DYN],
    ['request', REQUEST],
    ['namespaceObject', NAMESPACE],
    ...(hasParams ? ([['params', DYN]] as const) : []),
    ...(hasAuthorizer
      ? ([
          ['authorizer', simple(AUTHORIZER_TYPE)],
          ['authorizer.requestResource', simple(RESOURCE_CHECK_TYPE)],
        ] as const)
      : []),
    ...(variables ? ([['variables', objectType('kubernetes.variables', variables)]] as const) : []),
  ]);
}

const JSON_PATCH = record('JSONPatch', { ...texts('op', 'path', 'from'), value: DYN });

/** What mutations may construct: `JSONPatch`, and objects by the path of their field (`Object.spec.containers`). */
export const mutationTypes: StructTypes = (name) => {
  if (name === 'JSONPatch') return JSON_PATCH;
  return name === 'Object' || name.startsWith('Object.') ? { kind: 'object', params: [], name } : undefined;
};
