import { formatTime } from '@kind-e2e/kube-api';
import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from 'kubernetes-types/core/v1.d.ts';
import type { ContainerRecord } from '../runtime/container-record.ts';
import type { ContainerSlot } from './container-slot.ts';
import { isToRestart } from './pod-model.ts';
import { qosClassOf } from './qos.ts';
import type { Waiting } from './slot-options.ts';

export interface StatusInput {
  readonly pod: Pod;
  readonly slots: readonly ContainerSlot[];
  readonly podIP: string | undefined;
  readonly hostIP: string;
  readonly startTime: string | undefined;
  readonly hasSandbox: boolean;
  /** The kubelet has ended the pod, or will not run it. */
  readonly verdict?: { readonly phase: 'Failed' | 'Succeeded'; readonly reason?: string; readonly message?: string };
  readonly isTerminated: boolean;
  readonly nowMs: number;
  /** Conditions as they were last told, which the API's copy may not show yet. */
  readonly told?: readonly PodCondition[];
}

/** Status of a pod from what its containers do (kubernetes pkg/kubelet/kubelet_pods.go, generateAPIPodStatus). */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, slots, podIP, hostIP } = input;
  const statuses = new Map(slots.map((slot) => [slot, containerStatus(slot, input)]));
  const phase = input.verdict?.phase ?? phaseOf(input);
  const pick = (isApp: boolean): ContainerStatus[] =>
    slots.filter((slot) => (slot.kind === 'app') === isApp).flatMap((slot) => statuses.get(slot) ?? []);
  const initStatuses = pick(false);
  const status: PodStatus & { hostIPs?: { ip: string }[]; observedGeneration?: number } = {
    phase,
    conditions: conditionsOf(input, phase, statuses),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    ...(input.startTime === undefined ? {} : { startTime: input.startTime }),
    ...(initStatuses.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses: pick(true),
    ...ephemeralStatuses(pod),
    qosClass: qosClassOf(pod),
    ...(pod.metadata?.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    ...(input.verdict?.reason === undefined ? {} : { reason: input.verdict.reason }),
    ...(input.verdict?.message === undefined ? {} : { message: input.verdict.message }),
  };
  return status;
}

function phaseOf(input: StatusInput): string {
  const { pod, slots, isTerminated } = input;
  const policy = pod.spec?.restartPolicy;
  const isDone = (slot: ContainerSlot): boolean =>
    slot.hasEnded && (isTerminated || !isToRestart(slot, policy, slot.record?.exitCode ?? 0));
  const inits = slots.filter((slot) => slot.kind === 'init');
  const apps = slots.filter((slot) => slot.kind === 'app');
  const hasFailedInit = inits.some((slot) => isDone(slot) && slot.record?.exitCode !== 0);
  if (hasFailedInit) return 'Failed';
  if (apps.length > 0 && apps.every(isDone)) {
    const running = slots.some((slot) => slot.kind === 'sidecar' && slot.isRunning);
    if (running && !isTerminated) return 'Running';
    return apps.every((slot) => slot.record?.exitCode === 0) ? 'Succeeded' : 'Failed';
  }
  if (isTerminated) return apps.some((slot) => slot.record === undefined) ? (pod.status?.phase ?? 'Pending') : 'Failed';
  const isInitialising = inits.some((slot) => !(slot.hasEnded && slot.record?.exitCode === 0));
  if (isInitialising && apps.every((slot) => slot.record === undefined)) return 'Pending';
  if (apps.some((slot) => slot.record === undefined)) return 'Pending';
  return 'Running';
}

function containerStatus(slot: ContainerSlot, input: StatusInput): ContainerStatus {
  const { spec, record } = slot;
  const { resources } = spec;
  const isRestarting = slot.waiting !== undefined && record !== undefined && slot.hasEnded;
  const status: ContainerStatus & { volumeMounts?: object[]; resources?: object; allocatedResources?: object } = {
    name: spec.name,
    state: stateOf(slot, input),
    lastState: isRestarting ? terminated(record) : slot.last ? terminated(slot.last) : {},
    ready: slot.kind === 'init' ? slot.record?.exitCode === 0 && slot.hasEnded : slot.isReady,
    restartCount: record?.attempt ?? 0,
    image: record?.image || spec.image || '',
    imageID: record?.imageId ?? '',
    ...(record === undefined ? {} : { containerID: `containerd://${record.id}` }),
    started: slot.isStarted,
  };
  if (resources?.requests) status.allocatedResources = resources.requests;
  if (resources?.limits ?? resources?.requests) status.resources = resources;
  if (spec.volumeMounts && spec.volumeMounts.length > 0)
    status.volumeMounts = spec.volumeMounts.map((mount) => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...(mount.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
    }));
  return status;
}

/** Ephemeral containers are not run (docs/adr/0007): each one says so. */
export function ephemeralRefusal(name: string): string {
  return `ephemeral container ${name} is not run: the embedded engine's containers are processes, which it cannot join`;
}

function ephemeralStatuses(pod: Pod): Pick<PodStatus, 'ephemeralContainerStatuses'> {
  const containers = pod.spec?.ephemeralContainers ?? [];
  if (containers.length === 0) return {};
  return {
    ephemeralContainerStatuses: containers.map(({ name, image = '' }) => ({
      name,
      image,
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'CreateContainerError', message: ephemeralRefusal(name) } },
      lastState: {},
    })),
  };
}

