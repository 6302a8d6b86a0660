import { badRequest, isRecord, type KubeObject, notFound, serviceUnavailable } from '@kind-e2e/kube-api';
import { recordsIn } from '../admission/pod-parts.ts';
import type { ApiContext } from '../api-context.ts';
import { sectionOf } from '../operations/object-identity.ts';

/** Where a request is passed on to. */
export interface StreamTarget {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Authority that signed the target's certificate; undefined: it is not checked. */
  readonly caPem?: string;
  /** Path with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const KUBELET_PORT = 10_250;
const ADDRESS_TYPES = ['InternalIP', 'Hostname', 'ExternalIP'];

/** The kubelet API of a node, as the node's status says (pkg/kubelet/client `GetConnectionInfo`). */
export function kubeletTarget(context: ApiContext, nodeName: string, path: string): StreamTarget {
  const node = context.store.collection('nodes').get('', nodeName);
  if (!node) throw notFound({ group: '', resource: 'nodes' }, nodeName);
  const status = sectionOf(node.object, 'status');
  const addresses = recordsIn(status, 'addresses');
  const address = ADDRESS_TYPES.map((type) => addresses.find((one) => one.type === type)?.address).find(
    (one) => typeof one === 'string' && one !== '',
  );
  if (typeof address !== 'string') throw serviceUnavailable('no preferred addresses found; known addresses: []');
  const endpoint = isRecord(status.daemonEndpoints) ? status.daemonEndpoints.kubeletEndpoint : undefined;
  const given = isRecord(endpoint) ? (endpoint.Port ?? endpoint.port) : undefined;
  const { token, caPem, scheme } = context.kubelets;
  return {
    host: address,
    port: typeof given === 'number' && given > 0 ? given : KUBELET_PORT,
    isTls: scheme !== 'http',
    ...(caPem === undefined ? {} : { caPem }),
    path,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
  };
}

/** The node of a pod; '' while it has none. */
export function nodeOf(pod: KubeObject): string {
  const { nodeName } = sectionOf(pod, 'spec');
  return typeof nodeName === 'string' ? nodeName : '';
}

/** The container that a request is about: the one it names, the pod's only one, or its default (registry/core/pod `LogLocation`). */
export function containerOf(pod: KubeObject, wanted: string): string {
  const spec = sectionOf(pod, 'spec');
  const namesIn = (list: string): string[] => recordsIn(spec, list).map(({ name }) => String(name));
  const containers = namesIn('containers');
  const inits = namesIn('initContainers');
  const ephemerals = namesIn('ephemeralContainers');
  const podName = pod.metadata?.name ?? '';
  if (wanted !== '') {
    if ([...containers, ...inits, ...ephemerals].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${podName}`);
  }
  const only = containers[0];
  if (only !== undefined && containers.length === 1) return only;
  const preferred = pod.metadata?.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred !== undefined && containers.includes(preferred)) return preferred;
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${podName}`);
  const list = (names: readonly string[]): string => `[${names.join(' ')}]`;
  throw badRequest(
    `a container name must be specified for pod ${podName}, choose one of: ${list(containers)}${inits.length > 0 ? ` or one of the init containers: ${list(inits)}` : ''}${ephemerals.length > 0 ? ` or one of the ephemeral containers: ${list(ephemerals)}` : ''}`,
  );
}
