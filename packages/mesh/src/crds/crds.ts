import type { KubeObject } from '@kind-e2e/kube-api';
import { SPEC_SCHEMAS } from './schemas.generated.ts';

interface KindTable {
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  /** The first is stored. */
  readonly versions: readonly string[];
  readonly columns?: readonly {
    readonly name: string;
    readonly type: string;
    readonly jsonPath: string;
    readonly description: string;
  }[];
  readonly required?: readonly string[];
}

const NETWORKING = 'networking.istio.io';
const SECURITY = 'security.istio.io';

const column = (name: string, jsonPath: string, description: string, type = 'string') => ({
  name,
  type,
  jsonPath,
  description,
});

/** Names, versions and columns as in Istio's `crd-all.gen.yaml`. */
const KINDS: readonly KindTable[] = [
  {
    kind: 'DestinationRule',
    group: NETWORKING,
    plural: 'destinationrules',
    shortNames: ['dr'],
    versions: ['v1', 'v1alpha3', 'v1beta1'],
    columns: [column('Host', '.spec.host', 'The name of a service from the service registry')],
  },
  { kind: 'EnvoyFilter', group: NETWORKING, plural: 'envoyfilters', versions: ['v1alpha3'] },
  {
    kind: 'Gateway',
    group: NETWORKING,
    plural: 'gateways',
    shortNames: ['gw'],
    versions: ['v1', 'v1alpha3', 'v1beta1'],
  },
  { kind: 'ProxyConfig', group: NETWORKING, plural: 'proxyconfigs', versions: ['v1beta1'] },
  {
    kind: 'ServiceEntry',
    group: NETWORKING,
    plural: 'serviceentries',
    shortNames: ['se'],
    versions: ['v1', 'v1alpha3', 'v1beta1'],
    columns: [
      column('Hosts', '.spec.hosts', 'The hosts associated with the ServiceEntry'),
      column('Location', '.spec.location', 'Whether the service is external to the mesh or part of the mesh'),
      column('Resolution', '.spec.resolution', 'Service resolution mode for the hosts'),
    ],
  },
  { kind: 'Sidecar', group: NETWORKING, plural: 'sidecars', versions: ['v1', 'v1alpha3', 'v1beta1'] },
  {
    kind: 'VirtualService',
    group: NETWORKING,
    plural: 'virtualservices',
    shortNames: ['vs'],
    versions: ['v1', 'v1alpha3', 'v1beta1'],
    columns: [
      column('Gateways', '.spec.gateways', 'The names of gateways and sidecars that should apply these routes'),
      column('Hosts', '.spec.hosts', 'The destination hosts to which traffic is being sent'),
    ],
  },
  {
    kind: 'WorkloadEntry',
    group: NETWORKING,
    plural: 'workloadentries',
    shortNames: ['we'],
    versions: ['v1', 'v1alpha3', 'v1beta1'],
    columns: [column('Address', '.spec.address', 'Address associated with the network endpoint.')],
  },
  {
    kind: 'WorkloadGroup',
    group: NETWORKING,
    plural: 'workloadgroups',
    shortNames: ['wg'],
    versions: ['v1', 'v1alpha3', 'v1beta1'],
  },
  {
    kind: 'AuthorizationPolicy',
    group: SECURITY,
    plural: 'authorizationpolicies',
    shortNames: ['ap'],
    versions: ['v1', 'v1beta1'],
    columns: [column('Action', '.spec.action', 'The operation to take.')],
  },
  {
    kind: 'PeerAuthentication',
    group: SECURITY,
    plural: 'peerauthentications',
    shortNames: ['pa'],
    versions: ['v1', 'v1beta1'],
    columns: [column('Mode', '.spec.mtls.mode', 'Defines the mTLS mode used for peer authentication.')],
  },
  {
    kind: 'RequestAuthentication',
    group: SECURITY,
    plural: 'requestauthentications',
    shortNames: ['ra'],
    versions: ['v1', 'v1beta1'],
  },
  {
    kind: 'Telemetry',
    group: 'telemetry.istio.io',
    plural: 'telemetries',
    shortNames: ['telemetry'],
    versions: ['v1', 'v1alpha1'],
  },
  { kind: 'WasmPlugin', group: 'extensions.istio.io', plural: 'wasmplugins', versions: ['v1alpha1'] },
];

const AGE = column('Age', '.metadata.creationTimestamp', 'Time since the object was created.', 'date');

const STATUS_SCHEMA = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
  properties: {
    conditions: {
      type: 'array',
      description: 'Current service state of the resource.',
      items: {
        type: 'object',
        properties: {
          type: { type: 'string' },
          status: { type: 'string' },
          reason: { type: 'string' },
          message: { type: 'string' },
          lastTransitionTime: { type: 'string', format: 'date-time' },
          lastProbeTime: { type: 'string', format: 'date-time' },
        },
      },
    },
    observedGeneration: { 'x-kubernetes-int-or-string': true },
    validationMessages: {
      type: 'array',
      description: "Includes any errors or warnings detected by Istio's analyzers.",
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
};

/** CustomResourceDefinitions of Istio's kinds, ready to be applied. */
export function istioCrds(): KubeObject[] {
  const schemas = JSON.parse(SPEC_SCHEMAS) as Record<string, object>;
  return KINDS.map((entry) => {
    const schema = { type: 'object', properties: { spec: schemas[entry.kind], status: STATUS_SCHEMA } };
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {
        name: `${entry.plural}.${entry.group}`,
        labels: { app: 'istio-pilot', chart: 'istio', heritage: 'Tiller', release: 'istio' },
        annotations: { 'helm.sh/resource-policy': 'keep' },
      },
      spec: {
        group: entry.group,
        scope: 'Namespaced',
        names: {
          kind: entry.kind,
          listKind: `${entry.kind}List`,
          plural: entry.plural,
          singular: entry.kind.toLowerCase(),
          categories: ['istio-io', entry.group.replaceAll('.', '-')],
          ...(entry.shortNames ? { shortNames: entry.shortNames } : {}),
        },
        versions: entry.versions.map((name, index) => ({
          name,
          served: true,
          storage: index === 0,
          subresources: { status: {} },
          additionalPrinterColumns: [...(entry.columns ?? []), AGE],
          schema: { openAPIV3Schema: schema },
        })),
      },
    };
  });
}

/** The same, made once when this module is loaded. */
export const ISTIO_CRDS: readonly KubeObject[] = istioCrds();
