import { type Clock, messageOf } from '@kind-e2e/base';
import type { Container, Probe } from 'kubernetes-types/core/v1.d.ts';
import type { ContainerRecord } from '../runtime/container-record.ts';
import { runInContainer } from '../runtime/exec.ts';
import type { ViewMode } from '../runtime/view-probe.ts';
import { probeGrpc } from './grpc-probe.ts';
import { type ProbeOutcome, probeHttp } from './http-probe.ts';
import { probeTcp } from './tcp-probe.ts';

export type ProbeType = 'startup' | 'readiness' | 'liveness';

export interface ContainerProbesOptions {
  readonly container: Container;
  readonly record: ContainerRecord;
  readonly mode: ViewMode;
  /** Where the container listens. */
  readonly address: string;
  readonly clock: Clock;
  /** Whether the container was ready before this kubelet took it up. */
  readonly wasReady: boolean;
  readonly onChange: () => void;
  /** The liveness or startup probe failed often enough that the container must be restarted. */
  readonly onUnhealthy: (type: 'startup' | 'liveness') => void;
  readonly onFailure: (type: ProbeType, message: string) => void;
}

/** A container that is not ready yet is asked this often between its own periods, so that it is ready when it can. */
const EAGER_STEP_MS = 50;
const MAX_EAGER_MS = 500;
const EAGER_UNTIL_MS = 60_000;
/** So much of what a command printed is told (pkg/probe/exec maxReadLength). */
const MAX_OUTPUT = 10 << 10;

