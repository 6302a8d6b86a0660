import { rm } from 'node:fs/promises';
import { messageOf } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { RESOURCES } from '@kind-e2e/kube-client';
import type { Pod, PodCondition, PodStatus } from 'kubernetes-types/core/v1.d.ts';
import { type NodeContext, podEvent } from '../node/node-context.ts';
import { containerFolder, readRecords } from '../runtime/container-record.ts';
import { ContainerSlot } from './container-slot.ts';
import { ContainerStarter } from './container-starter.ts';
import { removePodFolder, writePodFiles } from './pod-files.ts';
import type { PodHandle } from './pod-handle.ts';
import { containersOf, formatPod, isPausePod, isTerminalPhase, isToRestart, readyContainers } from './pod-model.ts';
import { type PodState, podFolderOf, podLogFolder, writePodState } from './pod-state.ts';
import { ephemeralRefusal, podStatus, type StatusInput } from './pod-status.ts';
import { PodVolumeSet } from './pod-volume-set.ts';
import { StatusWriter } from './status-writer.ts';

const CONFIG_RETRY_MS = 2_000;
/** Logs of a deleted pod stay this long for who still reads them. */
const LOG_KEEP_MS = 30_000;

/** Conditions that the kubelet alone sets. */
const OWN_CONDITIONS = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady']);

export interface PodWorkerOptions {
  readonly node: NodeContext;
  readonly pod: Pod;
  /** The pod from before the kubelet was started. */
  readonly known?: PodState;
  /** Called when nothing of the pod is left. */
  readonly onGone: () => void;
}

type Verdict = NonNullable<StatusInput['verdict']>;

/**
 * Brings one pod to what its spec says, one step at a time: address, volumes, init containers, containers, and in the
 * end termination (kubernetes pkg/kubelet/pod_workers.go and kuberuntime_manager.go, computePodActions).
 */
export class PodWorker {
  readonly uid: string;
  readonly #options: PodWorkerOptions;
  readonly #node: NodeContext;
  readonly #folder: string;
  readonly #writer: StatusWriter;
  readonly #volumes: PodVolumeSet;
  readonly #starter: ContainerStarter;
  readonly #abort = new AbortController();
  #pod: Pod;
  #state: PodState | undefined;
  #slots: ContainerSlot[] = [];
  #verdict: Verdict | undefined;
  #adopting: Promise<void> | undefined;
  #hasBegun = false;
  #isRemoved = false;
  #isTerminated = false;
  #isReleased = false;
  #isFinished = false;
  #requested = false;
  #running: Promise<void> | undefined;
  #timer: Disposable | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #killDeadline: number | undefined;
  #told: readonly PodCondition[] = [];

  constructor(options: PodWorkerOptions) {
    this.#options = options;
    this.#node = options.node;
    this.#pod = options.pod;
    this.uid = options.pod.metadata?.uid ?? '';
    this.#state = options.known;
    this.#folder = podFolderOf(options.node.shared.options.dataDir, this.uid);
    this.#writer = new StatusWriter(options.node);
    const handle: PodHandle = {
      node: this.#node,
      uid: this.uid,
      folder: this.#folder,
      pod: () => this.#pod,
      state: () => this.#requireState(),
      signal: this.#abort.signal,
      schedule: () => this.schedule(),
      wakeIn: (ms) => this.#wakeIn(ms),
      publish: () => void this.#publish(),
    };
    this.#volumes = new PodVolumeSet(handle);
    this.#starter = new ContainerStarter(handle, this.#volumes);
    this.#makeSlots();
  }

  get pod(): Pod {
    return this.#pod;
  }

  get slots(): readonly ContainerSlot[] {
    return this.#slots;
  }

  get podIP(): string | undefined {
    return this.#state?.podIP;
  }

