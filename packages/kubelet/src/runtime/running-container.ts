import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@kind-e2e/base';
import type { ContainerRecord } from './container-record.ts';
import { findStragglers, isAlive, signalProcess } from './processes.ts';

export interface ExitInfo {
  /** 128 + signal for a signal; undefined when nobody saw it end. */
  readonly exitCode: number | undefined;
  readonly finishedAt: number;
}

export interface RunningContainerOptions {
  readonly record: ContainerRecord;
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when `out` or `err` may have grown. */
  readonly onOutput: () => void;
}

/** How often a container is looked at beside what the file system tells. */
const POLL_MS = 1_000;

/** A container whose process runs, started by this kubelet or by one before it. */
export class RunningContainer implements Disposable {
  readonly #options: RunningContainerOptions;
  readonly #exit = Promise.withResolvers<ExitInfo>();
  #watcher: FSWatcher | undefined;
  #timer: Disposable | undefined;
  #checking = false;
  #ended = false;

  constructor(options: RunningContainerOptions) {
    this.#options = options;
    try {
      this.#watcher = watch(options.directory, { persistent: false }, (_event, name) => {
        if (name === 'exit') void this.#check();
        else if (name === 'out' || name === 'err') options.onOutput();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch (error) {
      options.logger.debug('no file notifications for a container, polling', { error });
    }
    // A short program may have ended before anybody looked.
    void this.#check().then(() => {
      if (!this.#ended) this.#poll();
    });
  }

  /** Resolves when the container's program has ended and what it had started is gone. */
  get exited(): Promise<ExitInfo> {
    return this.#exit.promise;
  }

  /** Sends a signal to the container's program alone, as a runtime signals process 1. False when it is gone. */
  signal(signal: NodeJS.Signals): boolean {
    const { main } = this.#options.record;
    return main !== undefined && signalProcess(main, signal);
  }

  /** Ends the program and everything that it started. */
  kill(): void {
    this.signal('SIGKILL');
    this.#killStragglers(false);
  }

  #poll(): void {
    this.#timer = this.#options.clock.after(POLL_MS, () => {
      this.#options.onOutput();
      void this.#check().then(() => {
        if (!this.#ended) this.#poll();
      });
    });
  }

  async #check(): Promise<void> {
    if (this.#checking || this.#ended) return;
    this.#checking = true;
    try {
      const { record, directory, clock } = this.#options;
      let code = await readExitCode(directory);
      if (code === undefined) {
        const isRunning = (record.main && isAlive(record.main)) || (record.launcher && isAlive(record.launcher));
        if (isRunning) return;
        code = await readExitCode(directory);
      }
      if (this.#ended) return;
      this.#end();
      this.#killStragglers(true);
      this.#exit.resolve({ exitCode: code, finishedAt: clock.now() });
    } finally {
      this.#checking = false;
    }
  }

  #killStragglers(withLauncher: boolean): void {
    const { record } = this.#options;
    if (!record.launcher) return;
    for (const each of findStragglers(record.launcher.pid, `KIND_E2E_CONTAINER=${record.id}`))
      if (withLauncher || each.pid !== record.launcher.pid) signalProcess(each, 'SIGKILL');
  }

  #end(): void {
    this.#ended = true;
    this.#watcher?.close();
    this.#timer?.[Symbol.dispose]();
  }

  /** Stops looking; the container goes on. */
  [Symbol.dispose](): void {
    this.#end();
  }
}

/** What the launch script wrote when the program ended. */
export async function readExitCode(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, 'exit'), 'latin1').catch(() => '');
  return /^\d+\n$/.test(text) ? Number(text) : undefined;
}
