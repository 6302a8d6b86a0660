import { messageOf } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import type { KubeClient } from '@kind-e2e/kube-client';
import { discoverResources, type ServedResource } from '../discovery/served-resources.ts';

/** What one pass over a namespace's content found. */
export interface ContentReport {
  readonly discoveryFailures: ReadonlyMap<string, string>;
  readonly deletionFailures: readonly string[];
  /** `pods.` or `deployments.apps` → objects that are still there. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Finalizer → objects that wait for it. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/**
 * Asks for the deletion of all that is in a namespace, pods first and the rest when they are gone, and counts what
 * remains (upstream pkg/controller/namespace/deletion, with ordered deletion).
 */
export async function deleteContent(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<ContentReport> {
  const { resources, failures } = await discoverResources(client, signal);
  const deletable = resources.filter(
    ({ namespaced, verbs }) => namespaced && verbs.includes('list') && verbs.includes('delete'),
  );
  const isPods = ({ group, resource }: ServedResource): boolean => group === '' && resource === 'pods';
  const deletionFailures: string[] = [];
  const remaining = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const empty = async (resource: ServedResource): Promise<void> => {
    try {
      const left = await emptyResource(client, resource, namespace, signal);
      if (left.length === 0) return;
      remaining.set(`${resource.resource}.${resource.group}`, left.length);
      for (const finalizer of left.flatMap((names) => [...names]))
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    } catch (error) {
      if (signal.aborted) throw error;
      // 404, 405: the resource went away (a CRD that was deleted) or cannot be listed.
      if (!isStatusError(error, 404) && !isStatusError(error, 405))
        deletionFailures.push(`${resource.resource}.${resource.group}: ${messageOf(error)}`);
    }
  };
  for (const resource of deletable.filter(isPods)) await empty(resource);
  if (remaining.size === 0) await Promise.all(deletable.filter((resource) => !isPods(resource)).map(empty));
  return { discoveryFailures: failures, deletionFailures, remaining, finalizers };
}

/** The finalizers of each object that is left after the deletion was asked for. */
async function emptyResource(
  client: KubeClient,
  resource: ServedResource,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly (readonly string[])[]> {
  const list = async (): Promise<readonly (readonly string[])[]> => {
    const { items } = await client.list(resource, { namespace, metadataOnly: true, signal });
    return items.map((item) => item.metadata?.finalizers ?? []);
  };
  const before = await list();
  if (before.length === 0) return before;
  if (resource.verbs.includes('deletecollection'))
    await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background', signal });
  else await deleteOneByOne(client, resource, namespace, signal);
  return await list();
}

async function deleteOneByOne(
  client: KubeClient,
  resource: ServedResource,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const { items } = await client.list(resource, { namespace, metadataOnly: true, signal });
  for (const item of items) {
    try {
      const name = item.metadata?.name ?? '';
      await client.delete(resource, { name, namespace }, { propagationPolicy: 'Background', signal });
    } catch (error) {
      if (!isStatusError(error, 404)) throw error;
    }
  }
}
