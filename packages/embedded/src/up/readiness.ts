import { type Clock, LabError } from '@kind-e2e/base';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { Node, Pod } from 'kubernetes-types/core/v1.d.ts';
import { waitFor } from './wait.ts';

export interface ReadinessOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly say: (detail: string) => void;
  readonly signal: AbortSignal;
}

/** Waits until every node of the lab says that it is ready. */
export async function waitForNodes(count: number, options: ReadinessOptions): Promise<void> {
  await waitFor(
    async () => {
      const { items } = await options.client.list<Node>(RESOURCES.nodes);
      const ready = items.filter((node) =>
        node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
      ).length;
      options.say(`${ready} of ${count} nodes ready`);
      return ready >= count ? true : undefined;
    },
    { ...options, what: `${count} nodes to be ready` },
  );
}

/** Waits until all deployments of a namespace are available in their newest form; a pod that cannot start ends the wait. */
export async function waitForDeployments(namespace: string, options: ReadinessOptions): Promise<void> {
  await waitFor(
    async () => {
      const { items } = await options.client.list<Deployment>(RESOURCES.deployments, { namespace });
      const missing = items
        .filter((deployment) => !isRolledOut(deployment))
        .map((deployment) => deployment.metadata?.name);
      if (missing.length === 0 && items.length > 0) return true;
      options.say(`waiting for ${missing.join(', ')}`);
      await failOnHopelessPods(namespace, options);
      return undefined;
    },
    {
      ...options,
      what: `the deployments of ${namespace}`,
      remedy: `kubectl -n ${namespace} describe pods says why (kind-e2e kubeconfig gives the kubeconfig)`,
    },
  );
}

export function isRolledOut(deployment: Deployment): boolean {
  const wanted = deployment.spec?.replicas ?? 1;
  const status = deployment.status;
  return (
    (status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0) &&
    (status?.updatedReplicas ?? 0) >= wanted &&
    (status?.availableReplicas ?? 0) >= wanted &&
    (status?.replicas ?? 0) <= wanted
  );
}

const HOPELESS = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'CreateContainerConfigError']);
const MAX_RESTARTS = 3;

async function failOnHopelessPods(namespace: string, options: ReadinessOptions): Promise<void> {
  const { items } = await options.client.list<Pod>(RESOURCES.pods, { namespace });
  for (const pod of items) {
    for (const container of pod.status?.containerStatuses ?? []) {
      const waiting = container.state?.waiting;
      const crashes = waiting?.reason === 'CrashLoopBackOff' && container.restartCount > MAX_RESTARTS;
      if (!waiting?.reason || !(HOPELESS.has(waiting.reason) || crashes)) continue;
      throw new LabError(
        `pod ${namespace}/${pod.metadata?.name} does not start: ${waiting.reason} ${waiting.message ?? ''}`,
        {
          code: 'POD_FAILED',
          side: 'user',
          remedy: `kind-e2e logs ${pod.metadata?.name} -n ${namespace} shows what it said`,
        },
      );
    }
  }
}
