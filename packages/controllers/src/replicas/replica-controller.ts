import { Disposer, messageOf } from '@kind-e2e/base';
import type { GroupVersionResource } from '@kind-e2e/kube-api';
import { type ApiObject, createController, type Informer, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { ReplicaSetStatus } from 'kubernetes-types/apps/v1.d.ts';
import type { Pod, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import { withCondition, withoutCondition } from '../conditions.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { claimObjects } from '../ownership/claim.ts';
import { controllerOf, keysOfController, type OwnerKind } from '../ownership/owner-references.ts';
import { PodExpectations } from '../pods/expectations.ts';
import { createPod, deletePod, isNamespaceTerminating, podFromTemplate, slowStartBatch } from '../pods/pod-control.ts';
import { rankForDeletion } from '../pods/pod-ranking.ts';
import { availableInMs, isPodActive, isPodAvailable, isPodReady, isPodTerminating } from '../pods/pod-state.ts';

/** Most pods made or deleted in one go (replica_set.go BurstReplicas). */
const BURST_REPLICAS = 500;

/** The status fields that ReplicaSets and ReplicationControllers share; terminatingReplicas is newer than the types. */
export type ReplicasStatus = Partial<ReplicaSetStatus> & { terminatingReplicas?: number };

/** A set of equal pods: a ReplicaSet, or a ReplicationController seen as one. */
export interface ReplicaOwner extends ApiObject {
  status?: object;
}

export interface ReplicaKind<T extends ReplicaOwner> {
  readonly name: string;
  readonly owner: OwnerKind;
  readonly resource: GroupVersionResource;
  readonly informer: Informer<T>;
  readonly replicas: (owner: T) => number;
  readonly minReadySeconds: (owner: T) => number;
  readonly template: (owner: T) => PodTemplateSpec;
  readonly matches: (owner: T, labels: Readonly<Record<string, string>> | undefined) => boolean;
  readonly status: (owner: T) => ReplicasStatus;
  readonly withTerminating: boolean;
  /** Pods of the same workload, by which nodes are ranked when pods are deleted. */
  readonly relatedPods: (owner: T, own: readonly Pod[]) => readonly Pod[];
}

/**
 * Keeps the number of pods of each owner at `spec.replicas` (upstream pkg/controller/replicaset): adopts and releases
 * by label, makes pods in growing batches, deletes the least useful ones, writes the status.
 */
export function startReplicaController<T extends ReplicaOwner>(
  context: ControllerContext,
  kind: ReplicaKind<T>,
): AsyncDisposable {
  const { client, clock, informers } = context;
  const pods = informers.of('pods');
  const recorder = context.recorder(kind.name);
  const disposer = new Disposer();
  const expectations = disposer.use(new PodExpectations(pods, clock, (key) => controller.enqueue(key)));

  const keysOfPod = (pod: Pod): readonly string[] => {
    if (controllerOf(pod)) return keysOfController(pod, kind.owner);
    if (pod.metadata?.deletionTimestamp !== undefined) return [];
    return kind.informer
      .list(pod.metadata?.namespace)
      .filter((owner) => kind.matches(owner, pod.metadata?.labels))
      .map(keyOf);
  };

  /** Brings the number of pods closer to the wanted one. */
  async function manage(owner: T, key: string, active: readonly Pod[], signal: AbortSignal): Promise<unknown> {
    const writer = { client, recorder, signal };
    const difference = active.length - kind.replicas(owner);
    if (difference < 0) {
      const count = Math.min(-difference, BURST_REPLICAS);
      const result = await slowStartBatch(count, async () => {
        const pod = podFromTemplate(kind.template(owner), owner, kind.owner);
        expectations.created(key, await createPod(writer, pod, owner));
      });
      return isNamespaceTerminating(result.error) ? undefined : result.error;
    }
    if (difference > 0) {
      const ranked = rankForDeletion(active, kind.relatedPods(owner, active), clock.now());
      const doomed = ranked.slice(0, Math.min(difference, BURST_REPLICAS));
      const results = await Promise.allSettled(
        doomed.map(async (pod) => {
          await deletePod(writer, pod, owner);
          expectations.deleted(key, pod);
        }),
      );
      return results.find((result) => result.status === 'rejected')?.reason;
    }
    return undefined;
  }

  function statusOf(owner: T, all: readonly Pod[], active: readonly Pod[], failure: unknown): ReplicasStatus {
    const now = clock.now();
    const before = kind.status(owner);
    const minReadySeconds = kind.minReadySeconds(owner);
    const labels = Object.entries(kind.template(owner).metadata?.labels ?? {});
    const ready = active.filter(isPodReady);
    let conditions = before.conditions ?? [];
    if (failure === undefined) conditions = withoutCondition(conditions, 'ReplicaFailure');
    else
      conditions = withCondition(
        conditions,
        {
          type: 'ReplicaFailure',
          status: 'True',
          reason: active.length < kind.replicas(owner) ? 'FailedCreate' : 'FailedDelete',
          message: messageOf(failure),
        },
        now,
      );
    return {
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) => labels.every(([k, v]) => pod.metadata?.labels?.[k] === v)).length,
      readyReplicas: ready.length,
      availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length,
      ...(kind.withTerminating ? { terminatingReplicas: all.filter(isPodTerminating).length } : {}),
      observedGeneration: owner.metadata?.generation ?? 0,
      ...(conditions.length > 0 ? { conditions } : {}),
    };
  }

  const controller = createController({
    name: kind.name,
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [source(kind.informer, (owner) => [keyOf(owner)]), source(pods, keysOfPod)],
    reconcile: async ({ namespace, name, key, signal }) => {
      const owner = kind.informer.get(name, namespace);
      if (!owner) {
        expectations.forget(key);
        return undefined;
      }
      const mayManage = expectations.areMet(key);
      const claimed = await claimObjects<Pod>({
        client,
        owner,
        ownerKind: kind.owner,
        ownerResource: kind.resource,
        resource: RESOURCES.pods,
        candidates: [...pods.byIndex('controller', owner.metadata?.uid ?? ''), ...pods.byIndex('orphan', namespace)],
        matches: (pod) => kind.matches(owner, pod.metadata?.labels),
        signal,
      });
      const active = claimed.filter(isPodActive);
      const isDeleting = owner.metadata?.deletionTimestamp !== undefined;
      const failure = mayManage && !isDeleting ? await manage(owner, key, active, signal) : undefined;
      const status = statusOf(owner, claimed, active, failure);
      if (!isSameJson(kind.status(owner), status))
        await client.update(kind.resource, { ...owner, status }, { subresource: 'status', signal });
      if (failure !== undefined) throw failure;
      const waits = active
        .map((pod) => availableInMs(pod, kind.minReadySeconds(owner), clock.now()))
        .filter((ms) => ms !== undefined);
      return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) + 1 } : undefined;
    },
  });
  disposer.use(controller);
  return disposer;
}