/** Runs the probes of one run of a container (kubernetes pkg/kubelet/prober/worker.go). */
export class ContainerProbes implements Disposable {
  readonly #options: ContainerProbesOptions;
  readonly #timers = new Map<ProbeType, Disposable>();
  readonly #successes = new Map<ProbeType, number>();
  readonly #failures = new Map<ProbeType, number>();
  #isStarted: boolean;
  #isReady: boolean;
  #isStopped = false;
  /** Liveness and startup no longer count: the pod ends. */
  #isEnding = false;

  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    const { startupProbe, readinessProbe } = options.container;
    this.#isStarted = !startupProbe || options.wasReady;
    this.#isReady = !readinessProbe || options.wasReady;
    if (startupProbe && !this.#isStarted) this.#begin('startup', startupProbe);
    else this.#beginOthers();
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  get isReady(): boolean {
    return this.#isStarted && this.#isReady;
  }

  /** The pod ends: readiness goes on, the others stop. */
  endLiveness(): void {
    this.#isEnding = true;
    for (const type of ['startup', 'liveness'] as const) {
      this.#timers.get(type)?.[Symbol.dispose]();
      this.#timers.delete(type);
    }
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  #beginOthers(): void {
    const { readinessProbe, livenessProbe } = this.#options.container;
    if (readinessProbe) this.#begin('readiness', readinessProbe);
    if (livenessProbe) this.#begin('liveness', livenessProbe);
  }

  #begin(type: ProbeType, probe: Probe): void {
    const { clock, record } = this.#options;
    const runsFor = clock.now() - (record.startedAt ?? clock.now());
    const wait = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - runsFor);
    this.#schedule(type, wait, () => this.#tick(type, probe, clock.monotonic(), 0));
  }

  #schedule(type: ProbeType, ms: number, call: () => Promise<void>): void {
    if (this.#isStopped) return;
    this.#timers.set(
      type,
      this.#options.clock.after(ms, () => {
        call().catch((error: unknown) => this.#options.onFailure(type, messageOf(error)));
      }),
    );
  }

  /** One probe; `periodAt` is when the current period began, `eager` how many came since then between periods. */
  async #tick(type: ProbeType, probe: Probe, periodAt: number, eager: number): Promise<void> {
    const { clock } = this.#options;
    const outcome = await this.#run(type, probe);
    if (this.#isStopped || (this.#isEnding && type !== 'readiness')) return;
    const isRegular = eager === 0;
    if (isRegular || outcome.ok) this.#note(type, probe, outcome);
    if (this.#isStopped || (type === 'startup' && this.#isStarted)) return;
    const periodMs = Math.max(1, probe.periodSeconds ?? 10) * 1000;
    const nextPeriodAt = periodAt + periodMs;
    const untilPeriod = Math.max(0, nextPeriodAt - clock.monotonic());
    const eagerWait = Math.min(EAGER_STEP_MS * (eager + 1), MAX_EAGER_MS);
    const runsFor = clock.now() - (this.#options.record.startedAt ?? 0);
    const isWaiting = type === 'readiness' ? !this.#isReady : type === 'startup';
    if (isWaiting && !outcome.ok && runsFor < EAGER_UNTIL_MS && eagerWait < untilPeriod)
      this.#schedule(type, eagerWait, () => this.#tick(type, probe, periodAt, eager + 1));
    else this.#schedule(type, untilPeriod, () => this.#tick(type, probe, Math.max(nextPeriodAt, clock.monotonic()), 0));
  }

  #note(type: ProbeType, probe: Probe, outcome: ProbeOutcome): void {
    if (!outcome.ok) this.#options.onFailure(type, outcome.message);
    const successes = outcome.ok ? (this.#successes.get(type) ?? 0) + 1 : 0;
    const failures = outcome.ok ? 0 : (this.#failures.get(type) ?? 0) + 1;
    this.#successes.set(type, successes);
    this.#failures.set(type, failures);
    if (outcome.ok && successes >= (probe.successThreshold ?? 1)) this.#succeed(type);
    else if (!outcome.ok && failures >= (probe.failureThreshold ?? 3)) this.#fail(type);
  }

  #succeed(type: ProbeType): void {
    if (type === 'startup' && !this.#isStarted) {
      this.#isStarted = true;
      this.#beginOthers();
      this.#options.onChange();
    } else if (type === 'readiness' && !this.#isReady) {
      this.#isReady = true;
      this.#options.onChange();
    }
  }

  #fail(type: ProbeType): void {
    if (type === 'readiness') {
      if (!this.#isReady) return;
      this.#isReady = false;
      this.#options.onChange();
      return;
    }
    this[Symbol.dispose]();
    this.#options.onUnhealthy(type);
  }

  async #run(type: ProbeType, probe: Probe): Promise<ProbeOutcome> {
    const { address, container, record, mode, clock } = this.#options;
    const timeoutMs = Math.max(1, probe.timeoutSeconds ?? 1) * 1000;
    if (probe.httpGet) {
      const { port, host, path, scheme, httpHeaders } = probe.httpGet;
      const number = portOf(container, port);
      if (number === undefined)
        return { ok: false, message: `couldn't find port ${port} in container ${container.name}` };
      return probeHttp({
        scheme: scheme ?? 'HTTP',
        host: host || address,
        port: number,
        path: path ?? '/',
        headers: httpHeaders ?? [],
        timeoutMs,
      });
    }
    if (probe.tcpSocket) {
      const number = portOf(container, probe.tcpSocket.port);
      if (number === undefined) return { ok: false, message: `couldn't find port ${probe.tcpSocket.port}` };
      return probeTcp(probe.tcpSocket.host || address, number, timeoutMs);
    }
    if (probe.grpc) return probeGrpc(address, probe.grpc.port, probe.grpc.service ?? '', timeoutMs);
    if (probe.exec) {
      if (record.isPause) return { ok: true, message: '' };
      const { exitCode, output } = await runInContainer(record, mode, probe.exec.command ?? [], timeoutMs, clock);
      if (exitCode === 0) return { ok: true, message: '' };
      return {
        ok: false,
        message:
          exitCode === undefined
            ? `command timed out: "${(probe.exec.command ?? []).join(' ')}" timed out after ${timeoutMs / 1000}s`
            : output.slice(0, MAX_OUTPUT),
      };
    }
    return { ok: false, message: `missing probe handler for ${type}` };
  }
}

/** A port by number or by its name among the container's ports. */
export function portOf(container: Container, port: number | string): number | undefined {
  const number = Number(port);
  if (Number.isInteger(number) && number > 0) return number;
  return container.ports?.find((each) => each.name === port)?.containerPort;
}
