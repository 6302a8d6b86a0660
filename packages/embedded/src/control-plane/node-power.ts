import { Disposer, type Logger } from '@kind-e2e/base';
import { createInformer, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Kubelet } from '@kind-e2e/kubelet';
import type { Node } from 'kubernetes-types/core/v1.d.ts';

/** On a Node: `off` means that its machine is switched off. */
export const POWER_ANNOTATION = 'kind-e2e.io/power';

/**
 * Stops and starts nodes as their annotation says: a stopped one loses its containers and renews its lease no more,
 * and what follows is the cluster's own doing.
 */
export async function watchNodePower(
  client: KubeClient,
  kubelets: readonly Kubelet[],
  logger: Logger,
): Promise<AsyncDisposable> {
  const disposer = new Disposer();
  const byName = new Map(kubelets.map((kubelet) => [kubelet.nodeName, kubelet]));
  const isOff = new Map<string, boolean>();
  const steps = new Map<string, Promise<void>>();
  const look = (node: Node): void => {
    const name = node.metadata?.name ?? '';
    const kubelet = byName.get(name);
    const wanted = node.metadata?.annotations?.[POWER_ANNOTATION] === 'off';
    if (kubelet === undefined || wanted === (isOff.get(name) ?? false)) return;
    isOff.set(name, wanted);
    logger.info(wanted ? 'a node is switched off' : 'a node is switched on', { node: name });
    const step = (steps.get(name) ?? Promise.resolve())
      .then(() => (wanted ? kubelet.stopNode() : kubelet.startNode()))
      .catch((error: unknown) => logger.error('a node could not be switched', { node: name, error }));
    steps.set(name, step);
  };
  const informer = disposer.use(createInformer<Node>({ client, resource: RESOURCES.nodes, logger }));
  informer.addHandler({ added: look, updated: (_before, node) => look(node), deleted: () => undefined });
  await informer.synced;
  return {
    [Symbol.asyncDispose]: async () => {
      await disposer[Symbol.asyncDispose]();
      await Promise.all(steps.values());
    },
  };
}
