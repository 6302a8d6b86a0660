import { formatTime, scaledValue } from '@kind-e2e/kube-api';
import { createController, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from 'kubernetes-types/policy/v1.d.ts';
import { withCondition } from '../conditions.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { controllerOf } from '../ownership/owner-references.ts';
import { selects } from '../ownership/selectors.ts';
import { isPodReady, isPodTerminal } from '../pods/pod-state.ts';

/** An eviction that was allowed but whose pod is still there after this was not carried out (disruption.go DeletionTimeout). */
const DELETION_TIMEOUT_MS = 120_000;

/** A problem with what a budget asks of its pods' controllers; told as an event. */
class BudgetError extends Error {
  override readonly name = 'BudgetError';
}

/** Keeps the status of PodDisruptionBudgets, by which evictions are allowed (upstream pkg/controller/disruption). */
export function startPdbController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const budgets = informers.of('poddisruptionbudgets');
  const pods = informers.of('pods');
  const replicaSets = informers.of('replicasets');
  const deployments = informers.of('deployments');
  const statefulSets = informers.of('statefulsets');
  const controllers = informers.of('replicationcontrollers');
  const recorder = context.recorder('controllermanager');

  /** The size that the topmost known controller of a pod wants, by its uid. */
  function wantedBy(pod: Pod): { readonly uid: string; readonly replicas: number } | undefined {
    const owner = controllerOf(pod);
    const namespace = pod.metadata?.namespace;
    if (!owner) return undefined;
    switch (owner.kind) {
      case 'ReplicaSet': {
        const rs = replicaSets.get(owner.name, namespace);
        const parent = rs ? controllerOf(rs) : undefined;
        const deployment = parent?.kind === 'Deployment' ? deployments.get(parent.name, namespace) : undefined;
        if (parent && deployment) return { uid: parent.uid, replicas: deployment.spec?.replicas ?? 1 };
        return rs ? { uid: owner.uid, replicas: rs.spec?.replicas ?? 1 } : undefined;
      }
      case 'StatefulSet': {
        const set = statefulSets.get(owner.name, namespace);
        return set ? { uid: owner.uid, replicas: set.spec?.replicas ?? 1 } : undefined;
      }
      case 'ReplicationController': {
        const rc = controllers.get(owner.name, namespace);
        return rc ? { uid: owner.uid, replicas: rc.spec?.replicas ?? 1 } : undefined;
      }
    }
    return undefined;
  }

  function expectedScale(own: readonly Pod[]): number {
    const sizes = new Map<string, number>();
    for (const pod of own) {
      if (!controllerOf(pod)) continue;
      const found = wantedBy(pod);
      if (!found) {
        const owner = controllerOf(pod);
        throw new BudgetError(
          `found no controllers for pod "${pod.metadata?.name}": ${owner?.kind} "${owner?.name}" does not implement the scale subresource`,
        );
      }
      sizes.set(found.uid, found.replicas);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /** disruption.go getExpectedPodCount. */
  function countsOf(budget: PodDisruptionBudget, own: readonly Pod[]): { expected: number; desired: number } {
    const { minAvailable, maxUnavailable } = budget.spec ?? {};
    if (maxUnavailable !== undefined && maxUnavailable !== null) {
      const expected = expectedScale(own);
      return { expected, desired: Math.max(0, expected - (scaledValue(maxUnavailable, expected, true) ?? 0)) };
    }
    if (minAvailable === undefined || minAvailable === null) return { expected: own.length, desired: 0 };
    if (typeof minAvailable === 'number') return { expected: own.length, desired: minAvailable };
    const expected = expectedScale(own);
    return { expected, desired: scaledValue(minAvailable, expected, true) ?? 0 };
  }

  function statusOf(
    budget: PodDisruptionBudget,
    own: readonly Pod[],
  ): { status: PodDisruptionBudgetStatus; requeueAfterMs: number | undefined } {
    const now = clock.now();
    const disrupted: Record<string, string> = {};
    let recheck: number | undefined;
    for (const [name, time] of Object.entries(budget.status?.disruptedPods ?? {})) {
      const pod = own.find((candidate) => candidate.metadata?.name === name);
      if (!pod || pod.metadata?.deletionTimestamp) continue;
      const left = Date.parse(time) + DELETION_TIMEOUT_MS - now;
      if (left <= 0) {
        recorder.event(
          pod,
          'Warning',
          'NotDeleted',
          `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`,
        );
        continue;
      }
      disrupted[name] = time;
      recheck = Math.min(recheck ?? left, left);
    }
    const healthy = own.filter(
      (pod) =>
        !pod.metadata?.deletionTimestamp && !(pod.metadata?.name && pod.metadata.name in disrupted) && isPodReady(pod),
    ).length;
    const { expected, desired } = countsOf(budget, own);
    const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0;
    const conditions = withCondition(
      budget.status?.conditions,
      {
        type: 'DisruptionAllowed',
        status: allowed > 0 ? 'True' : 'False',
        reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        observedGeneration: budget.metadata?.generation ?? 0,
        lastTransitionTime: formatTime(now),
      },
      now,
    );
    return {
      status: {
        observedGeneration: budget.metadata?.generation ?? 0,
        ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
        disruptionsAllowed: allowed,
        currentHealthy: healthy,
        desiredHealthy: desired,
        expectedPods: expected,
        conditions: conditions.map((condition) =>
          condition.type === 'DisruptionAllowed'
            ? { ...condition, observedGeneration: budget.metadata?.generation ?? 0 }
            : condition,
        ),
      },
      requeueAfterMs: recheck,
    };
  }

  const keysOfPod = (pod: Pod): string[] =>
    budgets
      .list(pod.metadata?.namespace)
      .filter((budget) => selects(budget.spec?.selector, pod.metadata?.labels))
      .map(keyOf);
  const keysIn = (object: { metadata?: { namespace?: string } }): string[] =>
    budgets.list(object.metadata?.namespace).map(keyOf);

  return createController({
    name: 'disruption-controller',
    clock,
    logger: context.logger,
    concurrency: 2,
    sources: [
      source(budgets, (budget) => [keyOf(budget)]),
      source(pods, keysOfPod),
      source(deployments, keysIn),
      source(statefulSets, keysIn),
      source(replicaSets, keysIn),
      source(controllers, keysIn),
    ],
    reconcile: async ({ namespace, name, signal }) => {
      const budget = budgets.get(name, namespace);
      if (!budget) return undefined;
      const own = pods
        .list(namespace)
        .filter((pod) => selects(budget.spec?.selector, pod.metadata?.labels) && !isPodTerminal(pod));
      if (own.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found');
      try {
        const { status, requeueAfterMs } = statusOf(budget, own);
        if (!isSameJson(status, budget.status))
          await client.update<PodDisruptionBudget>(
            RESOURCES.poddisruptionbudgets,
            { ...budget, status },
            { subresource: 'status', signal },
          );
        return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
      } catch (error) {
        if (!(error instanceof BudgetError)) throw error;
        recorder.event(
          budget,
          'Warning',
          'CalculateExpectedPodCountFailed',
          `Failed to calculate the number of expected pods: ${error.message}`,
        );
        const now = clock.now();
        const status = {
          disruptionsAllowed: 0,
          currentHealthy: 0,
          desiredHealthy: 0,
          expectedPods: 0,
          ...budget.status,
          conditions: withCondition(
            budget.status?.conditions,
            {
              type: 'DisruptionAllowed',
              status: 'False',
              reason: 'SyncFailed',
              message: error.message,
              lastTransitionTime: formatTime(now),
            },
            now,
          ),
        };
        if (!isSameJson({ ...status, disruptionsAllowed: 0 }, budget.status))
          await client.update<PodDisruptionBudget>(
            RESOURCES.poddisruptionbudgets,
            { ...budget, status: { ...status, disruptionsAllowed: 0 } },
            { subresource: 'status', signal },
          );
        return undefined;
      }
    },
  });
}
