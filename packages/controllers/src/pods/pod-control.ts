import { messageOf } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, type EventRecorder, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Pod, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import { controllerReference, type OwnerKind } from '../ownership/owner-references.ts';

export interface PodWriter {
  readonly client: KubeClient;
  readonly recorder: EventRecorder;
  readonly signal?: AbortSignal;
}

/** The pod that a template makes for its owner, with a generated name (controller.GetPodFromTemplate). */
export function podFromTemplate(template: PodTemplateSpec, owner: ApiObject, ownerKind: OwnerKind): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata?.name}-`,
      namespace: owner.metadata?.namespace,
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [controllerReference(owner, ownerKind)],
    },
    ...(template.spec ? { spec: structuredClone(template.spec) } : {}),
  };
}

/** Creates a pod and tells of it as an event of its owner (controller.RealPodControl). */
export async function createPod(writer: PodWriter, pod: Pod, owner: ApiObject): Promise<Pod> {
  try {
    const created = await writer.client.create<Pod>(RESOURCES.pods, pod, { signal: writer.signal });
    writer.recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata?.name}`);
    return created;
  } catch (error) {
    if (!isNamespaceTerminating(error) && !writer.signal?.aborted)
      writer.recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    throw error;
  }
}

/** Deletes a pod and tells of it; a pod that is gone already counts as deleted. */
export async function deletePod(writer: PodWriter, pod: Pod, owner: ApiObject): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata ?? {};
  try {
    await writer.client.delete(
      RESOURCES.pods,
      { name, namespace },
      { signal: writer.signal, ...(uid === undefined ? {} : { preconditions: { uid } }) },
    );
    writer.recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  } catch (error) {
    // 409: the pod of that uid is gone and another one has its name.
    if (isStatusError(error, 404) || isStatusError(error, 409)) return;
    if (!writer.signal?.aborted)
      writer.recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    throw error;
  }
}

/** Nothing can be made in a namespace that is being deleted, and trying again does not help. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    isStatusError(error, 403) &&
    (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating')
  );
}

/**
 * Calls `work` `count` times in batches of 1, 2, 4, …, and stops after a batch with a failure, so that what is refused
 * is not asked a thousand times (replica_set.go slowStartBatch). Gives the number that worked and the first error.
 */
export async function slowStartBatch(
  count: number,
  work: (index: number) => Promise<void>,
): Promise<{ readonly successes: number; readonly error?: unknown }> {
  let done = 0;
  let successes = 0;
  for (let size = Math.min(count, 1); size > 0; size = Math.min(2 * size, count - done)) {
    const results = await Promise.allSettled(Array.from({ length: size }, (_, index) => work(done + index)));
    const failed = results.filter((result) => result.status === 'rejected');
    successes += size - failed.length;
    done += size;
    if (failed[0]) return { successes, error: failed[0].reason };
  }
  return { successes };
}
