import { closeSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalImage } from '@kind-e2e/oci';
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { LogPump } from '../logs/log-pump.ts';
import { podEvent } from '../node/node-context.ts';
import { ContainerProbes } from '../probes/container-probes.ts';
import {
  type ContainerRecord,
  containerFolder,
  newContainerId,
  removeContainerFolder,
  writeRecord,
} from '../runtime/container-record.ts';
import { isAlive } from '../runtime/processes.ts';
import { type ExitInfo, RunningContainer, readExitCode } from '../runtime/running-container.ts';
import { makeStdinPipe, StartError, startContainer } from '../runtime/start-container.ts';
import type { PreparedVolume } from '../volumes/pod-volumes.ts';
import { findMain, forgetCpuGroup, noteEnd, waitUntil } from './container-end.ts';
import { listenAddressOf, planContainer } from './container-plan.ts';
import { runHook } from './hooks.ts';
import { type ContainerKind, isPauseImage } from './pod-model.ts';
import type { SlotOptions, Waiting } from './slot-options.ts';

/** The least time between the signal to end and SIGKILL (kubelet's minimumGracePeriodInSeconds). */
const MIN_GRACE_MS = 2_000;

/** One container of a pod: its runs, its process, its probes. */
export class ContainerSlot implements Disposable {
  readonly kind: ContainerKind;
  spec: Container;
  /** Latest run. */
  record: ContainerRecord | undefined;
  /** The run before it, ended. */
  last: ContainerRecord | undefined;
  waiting: Waiting | undefined;
  readonly #options: SlotOptions;
  #process: RunningContainer | undefined;
  #pump: LogPump | undefined;
  #probes: ContainerProbes | undefined;
  #isInPostStart = false;
  /** Write end of the input pipe of a container with `stdinOnce`. */
  #stdinHolder: number | undefined;
  #stopSignal: NodeJS.Signals = 'SIGTERM';
  #ended: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(spec: Container, options: SlotOptions) {
    this.spec = spec;
    this.kind = options.kind;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.record?.startedAt !== undefined && this.record.finishedAt === undefined;
  }

  get hasEnded(): boolean {
    return this.record?.finishedAt !== undefined;
  }

  /** Running, past its startup probe and its postStart hook. */
  get isStarted(): boolean {
    return this.isRunning && !this.#isInPostStart && (this.#probes?.isStarted ?? true);
  }

  get isReady(): boolean {
    return this.isStarted && (this.#probes?.isReady ?? true);
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  logPath(attempt: number): string {
    return join(this.#options.logFolder, this.spec.name, `${attempt}.log`);
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { node, pod, kind } = this.#options;
    podEvent(node, pod(), type, reason, message, { name: this.spec.name, isInit: kind !== 'app' });
  }

  /** Takes up runs that an earlier kubelet left. */
  async adopt(records: readonly ContainerRecord[], wasReady: boolean): Promise<void> {
    const latest = records.at(-1);
    this.last = records.at(-2);
    this.record = latest;
    if (!latest || latest.finishedAt !== undefined) return;
    if (latest.isPause) {
      this.#beginProbes(wasReady);
      return;
    }
    const folder = this.#folder(latest.attempt);
    if (!latest.main) await findMain(latest, folder);
    if ((latest.main && isAlive(latest.main)) || (latest.launcher && isAlive(latest.launcher))) {
      await this.#attach(latest);
      this.#beginProbes(wasReady);
      return;
    }
    const exitCode = await readExitCode(folder);
    const info = await stat(join(folder, 'exit')).catch(() => undefined);
    if (!latest.startedAt) latest.startedAt = latest.createdAt;
    const pump = await this.#openPump(latest);
    await pump.finish();
    await this.#noteEnd(latest, { exitCode, finishedAt: Math.round(info?.mtimeMs ?? this.#options.node.clock.now()) });
  }

  /**
   * Makes and starts a new run. Throws ContainerConfigError before anything was made, StartError when the program did
   * not come to run.
   */
  async start(image: LocalImage | undefined, volumes: ReadonlyMap<string, PreparedVolume>): Promise<void> {
    const { node, podFolder } = this.#options;
    const attempt = this.record === undefined ? 0 : this.record.attempt + 1;
    const id = newContainerId();
    const folder = this.#folder(attempt);
    const isPause = isPauseImage(this.spec.image ?? '');
    const record: ContainerRecord = {
      id,
      name: this.spec.name,
      attempt,
      image: this.spec.image ?? '',
      imageId: image?.nameWithDigest ?? this.spec.image ?? '',
      createdAt: node.clock.now(),
      isPause,
      hasTty: this.spec.tty ?? false,
      hasStdin: this.spec.stdin ?? false,
    };
    if (isPause) {
      record.startedAt = node.clock.now();
      await writeRecord(folder, record);
      this.#become(record);
      this.#event('Normal', 'Created', 'Container created');
      this.#event('Normal', 'Started', 'Container started');
    } else if (image) await this.#startProcess(record, image, volumes, podFolder);
    this.#beginProbes(false);
    await this.#postStart();
    await this.#dropOld(attempt);
  }

  async #startProcess(
    base: ContainerRecord,
    image: LocalImage,
    volumes: ReadonlyMap<string, PreparedVolume>,
    podFolder: string,
  ): Promise<void> {
    const { node, pod, state } = this.#options;
    const { shared } = node;
    const directory = this.#folder(base.attempt);
    await removeContainerFolder(directory);
    const plan = await planContainer({
      node,
      pod: pod(),
      state: state(),
      container: this.spec,
      containerId: base.id,
      image,
      volumes,
      podFolder,
      directory,
    });
    this.#stopSignal = plan.stopSignal;
    const record: ContainerRecord = {
      ...base,
      terminationMessageFile: plan.terminationMessageFile,
      cwd: plan.cwd,
      env: plan.env,
      ...(plan.user === undefined ? {} : { user: plan.user }),
    };
    await writeRecord(directory, record);
    if (record.hasStdin) await makeStdinPipe(directory);
    this.#event('Normal', 'Created', 'Container created');
    try {
      const started = await startContainer({
        ...plan,
        mode: shared.mode,
        clock: node.clock,
        directory,
        launchScript: shared.launchScript,
        rootfs: image.rootfs,
        stdin: !record.hasStdin ? 'none' : this.spec.stdinOnce ? 'once' : 'kept',
        tty: record.hasTty,
      });
      const { stdinHolder, ...processes } = started;
      this.#stdinHolder = stdinHolder;
      const running: ContainerRecord = { ...record, ...processes, startedAt: node.clock.now() };
      await writeRecord(directory, running);
      this.#become(running);
      await this.#attach(running);
      this.#event('Normal', 'Started', 'Container started');
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const now = node.clock.now();
      const failed = {
        ...record,
        startedAt: 0,
        finishedAt: now,
        exitCode: 128,
        reason: 'StartError',
        message: error.message,
      };
      await writeRecord(directory, failed);
      this.#become(failed);
      this.#event('Warning', 'Failed', `Error: ${error.message}`);
      throw error;
    }
  }

  #become(record: ContainerRecord): void {
    if (this.record?.finishedAt !== undefined) this.last = this.record;
    this.record = record;
    this.waiting = undefined;
  }

  #folder(attempt: number): string {
    return containerFolder(this.#options.podFolder, this.spec.name, attempt);
  }

  #openPump(record: ContainerRecord): Promise<LogPump> {
    const { shared, clock, logger } = this.#options.node;
    return LogPump.open({
      directory: this.#folder(record.attempt),
      logPath: this.logPath(record.attempt),
      clock,
      logger,
      notifier: shared.notifier,
      ...shared.options.logRotation,
    });
  }

  async #attach(record: ContainerRecord): Promise<void> {
    const { clock, logger } = this.#options.node;
    const pump = await this.#openPump(record);
    this.#pump = pump;
    const running = new RunningContainer({
      record,
      directory: this.#folder(record.attempt),
      clock,
      logger,
      onOutput: () => pump.poke(),
    });
    this.#process = running;
    pump.poke();
    this.#ended = running.exited.then(async (exit) => {
      this.#probes?.[Symbol.dispose]();
      this.closeStdin();
      await pump.finish();
      await this.#noteEnd(record, exit);
      this.#options.onChange();
    });
    this.#ended.catch((error: unknown) => logger.error('the end of a container was not noted', { error }));
  }

  async #noteEnd(record: ContainerRecord, exit: ExitInfo): Promise<void> {
    await noteEnd(record, exit, this.spec.terminationMessagePolicy, this.logPath(record.attempt));
    await writeRecord(this.#folder(record.attempt), record);
    forgetCpuGroup(this.#options.node, record.id);
  }

  #beginProbes(wasReady: boolean): void {
    const { node, pod, state, onChange } = this.#options;
    const { record } = this;
    this.#probes?.[Symbol.dispose]();
    this.#probes = undefined;
    const { startupProbe, readinessProbe, livenessProbe } = this.spec;
    if (!record || !this.isRunning || !(startupProbe ?? readinessProbe ?? livenessProbe)) return;
    this.#probes = new ContainerProbes({
      container: this.spec,
      record,
      mode: node.shared.mode,
      address: listenAddressOf(pod(), state().podIP),
      clock: node.clock,
      wasReady,
      onChange,
      onUnhealthy: (type) => {
        const message = `Container ${this.spec.name} failed ${type} probe, will be restarted`;
        const grace = (type === 'liveness' ? livenessProbe : startupProbe)?.terminationGracePeriodSeconds;
        const seconds = grace ?? pod().spec?.terminationGracePeriodSeconds ?? 30;
        const deadline = node.clock.monotonic() + seconds * 1000;
        this.stop(() => deadline, message, type).catch((error: unknown) =>
          node.logger.error('a container was not stopped', { error }),
        );
      },
      onFailure: (type, message) => {
        const word = `${type.charAt(0).toUpperCase()}${type.slice(1)}`;
        this.#event('Warning', 'Unhealthy', `${word} probe failed: ${message}`);
      },
    });
  }

  async #postStart(): Promise<void> {
    const handler = this.spec.lifecycle?.postStart;
    const { record } = this;
    if (!handler || !record || !this.isRunning) return;
    const { node, pod, state, onChange } = this.#options;
    this.#isInPostStart = true;
    try {
      const address = listenAddressOf(pod(), state().podIP);
      const failure = await Promise.race([
        runHook(node, pod(), this.spec, record, handler, address, 24 * 3_600_000),
        this.#ended.then(() => (record.isPause ? undefined : 'the container ended before its hook')),
      ]);
      if (failure === undefined) return;
      this.#event('Warning', 'FailedPostStartHook', 'PostStartHook failed');
      await this.stop(() => node.clock.monotonic(), `FailedPostStartHook`, 'postStart');
      this.waiting = { reason: 'PostStartHookError', message: failure };
    } finally {
      this.#isInPostStart = false;
      onChange();
    }
  }

  /**
   * Ends the run: preStop hook, signal, SIGKILL when `deadline()` has passed. The deadline is asked again and again,
   * since a second deletion may shorten it. Resolves when the end is noted, or when the kubelet lets go of the pod: the
   * next one begins with it anew.
   */
  stop(deadline: () => number, message: string, cause?: string): Promise<void> {
    if (!this.isRunning) return Promise.resolve();
    this.#stopping ??= this.#stop(deadline, message, cause).finally(() => {
      this.#stopping = undefined;
      this.#options.onChange();
    });
    return this.#stopping;
  }

  async #stop(deadline: () => number, message: string, cause: string | undefined): Promise<void> {
    const { node, pod, state, isReleased } = this.#options;
    const { record } = this;
    if (!record) return;
    if (cause !== undefined) record.stopCause = cause;
    this.#event('Normal', 'Killing', message);
    this.#probes?.endLiveness();
    if (record.isPause) {
      this.#probes?.[Symbol.dispose]();
      await this.#noteEnd(record, { exitCode: 0, finishedAt: node.clock.now() });
      return;
    }
    const { clock } = node;
    const untilDeadline = (at: () => number): Promise<undefined> =>
      waitUntil(clock, at, () => this.isRunning && !isReleased());
    const handler = this.spec.lifecycle?.preStop;
    if (handler && deadline() > clock.monotonic()) {
      const address = listenAddressOf(pod(), state().podIP);
      const hook = runHook(node, pod(), this.spec, record, handler, address, deadline() - clock.monotonic());
      const failure = await Promise.race([hook, untilDeadline(deadline), this.#ended.then(() => undefined)]);
      if (failure !== undefined) this.#event('Warning', 'FailedPreStopHook', 'PreStopHook failed');
    }
    if (isReleased()) return;
    const killAt = clock.monotonic() + MIN_GRACE_MS;
    this.#process?.signal(this.#stopSignal);
    await Promise.race([this.#ended, untilDeadline(() => Math.max(deadline(), killAt))]);
    if (isReleased()) return;
    if (this.isRunning) this.#process?.kill();
    await this.#ended;
  }

  /** Ends everything of the run at once, because it took more memory than it may. */
  killForMemory(): void {
    if (!this.record || !this.isRunning) return;
    this.record.stopCause = 'memory';
    this.#process?.kill();
  }

  /** Keeps the folders of the latest run and the one before it, and the logs of both. */
  async #dropOld(attempt: number): Promise<void> {
    if (attempt < 2) return;
    await removeContainerFolder(this.#folder(attempt - 2));
    await rm(this.logPath(attempt - 2), { force: true });
  }

  /** The pod ends: liveness and startup probes stop. */
  endLiveness(): void {
    this.#probes?.endLiveness();
  }

  /** A container with `stdinOnce` reads the end of its input when its first attached client leaves. */
  closeStdin(): void {
    if (!this.spec.stdinOnce || this.#stdinHolder === undefined) return;
    closeSync(this.#stdinHolder);
    this.#stdinHolder = undefined;
  }

  /** Lets go of the container; it goes on. */
  async release(): Promise<void> {
    this[Symbol.dispose]();
    await this.#pump?.close();
  }

  [Symbol.dispose](): void {
    this.#probes?.[Symbol.dispose]();
    this.#process?.[Symbol.dispose]();
  }
}