  /** Folder of the latest run of a container. */
  containerFolder(slot: ContainerSlot): string {
    return containerFolder(this.#folder, slot.spec.name, slot.record?.attempt ?? 0);
  }

  /** Looks at what is left of an earlier kubelet, then begins to sync: until then nobody knows what runs. */
  async begin(): Promise<void> {
    this.#adopting = this.#adopt();
    await this.#adopting;
    this.#hasBegun = true;
    this.#refuseEphemeral(undefined);
    this.schedule();
  }

  async #adopt(): Promise<void> {
    if (this.#options.known) {
      const records = await readRecords(this.#folder);
      const ready = readyContainers(this.#pod);
      for (const slot of this.#slots) {
        const own = records.get(slot.spec.name) ?? [];
        await slot.adopt(own, ready.has(`containerd://${own.at(-1)?.id}`));
      }
    }
  }

  /** The pod changed in the API. */
  update(pod: Pod): void {
    const wasDeleted = this.#pod.metadata?.deletionTimestamp !== undefined;
    const before = this.#pod;
    this.#pod = pod;
    this.#refuseEphemeral(before);
    const specs = new Map(containersOf(pod).map((each) => [each.spec.name, each.spec]));
    for (const slot of this.#slots) slot.spec = specs.get(slot.spec.name) ?? slot.spec;
    if (pod.metadata?.deletionTimestamp !== undefined) {
      this.#setKillDeadline(pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30);
      if (!wasDeleted) this.#abort.abort(new Error('the pod is being deleted'));
    }
    this.schedule();
  }

  #refuseEphemeral(before: Pod | undefined): void {
    const known = before?.spec?.ephemeralContainers?.length ?? 0;
    for (const { name } of this.#pod.spec?.ephemeralContainers?.slice(known) ?? [])
      podEvent(this.#node, this.#pod, 'Warning', 'Failed', `Error: ${ephemeralRefusal(name)}`);
  }

  /** The pod is gone from the API: what runs must go, then everything of it. */
  remove(): void {
    this.#isRemoved = true;
    this.#setKillDeadline(this.#pod.metadata?.deletionGracePeriodSeconds ?? 0);
    this.#abort.abort(new Error('the pod was deleted'));
    this.schedule();
  }

  #setKillDeadline(seconds: number): void {
    const deadline = this.#node.clock.monotonic() + seconds * 1000;
    this.#killDeadline = Math.min(this.#killDeadline ?? Number.POSITIVE_INFINITY, deadline);
  }

  schedule(): void {
    this.#requested = true;
    if (!this.#hasBegun || this.#isFinished || this.#isReleased) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#requested && !this.#isFinished && !this.#isReleased) this.schedule();
    });
  }

  #wakeIn(ms: number): void {
    const at = this.#node.clock.monotonic() + ms;
    if (at >= this.#timerAt) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerAt = at;
    this.#timer = this.#node.clock.after(ms, () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.schedule();
    });
  }