function stateOf(slot: ContainerSlot, input: StatusInput): ContainerState {
  const { record } = slot;
  if (slot.isRunning) return { running: { startedAt: formatTime(record?.startedAt ?? 0) } };
  if (slot.waiting && !input.isTerminated) return { waiting: waitingState(slot.waiting) };
  if (record && slot.hasEnded) return terminated(record);
  if (input.isTerminated && !record && wasDue(slot, input.slots)) {
    return {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
        startedAt: null as unknown as string,
        finishedAt: null as unknown as string,
      },
    };
  }
  if (slot.waiting) return { waiting: waitingState(slot.waiting) };
  const hasInits = input.slots.some((each) => each.kind !== 'app');
  const isBlocked = hasInits && (slot.kind === 'app' || input.slots[0] !== slot);
  return { waiting: { reason: isBlocked ? 'PodInitializing' : hasInits ? 'PodInitializing' : 'ContainerCreating' } };
}

/**
 * Whether a container should have run by the time its pod ended (status_manager.go TerminatePod): one of the app once all
 * before it had come to their end, one before it when a later one has begun.
 */
function wasDue(slot: ContainerSlot, slots: readonly ContainerSlot[]): boolean {
  if (slot.kind === 'app')
    return slots.every((each) => {
      if (each.kind === 'app') return true;
      if (each.kind === 'sidecar') return each.isStarted || (each.record?.attempt ?? 0) > 0;
      return each.hasEnded && each.record?.exitCode === 0;
    });
  return slots.slice(slots.indexOf(slot) + 1).some((each) => each.record !== undefined);
}

function waitingState(waiting: Waiting): { reason: string; message?: string } {
  return { reason: waiting.reason, ...(waiting.message === undefined ? {} : { message: waiting.message }) };
}

function terminated(record: ContainerRecord): ContainerState {
  return {
    terminated: {
      exitCode: record.exitCode ?? 0,
      reason: record.reason ?? 'Error',
      ...(record.message === undefined ? {} : { message: record.message }),
      startedAt: formatTime(record.startedAt ?? 0),
      finishedAt: formatTime(record.finishedAt ?? 0),
      containerID: `containerd://${record.id}`,
    },
  };
}

/** In upstream's order; conditions of others stay, the time changes with the status only. */
function conditionsOf(
  input: StatusInput,
  phase: string,
  statuses: ReadonlyMap<ContainerSlot, ContainerStatus>,
): PodCondition[] {
  const { pod, slots } = input;
  const isInitialized = slots
    .filter((slot) => slot.kind !== 'app')
    .every((slot) =>
      slot.kind === 'init'
        ? slot.hasEnded && slot.record?.exitCode === 0
        : slot.isStarted || (slot.record?.attempt ?? 0) > 0,
    );
  const hasRunApps = slots.some((slot) => slot.kind === 'app' && slot.record !== undefined);
  const waitingInits = slots
    .filter((slot) => slot.kind !== 'app' && !statuses.get(slot)?.ready)
    .map((slot) => slot.spec.name);
  const unready = slots.filter((slot) => slot.kind !== 'init' && !slot.isReady).map((slot) => slot.spec.name);
  const made: PodCondition[] = [
    simple('PodReadyToStartContainers', input.hasSandbox && !input.isTerminated),
    isInitialized || hasRunApps || phase === 'Succeeded'
      ? simple('Initialized', true, phase === 'Succeeded' ? 'PodCompleted' : undefined)
      : simple(
          'Initialized',
          false,
          'ContainersNotInitialized',
          `containers with incomplete status: [${waitingInits.join(' ')}]`,
        ),
  ];
  const containersReady = readyCondition('ContainersReady', phase, unready);
  const closedGates = closedGatesOf(pod);
  const ready =
    containersReady.status === 'True' && closedGates.length > 0
      ? simple('Ready', false, 'ReadinessGatesNotReady', closedGates.join('; '))
      : { ...containersReady, type: 'Ready' };
  made.push(ready, containersReady);
  const known = new Map(
    [...(pod.status?.conditions ?? []), ...(input.told ?? [])].map((condition) => [condition.type, condition]),
  );
  const scheduled = known.get('PodScheduled') ?? simple('PodScheduled', true);
  return [...made, scheduled].map((condition) => {
    const before = known.get(condition.type);
    const changedAt = before?.status === condition.status ? before.lastTransitionTime : undefined;
    const generation = pod.metadata?.generation;
    return {
      lastProbeTime: null as unknown as string,
      ...condition,
      lastTransitionTime: changedAt ?? formatTime(input.nowMs),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
}

/** What is said of each readiness gate that is not open (kubernetes pkg/kubelet/status/generate.go). */
function closedGatesOf(pod: Pod): string[] {
  return (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find((each) => each.type === conditionType);
    if (condition === undefined)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
}

function readyCondition(type: string, phase: string, unready: readonly string[]): PodCondition {
  if (phase === 'Succeeded') return simple(type, false, 'PodCompleted');
  if (phase === 'Failed') return simple(type, false, 'PodFailed');
  if (unready.length > 0)
    return simple(type, false, 'ContainersNotReady', `containers with unready status: [${unready.join(' ')}]`);
  return simple(type, true);
}

function simple(type: string, isTrue: boolean, reason?: string, message?: string): PodCondition {
  return {
    type,
    status: isTrue ? 'True' : 'False',
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}
