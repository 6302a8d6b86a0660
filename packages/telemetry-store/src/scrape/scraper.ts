import { type Clock, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import type { KubeClient } from '@kind-e2e/kube-client';
import type { MetricWriter } from '@kind-e2e/telemetry';
import { parsePrometheusConfig } from './config.ts';
import type { ScrapeConfig } from './config-model.ts';
import { KubernetesDiscovery } from './discovery.ts';
import { TargetClient } from './fetch-target.ts';
import { ScrapeLoop } from './scrape-loop.ts';
import { durationText, populateTarget, type Target } from './target.ts';

export interface ScraperOptions {
  /** Prometheus' configuration file. */
  readonly config: string;
  readonly writer: MetricWriter;
  /** Needed where the configuration has `kubernetes_sd_configs`. */
  readonly client?: KubeClient;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Dropped targets that are remembered for each job. */
const MAX_DROPPED = 500;

interface Job {
  readonly config: ScrapeConfig;
  readonly client: TargetClient;
  readonly loops: Map<string, ScrapeLoop>;
  dropped: Readonly<Record<string, string>>[];
}

/** What `/api/v1/targets` shows of a target; the shape is Prometheus'. */
export interface ScrapedTarget {
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

/** Finds and scrapes targets as Prometheus does, with its configuration file. Starts at once. */
export class Scraper implements AsyncDisposable {
  readonly #options: Required<Omit<ScraperOptions, 'client' | 'config'>>;
  readonly #discovery: KubernetesDiscovery | undefined;
  #yaml: string;
  #jobs: Job[] = [];
  #closing: Promise<unknown>[] = [];
  #disposed = false;

  constructor(options: ScraperOptions) {
    const { clock = systemClock, logger = silentLogger, writer, client } = options;
    this.#options = { clock, logger, writer };
    this.#yaml = options.config;
    this.#discovery = client && new KubernetesDiscovery({ client, logger, clock, onChange: () => this.#sync() });
    this.reload(options.config);
  }

  /** Takes another configuration; throws a LabError, and keeps the old one, where it is wrong. */
  reload(yaml: string): void {
    const { scrapeConfigs } = parsePrometheusConfig(yaml);
    const before = this.#jobs;
    this.#yaml = yaml;
    this.#jobs = scrapeConfigs.map((config) => {
      // A job whose configuration is the same goes on with its targets.
      const same = before.find((job) => JSON.stringify(job.config) === JSON.stringify(config));
      return same ?? { config, client: new TargetClient(config), loops: new Map(), dropped: [] };
    });
    for (const job of before) if (!this.#jobs.includes(job)) this.#stopJob(job);
    this.#sync();
  }

  #stopJob(job: Job): void {
    for (const loop of job.loops.values()) this.#stop(loop);
    job.loops.clear();
    job.client[Symbol.dispose]();
  }

  #stop(loop: ScrapeLoop): void {
    const done = loop[Symbol.asyncDispose]();
    this.#closing.push(done);
    void done.finally(() => {
      this.#closing = this.#closing.filter((other) => other !== done);
    });
  }

  #sync(): void {
    if (this.#disposed) return;
    for (const job of this.#jobs) this.#syncJob(job);
  }

  #syncJob(job: Job): void {
    const wanted = new Map<string, Target>();
    job.dropped = [];
    for (const found of this.#discover(job.config)) {
      const outcome = populateTarget(found, job.config);
      if (outcome.kind === 'active') wanted.set(outcome.target.key, outcome.target);
      else if (job.dropped.length < MAX_DROPPED) job.dropped.push(outcome.discoveredLabels);
    }
    const { targetLimit, jobName } = job.config;
    if (targetLimit > 0 && wanted.size > targetLimit) {
      this.#options.logger.warn('a job has more targets than its target_limit; none is scraped', {
        job: jobName,
        targets: wanted.size,
        limit: targetLimit,
      });
      wanted.clear();
    }
    for (const [key, loop] of job.loops) {
      if (wanted.has(key)) continue;
      job.loops.delete(key);
      this.#stop(loop);
    }
    for (const [key, target] of wanted) {
      if (job.loops.has(key)) continue;
      job.loops.set(key, new ScrapeLoop({ ...this.#options, target, config: job.config, client: job.client }));
    }
  }

  *#discover(config: ScrapeConfig): Generator<Readonly<Record<string, string>>> {
    for (const { targets, labels } of config.staticConfigs)
      for (const address of targets) yield { ...labels, __address__: address };
    for (const sd of config.kubernetesSdConfigs)
      for (const group of this.#discovery?.targets(sd) ?? []) yield* group.targets;
  }

  activeTargets(): ScrapedTarget[] {
    return this.#jobs.flatMap(({ config, loops }) =>
      [...loops.values()].map(({ target, state }) => ({
        discoveredLabels: target.discoveredLabels,
        labels: target.labels.toObject(),
        scrapePool: config.jobName,
        scrapeUrl: target.url,
        globalUrl: target.url,
        lastError: state.lastError,
        lastScrape: state.lastScrapeMs === 0 ? '0001-01-01T00:00:00Z' : new Date(state.lastScrapeMs).toISOString(),
        lastScrapeDuration: state.lastDurationMs / 1000,
        health: state.health,
        scrapeInterval: durationText(target.intervalMs),
        scrapeTimeout: durationText(target.timeoutMs),
      })),
    );
  }

  droppedTargets(): { discoveredLabels: Readonly<Record<string, string>>; scrapePool: string }[] {
    return this.#jobs.flatMap(({ config, dropped }) =>
      dropped.map((discoveredLabels) => ({ discoveredLabels, scrapePool: config.jobName })),
    );
  }

  targetMetadata(): { target: Record<string, string>; metric: string; type: string; help: string; unit: string }[] {
    return this.#jobs.flatMap(({ loops }) =>
      [...loops.values()].flatMap((loop) =>
        [...loop.metadata].map(([metric, metadata]) => ({
          target: loop.target.labels.toObject(),
          metric,
          ...metadata,
        })),
      ),
    );
  }

  configYaml(): string {
    return this.#yaml;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = true;
      for (const job of this.#jobs) this.#stopJob(job);
    }
    await this.#discovery?.[Symbol.asyncDispose]();
    await Promise.allSettled(this.#closing);
  }
}
