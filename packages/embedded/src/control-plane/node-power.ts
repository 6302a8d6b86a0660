import { Disposer, type Logger } from '@kind-e2e/base';
import { createInformer, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Kubelet } from '@kind-e2e/kubelet';
import type { Node } from 'kubernetes-types/core/v1.d.ts';

/** On a Node: `off` means that its machine is switched off. */
export const POWER_ANNOTATION = 'kind-e2e.io/power';

/**
 * Stops and starts nodes as their annotation says: a stopped one loses its containers and renews its lease no more,
 * and what follows is the cluster's own doing. A node that was deleted and then made again is one whose kubelet was
 * restarted: it registers and goes on.
 */
export async function watchNodePower(
  client: KubeClient,
  kubelets: readonly Kubelet[],
  logger: Logger,
): Promise<AsyncDisposable> {
  const disposer = new Disposer();
  const byName = new Map(kubelets.map((kubelet) => [kubelet.nodeName, kubelet]));
  const isOff = new Map<string, boolean>();
  const isDeleted = new Set<string>();
  const steps = new Map<string, Promise<void>>();
  const look = (node: Node): void => {
    const name = node.metadata?.name ?? '';
    const kubelet = byName.get(name);
    const wanted = node.metadata?.annotations?.[POWER_ANNOTATION] === 'off';
    if (kubelet === undefined) return;
    const wasOff = isOff.get(name) ?? false;
    const isBack = isDeleted.delete(name);
    isOff.set(name, wanted);
    if (wanted !== wasOff) {
      logger.info(wanted ? 'a node is switched off' : 'a node is switched on', { node: name });
      enqueue(name, () => (wanted ? kubelet.stopNode() : kubelet.startNode()));
    } else if (isBack && !wanted) {
      logger.info('a node that was deleted is back, its kubelet is restarted', { node: name });
      enqueue(name, () => kubelet.restart());
    }
  };
  const enqueue = (name: string, work: () => Promise<void>): void => {
    const step = (steps.get(name) ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) => logger.error('a node could not be switched', { node: name, error }));
    steps.set(name, step);
  };
  const informer = disposer.use(createInformer<Node>({ client, resource: RESOURCES.nodes, logger }));
  informer.addHandler({
    added: look,
    updated: (before, node) => {
      // Deleted and made again within one look.
      if (before.metadata?.uid !== node.metadata?.uid) isDeleted.add(node.metadata?.name ?? '');
      look(node);
    },
    deleted: (node) => void isDeleted.add(node.metadata?.name ?? ''),
  });
  await informer.synced;
  return {
    [Symbol.asyncDispose]: async () => {
      await disposer[Symbol.asyncDispose]();
      await Promise.all(steps.values());
    },
  };
}
