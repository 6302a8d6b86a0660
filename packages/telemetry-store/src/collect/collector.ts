import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import { createInformer, type Informer, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { Labels, type LogEntry, type LogWriter } from '@kind-e2e/telemetry';
import type { PodObject } from '../scrape/kubernetes-labels.ts';
import type { JoinedLine } from './line-joiner.ts';
import type { Pipeline } from './pipeline.ts';
import { Positions } from './positions.ts';
import { Tail } from './tail.ts';

export interface LogCollectorOptions {
  /** The folder with one folder a pod: `<namespace>_<pod>_<uid>/<container>/<restart>.log`. */
  readonly directory: string;
  /** File that keeps how far each log was read. */
  readonly positionsFile: string;
  readonly writer: LogWriter;
  /** Without it, labels come from the path alone. */
  readonly client?: KubeClient;
  /** Stages after the container runtime's format is undone. */
  readonly pipeline?: Pipeline;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Pause between looks at the files. Default 200 ms. */
  readonly pollMs?: number;
}

/** Pauses between looks for new files. */
const SCAN_EVERY_MS = 1000;
const SAVE_EVERY_MS = 1000;
/** How long a new folder may wait for its pod to show in the API. */
const UNKNOWN_POD_MS = 5000;
const PATH = /^([^_]+)_([^_]+)_([^/]+)\/([^/]+)\/(\d+)\.log$/;

interface Followed {
  readonly tail: Tail;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  readonly sinceMs: number;
  labels: Labels | undefined;
  readonly byStream: Map<string, Labels>;
}

/** Ships the output of every container to the store, with the pod's labels. Starts at once. */
export class LogCollector implements AsyncDisposable {
  readonly #options: Required<Omit<LogCollectorOptions, 'client' | 'pipeline'>>;
  #pipeline: Pipeline | undefined;
  readonly #positions: Positions;
  readonly #pods: Informer<PodObject> | undefined;
  readonly #files = new Map<string, Followed>();
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #failing = false;

  constructor(options: LogCollectorOptions) {
    const { clock = systemClock, logger = silentLogger, pollMs = 200, client } = options;
    this.#options = { ...options, clock, logger, pollMs };
    this.#pipeline = options.pipeline;
    this.#positions = new Positions(options.positionsFile, logger);
    this.#pods =
      client &&
      createInformer<PodObject>({
        client,
        resource: RESOURCES.pods,
        logger,
        clock,
        indexers: { uid: (pod) => [pod.metadata?.uid ?? ''] },
      });
    this.#done = this.#run();
  }

  /** Lines that are read from now on go through these stages. */
  usePipeline(pipeline: Pipeline | undefined): void {
    this.#pipeline = pipeline;
  }

  async #run(): Promise<void> {
    const { clock, pollMs, logger } = this.#options;
    const { signal } = this.#abort;
    let scanAt = -Infinity;
    let saveAt = clock.monotonic() + SAVE_EVERY_MS;
    while (!signal.aborted) {
      try {
        if (clock.monotonic() >= scanAt) {
          await this.#scan();
          scanAt = clock.monotonic() + SCAN_EVERY_MS;
        }
        await this.#round();
        if (clock.monotonic() >= saveAt) {
          await this.#positions.save();
          saveAt = clock.monotonic() + SAVE_EVERY_MS;
        }
        if (this.#failing) logger.info('logs are collected again');
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) logger.warn('logs cannot be collected; it will be tried again', { error });
        this.#failing = true;
      }
      try {
        await clock.sleep(this.#failing ? pollMs * 5 : pollMs, signal);
      } catch {
        return;
      }
    }
  }

  async #scan(): Promise<void> {
    const { directory, clock } = this.#options;
    const found = new Set<string>();
    for (const folder of await list(directory))
      for (const container of await list(join(directory, folder)))
        for (const file of await list(join(directory, folder, container))) {
          const path = `${folder}/${container}/${file}`;
          const match = PATH.exec(path);
          if (!match) continue;
          found.add(path);
          if (this.#files.has(path)) continue;
          const [, namespace = '', pod = '', uid = ''] = match;
          this.#files.set(path, {
            tail: new Tail(join(directory, path), this.#positions.get(path), (damaged, error) =>
              this.#options.logger.warn('a compressed log cannot be read and is passed over', { path: damaged, error }),
            ),
            namespace,
            pod,
            uid,
            container,
            sinceMs: clock.now(),
            labels: undefined,
            byStream: new Map(),
          });
        }
    for (const [path, file] of this.#files) {
      if (found.has(path)) continue;
      await this.#drain(path, file);
      this.#files.delete(path);
      this.#positions.delete(path);
      await file.tail[Symbol.asyncDispose]();
    }
  }

  async #round(): Promise<void> {
    for (const [path, file] of this.#files) await this.#drain(path, file);
  }

  /** Reads what is new in a file; the position moves only when the store has it. */
  async #drain(path: string, file: Followed): Promise<void> {
    const labels = this.#labelsOf(file);
    if (!labels) return;
    for (;;) {
      const { lines, more, gone } = await file.tail.read();
      if (lines.length > 0) {
        await this.#write(file, labels, lines);
        file.tail.delivered(lines);
      }
      if (!gone) this.#positions.set(path, file.tail.position);
      if (!more || this.#abort.signal.aborted) return;
    }
  }

  async #write(file: Followed, labels: Labels, lines: readonly JoinedLine[]): Promise<void> {
    const { writer, logger } = this.#options;
    const pipeline = this.#pipeline;
    const streams = new Map<string, { labels: Labels; entries: LogEntry[] }>();
    for (const { stream, line, timestampNs } of lines) {
      let own = file.byStream.get(stream);
      if (!own) {
        own = labels.with({ stream });
        file.byStream.set(stream, own);
      }
      const entry = pipeline ? pipeline({ labels: own, timestampNs, line }) : { labels: own, timestampNs, line };
      if (!entry) continue;
      const same = streams.get(entry.labels.key);
      if (same) same.entries.push(entry);
      else streams.set(entry.labels.key, { labels: entry.labels, entries: [entry] });
    }
    const { rejected } = await writer.append([...streams.values()]);
    for (const { reason, count } of rejected)
      logger.warn('log lines were refused by the store', { reason, count, namespace: file.namespace, pod: file.pod });
  }

  /** Labels of the container's lines; undefined while the pod is not known yet but may become so. */
  #labelsOf(file: Followed): Labels | undefined {
    if (file.labels) return file.labels;
    const pods = this.#pods;
    const pod = pods?.byIndex('uid', file.uid)[0] ?? pods?.get(file.pod, file.namespace);
    const mayCome = pods && (!pods.hasSynced || this.#options.clock.now() - file.sinceMs < UNKNOWN_POD_MS);
    if (!pod && mayCome) return undefined;
    const own = pod?.metadata?.labels ?? {};
    const app = own.app ?? own['app.kubernetes.io/name'] ?? own['k8s-app'] ?? '';
    file.labels = Labels.fromObject({
      namespace: file.namespace,
      pod: file.pod,
      container: file.container,
      app,
      node_name: pod?.spec?.nodeName ?? '',
      job: `${file.namespace}/${app || file.container}`,
      instance: own['app.kubernetes.io/instance'] ?? '',
      component: own['app.kubernetes.io/component'] ?? '',
    });
    return file.labels;
  }

  /** Reads what is there, and stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
    await this.#positions.save();
    for (const file of this.#files.values()) await file.tail[Symbol.asyncDispose]();
    this.#files.clear();
    await this.#pods?.[Symbol.asyncDispose]();
  }
}

async function list(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