  async #run(): Promise<void> {
    while (this.#requested && !this.#isReleased) {
      this.#requested = false;
      try {
        await this.#sync();
      } catch (error) {
        if (this.#isReleased) return;
        if (!this.#abort.signal.aborted) {
          this.#node.logger.warn('a pod was not synced, will be tried again', { pod: formatPod(this.#pod), error });
          podEvent(this.#node, this.#pod, 'Warning', 'FailedSync', `error syncing pod: ${messageOf(error)}`);
        }
        this.#wakeIn(CONFIG_RETRY_MS);
      }
    }
  }

  async #sync(): Promise<void> {
    if (this.#isFinished) return;
    const isEnding = this.#isRemoved || this.#pod.metadata?.deletionTimestamp !== undefined;
    if (isEnding || this.#verdict) return this.#terminate();
    if (isTerminalPhase(this.#pod) && !this.#slots.some((slot) => slot.isRunning)) return;
    if (this.#isPastDeadline()) return this.#terminate();
    if (!(await this.#ensureSandbox())) return;
    if (!(await this.#volumes.ensure())) return this.#publish();
    await this.#syncContainers();
    void this.#publish();
  }

  #isPastDeadline(): boolean {
    const seconds = this.#pod.spec?.activeDeadlineSeconds;
    if (seconds === undefined || this.#state === undefined) return false;
    const left = Date.parse(this.#state.startTime) + seconds * 1000 - this.#node.clock.now();
    if (left > 0) {
      this.#wakeIn(left);
      return false;
    }
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message };
    podEvent(this.#node, this.#pod, 'Normal', 'DeadlineExceeded', message);
    return true;
  }

  #makeSlots(): void {
    const { namespace = 'default', name = '' } = this.#pod.metadata ?? {};
    const logFolder = podLogFolder(this.#node.shared.options.dataDir, { namespace, name, uid: this.uid });
    this.#slots = containersOf(this.#pod).map(
      ({ kind, spec }) =>
        new ContainerSlot(spec, {
          node: this.#node,
          kind,
          podFolder: this.#folder,
          logFolder,
          pod: () => this.#pod,
          state: () => this.#requireState(),
          isReleased: () => this.#isReleased,
          onChange: () => this.schedule(),
        }),
    );
  }

  #requireState(): PodState {
    if (!this.#state) throw new Error(`pod ${formatPod(this.#pod)} has no address yet`);
    return this.#state;
  }

  /** Gives the pod its address. False when there is none left: the pod is refused. */
  async #ensureSandbox(): Promise<boolean> {
    if (this.#state) return true;
    const { namespace = 'default', name = '' } = this.#pod.metadata ?? {};
    const hostNetwork = this.#pod.spec?.hostNetwork ?? false;
    const podIP = hostNetwork ? this.#node.nodeAddress : this.#node.addresses.allocate(this.uid);
    if (podIP === undefined) {
      this.#verdict = {
        phase: 'Failed',
        reason: 'OutOfpods',
        message: 'Pod was rejected: Node has no pod address left',
      };
      await this.#terminate();
      return false;
    }
    const startTime = `${new Date(this.#node.clock.now()).toISOString().slice(0, 19)}Z`;
    const state = { uid: this.uid, namespace, name, nodeName: this.#node.nodeName, podIP, hostNetwork, startTime };
    await writePodState(this.#node.shared.options.dataDir, state);
    this.#state = state;
    if (!isPausePod(this.#pod)) {
      await writePodFiles(this.#folder, this.#pod, podIP, this.#node.shared.clusterDomain);
      void this.#publish();
    }
    return true;
  }

  async #syncContainers(): Promise<void> {
    const policy = this.#pod.spec?.restartPolicy;
    const apps = this.#slots.filter((slot) => slot.kind === 'app');
    const isOver =
      apps.length > 0 && apps.every((slot) => slot.hasEnded && !isToRestart(slot, policy, slot.record?.exitCode ?? 0));
    const hasFailedInit = this.#slots.some(
      (slot) =>
        slot.kind === 'init' &&
        slot.hasEnded &&
        slot.record?.exitCode !== 0 &&
        !isToRestart(slot, policy, slot.record?.exitCode ?? 1),
    );
    if (isOver || hasFailedInit) {
      await this.#publish();
      return this.#stopSidecars();
    }
    const hasRunApps = apps.some((slot) => slot.record !== undefined);
    for (const slot of this.#slots) {
      if (this.#abort.signal.aborted) return;
      if (slot.kind === 'init') {
        if (hasRunApps || (slot.hasEnded && slot.record?.exitCode === 0)) continue;
        if (!slot.isRunning) await this.#starter.start(slot);
        return;
      }
      await this.#starter.restartChanged(slot);
      if (!slot.isRunning && !slot.isStopping && this.#isToStart(slot)) await this.#starter.start(slot);
      if (slot.kind === 'sidecar' && !slot.isStarted && !hasRunApps) return;
    }
  }

  #isToStart(slot: ContainerSlot): boolean {
    if (!slot.hasEnded) return true;
    return isToRestart(slot, this.#pod.spec?.restartPolicy, slot.record?.exitCode ?? 0);
  }

  async #stopSidecars(): Promise<void> {
    const { clock } = this.#node;
    const deadline = clock.monotonic() + (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    for (const slot of this.#slots.filter((each) => each.kind === 'sidecar').reverse())
      await slot.stop(() => deadline, `Stopping container ${slot.spec.name}`);
    if (this.#isReleased) return;
    this.#isTerminated = true;
    await this.#publish();
  }

  /** Ends what runs: apps at once, then sidecars in reverse order; then tells the API that nothing is left. */
  async #terminate(): Promise<void> {
    const { clock } = this.#node;
    if (this.#killDeadline === undefined) this.#setKillDeadline(this.#pod.spec?.terminationGracePeriodSeconds ?? 30);
    for (const slot of this.#slots) slot.endLiveness();
    const deadline = (): number => this.#killDeadline ?? clock.monotonic();
    const stop = (slot: ContainerSlot): Promise<void> => slot.stop(deadline, `Stopping container ${slot.spec.name}`);
    await Promise.all(this.#slots.filter((slot) => slot.kind !== 'sidecar').map(stop));
    for (const slot of this.#slots.filter((each) => each.kind === 'sidecar').reverse()) await stop(slot);
    if (this.#isReleased) return;
    this.#isTerminated = true;
    if (this.#isRemoved) return this.#cleanUp();
    await this.#publish();
    if (this.#pod.metadata?.deletionTimestamp === undefined) return;
    await this.#node.client
      .delete(
        RESOURCES.pods,
        { name: this.#pod.metadata.name ?? '', namespace: this.#pod.metadata.namespace ?? '' },
        { gracePeriodSeconds: 0, preconditions: { uid: this.uid } },
      )
      .catch((error: unknown) => {
        if (isStatusError(error, 404) || isStatusError(error, 409)) return;
        this.#wakeIn(CONFIG_RETRY_MS);
      });
  }

  async #cleanUp(): Promise<void> {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#writer.stop();
    this.#timer?.[Symbol.dispose]();
    this.#volumes[Symbol.dispose]();
    const { shared, addresses, puller, tokens, clock } = this.#node;
    if (this.#state && !this.#state.hostNetwork) addresses.release(this.#state.podIP, this.uid);
    puller.forget(this.uid);
    tokens.forget(this.uid);
    for (const slot of this.#slots) await slot.release();
    await removePodFolder(this.#folder);
    const { namespace = 'default', name = '' } = this.#pod.metadata ?? {};
    const logs = podLogFolder(shared.options.dataDir, { namespace, name, uid: this.uid });
    clock.after(LOG_KEEP_MS, () => void rm(logs, { recursive: true, force: true }).catch(() => undefined));
    this.#options.onGone();
  }

  #publish(): Promise<void> {
    if (this.#isRemoved) return Promise.resolve();
    const status: PodStatus = podStatus({
      pod: this.#pod,
      slots: this.#slots,
      podIP: this.#state?.podIP,
      hostIP: this.#node.nodeAddress,
      startTime: this.#state?.startTime,
      hasSandbox: this.#state !== undefined,
      ...(this.#verdict ? { verdict: this.#verdict } : {}),
      isTerminated: this.#isTerminated,
      nowMs: this.#node.clock.now(),
      told: this.#told,
    });
    this.#told = (status.conditions ?? []).filter((condition) => OWN_CONDITIONS.has(condition.type));
    return this.#writer.write(this.#pod, status);
  }

  /** Kills at once what runs; for a node that is lost. */
  async killNow(): Promise<void> {
    const now = this.#node.clock.monotonic();
    await Promise.all(this.#slots.map((slot) => slot.stop(() => now, `Stopping container ${slot.spec.name}`)));
  }

  /** Lets go of the pod; its containers go on. One that was being ended is left as it is, however long it may take. */
  async release(): Promise<void> {
    this.#isReleased = true;
    this.#abort.abort(new Error('the kubelet stops'));
    this.#writer.stop();
    this.#timer?.[Symbol.dispose]();
    this.#volumes[Symbol.dispose]();
    await this.#adopting?.catch(() => undefined);
    await this.#running;
    for (const slot of this.#slots) await slot.release();
  }
}
