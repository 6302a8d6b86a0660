import type { KubeObject } from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import { createObject } from '../operations/create.ts';
import { recordsOf } from '../operations/object-identity.ts';
import type { ApiServerOptions } from '../options.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Makes what every cluster has from the start, where it is not there yet. */
export async function bootstrapObjects(context: ApiContext, _options: ApiServerOptions, _port: number): Promise<void> {
  for (const name of NAMESPACES)
    ensure(context, '', 'v1', 'namespaces', '', { kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
  await context.store.durable();
}

export function ensure(
  context: ApiContext,
  group: string,
  version: string,
  plural: string,
  namespace: string,
  object: KubeObject,
): void {
  const resource = context.resources.find(group, version, plural);
  if (!resource) throw new Error(`no resource ${plural}.${version}.${group}`);
  if (recordsOf(context.store, resource).get(namespace, object.metadata?.name ?? '')) return;
  createObject(context, resource, namespace, object, {
    user: { name: 'system:apiserver', groups: ['system:masters'] },
    dryRun: false,
    fieldManager: 'kube-apiserver',
    warnings: [],
  });
}
