import { messageOf } from '@kind-e2e/base';
import { isStatusError, scaledValue } from '@kind-e2e/kube-api';
import { type EventRecorder, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from 'kubernetes-types/apps/v1.d.ts';
import type { PersistentVolumeClaim, Pod } from 'kubernetes-types/core/v1.d.ts';
import { isPodAvailable, isPodReady, isPodTerminal } from '../pods/pod-state.ts';
import { templateOf } from '../revisions/controller-revisions.ts';
import { keepClaimOwners } from './claim-owners.ts';
import { claimsOf, ordinalOf, revisionNameOf, startOrdinal, statefulPod } from './stateful-pods.ts';

export interface StatefulPass {
  readonly client: KubeClient;
  readonly recorder: EventRecorder;
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Counts of the pods as they are, those that are on their way out among them (stateful_set_control.go computeReplicaStatus). */
export function statefulStatus(pass: StatefulPass, collisionCount: number | undefined): StatefulSetStatus {
  const { set, pods, current, update, nowMs } = pass;
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const [currentRevision = '', updateRevision = ''] = [current.metadata?.name, update.metadata?.name];
  const living = pods.filter((pod) => !pod.metadata?.deletionTimestamp);
  const ready = pods.filter(isRunningAndReady);
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata?.generation ?? 0,
    replicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length,
    currentReplicas: living.filter((pod) => revisionNameOf(pod) === currentRevision).length,
    updatedReplicas: living.filter((pod) => revisionNameOf(pod) === updateRevision).length,
    currentRevision,
    updateRevision,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
  };
  const isRolling = (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
  const isDone =
    isRolling &&
    status.updatedReplicas === status.replicas &&
    status.readyReplicas === status.replicas &&
    status.replicas === (set.spec?.replicas ?? 1);
  return isDone ? { ...status, currentReplicas: status.updatedReplicas ?? 0, currentRevision: updateRevision } : status;
}

/**
 * One step towards the wanted pods: creates in order, waits for readiness, removes from the end, then updates from the
 * end (stateful_set_control.go updateStatefulSet). `Parallel` does not wait.
 */
export async function stepStatefulSet(pass: StatefulPass): Promise<void> {
  const { set, pods } = pass;
  const isMonotonic = (set.spec?.podManagementPolicy ?? 'OrderedReady') !== 'Parallel';
  const start = startOrdinal(set);
  const end = start + (set.spec?.replicas ?? 1);
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]));
  for (let ordinal = start; ordinal < end; ordinal++) {
    const mayGoOn = await ensurePod(pass, ordinal, byOrdinal.get(ordinal), isMonotonic);
    if (!mayGoOn) return;
  }
  const condemned = pods
    .filter((pod) => ordinalOf(set, pod) >= end || (ordinalOf(set, pod) >= 0 && ordinalOf(set, pod) < start))
    .toSorted((a, b) => ordinalOf(set, b) - ordinalOf(set, a));
  const firstUnhealthy = condemned.filter((pod) => !isHealthy(pass, pod)).at(-1);
  for (const pod of condemned) {
    if (pod.metadata?.deletionTimestamp) {
      if (isMonotonic) return;
      continue;
    }
    if (isMonotonic && !isHealthy(pass, pod) && pod !== firstUnhealthy) return;
    await keepClaimOwners(pass, pod, true);
    await remove(pass, pod);
    if (isMonotonic) return;
  }
  if ((set.spec?.updateStrategy?.type ?? 'RollingUpdate') !== 'OnDelete') await updatePods(pass, byOrdinal, start, end);
}

/** False where the next ordinals must wait. */
async function ensurePod(
  pass: StatefulPass,
  ordinal: number,
  pod: Pod | undefined,
  isMonotonic: boolean,
): Promise<boolean> {
  const { set, recorder } = pass;
  if (pod && isPodTerminal(pod)) {
    if (!pod.metadata?.deletionTimestamp) {
      const { namespace, name } = set.metadata ?? {};
      recorder.event(
        set,
        pod.status?.phase === 'Failed' ? 'Warning' : 'Normal',
        pod.status?.phase === 'Failed' ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod',
        `StatefulSet ${namespace}/${name} is recreating ${pod.status?.phase === 'Failed' ? 'failed' : 'terminated'} Pod ${pod.metadata?.name}`,
      );
      await remove(pass, pod);
    }
    return !isMonotonic;
  }
  if (!pod) {
    await createWithClaims(pass, ordinal);
    return !isMonotonic;
  }
  if (pod.status?.phase === 'Pending') await ensureClaims(pass, ordinal, pod.metadata?.name ?? '');
  await keepClaimOwners(pass, pod, false);
  if (!isMonotonic) return true;
  return !pod.metadata?.deletionTimestamp && isHealthy(pass, pod);
}

