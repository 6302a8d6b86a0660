import type { KubeObject } from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import { createObject } from '../operations/create.ts';
import { recordsOf, sectionOf } from '../operations/object-identity.ts';
import { ownWrite } from '../operations/own-write.ts';
import { servedCopy, updateObject } from '../operations/update.ts';
import { apiServices } from './api-services.ts';
import { bootstrapRoles } from './bootstrap-roles.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const HTTPS_PORT = 443;

export interface BootstrapOptions {
  readonly apiServiceAddress: string;
  readonly host: string;
  readonly port: number;
}

/** Makes what every cluster has from the start, where it is not there yet; brings roles and addresses up to date. */
export async function bootstrapObjects(context: ApiContext, options: BootstrapOptions): Promise<void> {
  for (const name of NAMESPACES) await ensure(context, 'v1', 'Namespace', { metadata: { name } });
  for (const object of [...priorityClasses(), ...bootstrapRoles()])
    await ensure(context, object.apiVersion ?? '', object.kind ?? '', object, object.kind?.endsWith('Role'));
  await ensure(
    context,
    'v1',
    'Service',
    {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { component: 'apiserver', provider: 'kubernetes' },
      },
      spec: {
        type: 'ClusterIP',
        clusterIP: options.apiServiceAddress,
        clusterIPs: [options.apiServiceAddress],
        ports: [{ name: 'https', protocol: 'TCP', port: HTTPS_PORT, targetPort: options.port }],
      },
    } as KubeObject,
    true,
  );
  await ensure(
    context,
    'v1',
    'Endpoints',
    {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
      },
      subsets: [{ addresses: [{ ip: options.host }], ports: [{ name: 'https', port: options.port, protocol: 'TCP' }] }],
    } as KubeObject,
    true,
  );
  await ensure(
    context,
    'discovery.k8s.io/v1',
    'EndpointSlice',
    {
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [options.host], conditions: { ready: true } }],
      ports: [{ name: 'https', port: options.port, protocol: 'TCP' }],
    } as KubeObject,
    true,
  );
  await ensure(context, 'networking.k8s.io/v1', 'ServiceCIDR', {
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [context.services.cidr] },
  } as KubeObject);
  for (const object of apiServices(context.resources)) {
    await ensure(context, object.apiVersion ?? '', object.kind ?? '', object);
    await makeAvailable(context, object);
  }
  await context.store.durable();
}

/** The status of an APIService, which creation leaves out. */
async function makeAvailable(context: ApiContext, wanted: KubeObject): Promise<void> {
  const resource = context.resources.find('apiregistration.k8s.io', 'v1', 'apiservices');
  const current = resource ? recordsOf(context.store, resource).get('', wanted.metadata?.name ?? '') : undefined;
  if (!resource || !current || Array.isArray(sectionOf(current.object, 'status').conditions)) return;
  const next = { ...servedCopy(resource, current), status: sectionOf(wanted, 'status') } as KubeObject;
  await updateObject(context, resource, current, next, { ...ownWrite(), subresource: 'status' });
}

/** Creates an object, or (with `keep`) makes an existing one as it is given here. */
async function ensure(
  context: ApiContext,
  apiVersion: string,
  kind: string,
  object: KubeObject,
  keep = false,
): Promise<void> {
  const resource = context.resources.findKind(apiVersion, kind);
  if (!resource) throw new Error(`no kind ${kind} in ${apiVersion}`);
  const namespace = object.metadata?.namespace ?? '';
  const { object: decoded } = resource.behavior.decode({ ...object, apiVersion, kind }, 'Strict');
  resource.behavior.setDefaults(decoded);
  const current = recordsOf(context.store, resource).get(namespace, object.metadata?.name ?? '');
  const options = ownWrite();
  if (!current) await createObject(context, resource, namespace, decoded, options);
  else if (keep) {
    const live = servedCopy(resource, current);
    const metadata = {
      ...live.metadata,
      labels: { ...live.metadata?.labels, ...decoded.metadata?.labels },
    };
    await updateObject(context, resource, current, { ...live, ...decoded, metadata }, { ...options, subresource: '' });
  }
}

function priorityClasses(): KubeObject[] {
  const priorityClass = (name: string, value: number, description: string): KubeObject =>
    ({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      description,
    }) as KubeObject;
  return [
    priorityClass(
      'system-node-critical',
      2_000_001_000,
      'Used for system critical pods that must not be moved from their current node.',
    ),
    priorityClass(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
  ];
}