async function updatePods(
  pass: StatefulPass,
  byOrdinal: ReadonlyMap<number, Pod>,
  start: number,
  end: number,
): Promise<void> {
  const { set, update } = pass;
  const rolling = set.spec?.updateStrategy?.rollingUpdate;
  const first = start + (rolling?.partition ?? 0);
  const most = Math.max(1, scaledValue(rolling?.maxUnavailable ?? 1, set.spec?.replicas ?? 1, true) ?? 1);
  let unavailable = 0;
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (!pod || !isHealthy(pass, pod)) unavailable++;
  }
  for (let ordinal = end - 1; ordinal >= first; ordinal--) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) return;
    const isOld = revisionNameOf(pod) !== update.metadata?.name;
    if (isOld && !pod.metadata?.deletionTimestamp) {
      // An old pod that does not work is replaced even where others are away; a working one waits its turn.
      if (isHealthy(pass, pod)) {
        if (unavailable >= most) return;
        unavailable++;
      }
      await remove(pass, pod);
      if (most === 1) return;
      continue;
    }
    if (!isHealthy(pass, pod) && most === 1) return;
  }
}

function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod);
}

function isHealthy({ set, nowMs }: StatefulPass, pod: Pod): boolean {
  return (
    pod.metadata?.deletionTimestamp === undefined &&
    isRunningAndReady(pod) &&
    isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
  );
}

async function createWithClaims(pass: StatefulPass, ordinal: number): Promise<void> {
  const { client, recorder, set, current, update, signal } = pass;
  const rolling = set.spec?.updateStrategy?.rollingUpdate;
  const firstUpdated = startOrdinal(set) + (rolling ? (rolling.partition ?? 0) : (set.status?.currentReplicas ?? 0));
  const isRolling = (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
  const revision = isRolling && ordinal < firstUpdated ? current : update;
  const template = templateOf(revision) ?? set.spec?.template ?? {};
  const pod = statefulPod(set, template, revision.metadata?.name ?? '', ordinal);
  const { name } = pod.metadata ?? {};
  await ensureClaims(pass, ordinal, name ?? '');
  try {
    await client.create<Pod>(RESOURCES.pods, pod, { signal });
    recorder.event(
      set,
      'Normal',
      'SuccessfulCreate',
      `create Pod ${name} in StatefulSet ${set.metadata?.name} successful`,
    );
  } catch (error) {
    // The cache is behind: the pod's event brings the set back.
    if (isStatusError(error, 409) && error.reason === 'AlreadyExists') return;
    recorder.event(
      set,
      'Warning',
      'FailedCreate',
      `create Pod ${name} in StatefulSet ${set.metadata?.name} failed error: ${messageOf(error)}`,
    );
    throw error;
  }
}

async function ensureClaims(pass: StatefulPass, ordinal: number, podName: string): Promise<void> {
  const { client, recorder, set, signal } = pass;
  for (const claim of claimsOf(set, ordinal)) {
    const name = claim.metadata?.name ?? '';
    if (pass.claim(name)) continue;
    try {
      await client.create(RESOURCES.persistentvolumeclaims, claim, { signal });
      recorder.event(
        set,
        'Normal',
        'SuccessfulCreate',
        `create Claim ${name} Pod ${podName} in StatefulSet ${set.metadata?.name} success`,
      );
    } catch (error) {
      if (isStatusError(error, 409) && error.reason === 'AlreadyExists') continue;
      recorder.event(
        set,
        'Warning',
        'FailedCreate',
        `create Claim ${name} for Pod ${podName} in StatefulSet ${set.metadata?.name} failed error: ${messageOf(error)}`,
      );
      throw error;
    }
  }
}

async function remove(pass: StatefulPass, pod: Pod): Promise<void> {
  const { client, recorder, set, signal } = pass;
  const { name = '', namespace, uid } = pod.metadata ?? {};
  try {
    await client.delete(
      RESOURCES.pods,
      { name, namespace },
      { signal, ...(uid === undefined ? {} : { preconditions: { uid } }) },
    );
    recorder.event(
      set,
      'Normal',
      'SuccessfulDelete',
      `delete Pod ${name} in StatefulSet ${set.metadata?.name} successful`,
    );
  } catch (error) {
    if (isStatusError(error, 404) || isStatusError(error, 409)) return;
    recorder.event(
      set,
      'Warning',
      'FailedDelete',
      `delete Pod ${name} in StatefulSet ${set.metadata?.name} failed error: ${messageOf(error)}`,
    );
    throw error;
  }
}
