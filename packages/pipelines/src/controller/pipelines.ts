/** Long because it is one state machine: the queue, the builds that run, and all that starts, stops or repeats one. */
import { join } from 'node:path';
import { type Clock, LabError, type Logger, messageOf } from '@kind-e2e/base';
import { BuildLog } from '../build/build-log.ts';
import { BuildRun } from '../build/build-run.ts';
import { BuildStore, type JobDefinition } from '../build/build-store.ts';
import type { CredentialSource } from '../build/credentials.ts';
import { Interrupted } from '../build/interrupts.ts';
import { type BuildRecord, type BuildResult, type Cause, worse } from '../build/record.ts';
import { newSpanId, newTraceId, SpanExporter } from '../build/trace.ts';
import type { Parameter, Pipeline } from '../jenkinsfile/ast.ts';
import { parseJenkinsfile } from '../jenkinsfile/parse-jenkinsfile.ts';
import { AgentPool } from './agent-pool.ts';
import { discardOldBuilds } from './discard.ts';
import { PipelineMetrics } from './metrics.ts';
import { parameterValues } from './parameters.ts';
import { readChanges, readSource, type Source } from './source.ts';
import { startTriggers } from './triggers.ts';

export interface PipelinesOptions {
  readonly dataDirectory: string;
  readonly credentials: CredentialSource;
  /** What agents show to be let in. */
  readonly agentToken: string;
  /** `http://host:4318`; without it there are no traces. */
  readonly otlpEndpoint?: string;
  /** Base URL of the console's pipelines, such as `http://localhost:8080/jenkins`. */
  readonly url: string;
  /** Takes each line of each build's log, with trace ids. Default: nowhere. */
  readonly writeLine?: (line: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface QueueItem {
  readonly id: number;
  readonly job: string;
  readonly sinceMs: number;
  readonly request: BuildRequest;
  why: string;
  isCancelled: boolean;
  build: number | undefined;
}

export interface BuildRequest {
  readonly cause: Cause;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Another Jenkinsfile than the job's: replay and restart. */
  readonly script?: string;
  readonly commit?: string;
  readonly restartedFrom?: { readonly build: number; readonly stage: string };
}

const KEPT_QUEUE_ITEMS = 200;

/** Jobs, their queue and their builds. Builds that a crash interrupted are marked when it starts again. */
export class Pipelines implements AsyncDisposable {
  readonly store: BuildStore;
  readonly agents: AgentPool;
  readonly metrics = new PipelineMetrics();
  readonly #options: PipelinesOptions;
  readonly #spans: SpanExporter;
  readonly #running = new Map<string, { run: BuildRun; done: Promise<void> }>();
  readonly #items = new Map<number, QueueItem>();
  readonly #parsed = new Map<string, { text: string; pipeline: Pipeline }>();
  readonly #ended = new AbortController();
  /** Who waits out the quiet period, by item. */
  readonly #quiet = new Map<number, Disposable>();
  #nextItem: number;
  #checking = false;
  #again = false;
  readonly #triggers: Disposable;

  constructor(options: PipelinesOptions) {
    this.#options = options;
    this.store = new BuildStore(options.dataDirectory);
    this.agents = new AgentPool({ token: options.agentToken, clock: options.clock, logger: options.logger });
    this.#spans = new SpanExporter(options.otlpEndpoint, options.clock, options.logger);
    this.#nextItem = Math.floor(options.clock.now() / 1_000);
    this.#markInterrupted();
    this.#triggers = startTriggers({
      jobs: () => this.jobs,
      store: this.store,
      start: (job, cause) => this.request(job, { cause }),
      clock: options.clock,
      logger: options.logger,
    });
  }

  get jobs(): readonly JobDefinition[] {
    return this.store.jobs();
  }

  get queue(): readonly QueueItem[] {
    return [...this.#items.values()].filter((item) => item.build === undefined && !item.isCancelled);
  }

  item(id: number): QueueItem | undefined {
    return this.#items.get(id);
  }

  /** A finished or running build. */
  build(job: string, number: number): BuildRecord | undefined {
    return this.#running.get(`${job}/${number}`)?.run.record ?? this.store.build(job, number);
  }

  builds(job: string): readonly BuildRecord[] {
    return this.store.buildNumbers(job).flatMap((number) => this.build(job, number) ?? []);
  }

  /** Makes or changes a job. A Jenkinsfile given with it must be right. */
  define(job: JobDefinition): void {
    if (job.script === undefined && job.scm === undefined)
      throw new LabError(`the job ${job.name} needs script or scm`, {
        code: 'JOB_EMPTY',
        side: 'user',
        remedy: 'give one of them',
      });
    const pipeline = job.script === undefined ? undefined : parseJenkinsfile(job.script);
    this.store.saveJob(job);
    if (pipeline) this.#remember(job, { text: job.script ?? '', commit: undefined, branch: 'main' }, pipeline);
  }

  /** A disabled job starts no build, its triggers rest. */
  setDisabled(name: string, disabled: boolean): void {
    const job = this.store.job(name);
    if (job) this.store.saveJob({ ...job, disabled });
  }

  /** The parameters that a job's last known Jenkinsfile declares. */
  parametersOf(job: string): readonly Parameter[] {
    const known = this.#parsed.get(job);
    if (known) return known.pipeline.parameters;
    const last = this.store.buildNumbers(job)[0];
    const script = last === undefined ? this.store.job(job)?.script : this.build(job, last)?.script;
    try {
      return script ? parseJenkinsfile(script).parameters : [];
    } catch {
      return [];
    }
  }

  /** Puts a build into the queue. */
  request(job: string, request: BuildRequest): QueueItem {
    if (!this.store.job(job))
      throw new LabError(`there is no job ${job}`, {
        code: 'NO_JOB',
        side: 'user',
        remedy: `jobs: ${this.jobs.map(({ name }) => name).join(', ') || 'none'}`,
      });
    const item: QueueItem = {
      id: this.#nextItem++,
      job,
      sinceMs: this.#options.clock.now(),
      request,
      why: 'In the quiet period',
      isCancelled: false,
      build: undefined,
    };
    this.#items.set(item.id, item);
    for (const old of [...this.#items.keys()].slice(0, -KEPT_QUEUE_ITEMS))
      if (this.#items.get(old)?.build) this.#items.delete(old);
    void this.#checkQueue();
    return item;
  }

  cancel(id: number): boolean {
    const item = this.#items.get(id);
    if (!item || item.build !== undefined) return false;
    item.isCancelled = true;
    return true;
  }

  restart(job: string, number: number, stage: string): QueueItem {
    const record = this.#finished(job, number);
    const pipeline = parseJenkinsfile(record.script);
    if (pipeline.options.disableRestartFromStage)
      throw new LabError(`the build ${job} #${number} cannot be restarted from a stage`, {
        code: 'RESTART_DISABLED',
        side: 'user',
        remedy: 'take disableRestartFromStage() out of its options, or start a new build',
      });
    const stages = pipeline.stages.map(({ name }) => name);
    if (!stages.includes(stage))
      throw new LabError(`the build ${job} #${number} has no stage "${stage}" to restart from`, {
        code: 'NO_STAGE',
        side: 'user',
        remedy: `outermost stages: ${stages.join(', ')}`,
      });
    return this.request(job, {
      cause: { kind: 'RestartCause', text: `Restarted from build #${number}, stage ${stage}` },
      parameters: record.parameters,
      script: record.script,
      ...(record.commit === undefined ? {} : { commit: record.commit }),
      restartedFrom: { build: number, stage },
    });
  }

  replay(job: string, number: number, script?: string): QueueItem {
    const record = this.#finished(job, number);
    if (script !== undefined) parseJenkinsfile(script);
    return this.request(job, {
      cause: { kind: 'ReplayCause', text: `Replayed #${number}` },
      parameters: record.parameters,
      script: script ?? record.script,
      ...(record.commit === undefined ? {} : { commit: record.commit }),
    });
  }

  #finished(job: string, number: number): BuildRecord {
    const record = this.build(job, number);
    if (record) return record;
    throw new LabError(`there is no build ${job} #${number}`, {
      code: 'NO_BUILD',
      side: 'user',
      remedy: 'see the list of builds',
    });
  }

  stop(job: string, number: number, by = 'a user'): boolean {
    const running = this.#running.get(`${job}/${number}`);
    running?.run.abort(new Interrupted(`Aborted by ${by}`));
    return running !== undefined;
  }

  answer(
    job: string,
    number: number,
    id: string,
    action: 'proceed' | 'abort',
    values: Readonly<Record<string, string>>,
  ): boolean {
    return this.#running.get(`${job}/${number}`)?.run.answer(id, action, values) ?? false;
  }

  /** Resolves when the build has ended. */
  async finished(job: string, number: number): Promise<void> {
    await this.#running.get(`${job}/${number}`)?.done;
  }

  metricsText(): string {
    return this.metrics.text({ agents: this.agents.agents, queued: this.queue.length, running: this.#running.size });
  }

  async #checkQueue(): Promise<void> {
    if (this.#checking) {
      this.#again = true;
      return;
    }
    this.#checking = true;
    do {
      this.#again = false;
      for (const item of this.queue) {
        if (this.#ended.signal.aborted) break;
        await this.#tryStart(item).catch((error: unknown) => {
          item.isCancelled = true;
          this.#options.logger.error('a build could not be started', { job: item.job, error });
        });
      }
    } while (this.#again && !this.#ended.signal.aborted);
    this.#checking = false;
  }

  async #tryStart(item: QueueItem): Promise<void> {
    const job = this.store.job(item.job);
    if (!job) {
      item.isCancelled = true;
      return;
    }
    let source: Source = { text: '', commit: undefined, branch: job.scm?.branch ?? 'main' };
    let pipeline: Pipeline | undefined;
    let problem: unknown;
    try {
      const { script, commit } = item.request;
      source =
        script === undefined
          ? await readSource(job, this.#repositories, this.#ended.signal)
          : { text: script, commit, branch: source.branch };
      pipeline = parseJenkinsfile(source.text, job.scm?.scriptPath ?? 'Jenkinsfile');
    } catch (error) {
      problem = error;
    }
    if (item.isCancelled || this.#ended.signal.aborted) return;
    const { clock } = this.#options;
    const quietMs = item.sinceMs + (pipeline?.options.quietPeriodMs ?? 0) - clock.now();
    if (quietMs > 0) {
      item.why = `In the quiet period. Expires in ${Math.ceil(quietMs / 1_000)} sec`;
      this.#quiet.get(item.id)?.[Symbol.dispose]();
      this.#quiet.set(
        item.id,
        clock.after(quietMs, () => void this.#checkQueue()),
      );
      return;
    }
    this.#quiet.delete(item.id);
    const exclusive = pipeline?.options.disableConcurrentBuilds;
    const others = [...this.#running.values()].filter(({ run }) => run.record.job === item.job);
    if (exclusive !== undefined && others.length > 0) {
      item.why = `Build #${others[0]?.run.record.number} is already in progress`;
      if (exclusive === 'abortPrevious')
        for (const { run } of others) run.abort(new Interrupted('Superseded by a newer build', 'NOT_BUILT'));
      return;
    }
    this.#start(item, job, source, pipeline, problem);
  }

  #start(item: QueueItem, job: JobDefinition, source: Source, pipeline: Pipeline | undefined, problem: unknown): void {
    const { clock } = this.#options;
    const previousResult = this.builds(job.name).find(({ building }) => !building)?.result;
    const number = this.store.takeNumber(job.name);
    const { plain, secret } = parameterValues(pipeline?.parameters ?? [], item.request.parameters ?? {});
    const record: BuildRecord = {
      job: job.name,
      number,
      queueId: item.id,
      causes: [item.request.cause],
      parameters: plain,
      secretParameters: Object.keys(secret),
      script: source.text,
      branch: source.branch,
      commit: source.commit,
      restartedFrom: item.request.restartedFrom,
      startedMs: clock.now(),
      durationMs: 0,
      building: true,
      result: 'SUCCESS',
      reason: undefined,
      traceId: newTraceId(),
      spanId: newSpanId(),
      stages: [],
      artifacts: [],
      tests: [],
      inputs: [],
    };
    this.store.saveBuild(record);
    item.build = number;
    const run = this.#runOf(record, pipeline ?? EMPTY, job, secret, previousResult);
    if (pipeline) this.#remember(job, source, pipeline);
    this.#options.logger.info('build started', { job: job.name, build: number, traceId: record.traceId });
    const key = `${job.name}/${number}`;
    const done = (async () => {
      if (problem === undefined) await run.execute();
      else {
        record.result = 'FAILURE';
        record.reason = messageOf(problem);
        run.log.line(messageOf(problem), { stage: undefined, spanId: record.spanId, timestamps: false });
        run.finish(messageOf(problem));
      }
    })()
      .catch((error: unknown) => {
        this.#options.logger.error('a build ended out of order', { job: job.name, build: number, error });
        record.result = 'FAILURE';
        record.building = false;
        this.store.saveBuild(record);
      })
      .finally(() => {
        this.#running.delete(key);
        this.metrics.finished(record);
        this.#options.logger.info('build ended', {
          job: job.name,
          build: number,
          result: record.result,
          durationMs: record.durationMs,
        });
        if (pipeline) discardOldBuilds(this, job.name, pipeline.options, clock.now());
        this.#startDownstream(record);
        void this.#checkQueue();
      });
    this.#running.set(key, { run, done });
  }

  /** Jobs that name this one in `triggers { upstream … }`. */
  #startDownstream(record: BuildRecord): void {
    if (this.#ended.signal.aborted) return;
    for (const { name, disabled } of this.jobs)
      for (const trigger of disabled ? [] : (this.store.state(name).triggers ?? [])) {
        if (trigger.kind !== 'upstream' || !trigger.jobs.includes(record.job)) continue;
        if (worse(trigger.threshold, record.result) !== trigger.threshold) continue;
        const text = `Started by upstream project "${record.job}" build number ${record.number}`;
        this.request(name, { cause: { kind: 'UpstreamCause', text } });
      }
  }

  #runOf(
    record: BuildRecord,
    pipeline: Pipeline,
    job: JobDefinition,
    secretParameters: Readonly<Record<string, string>>,
    previousResult: BuildResult | undefined,
  ): BuildRun {
    const { clock, url, credentials, writeLine = () => undefined } = this.#options;
    const log = new BuildLog({
      file: this.store.logFile(job.name, record.number),
      job: job.name,
      number: record.number,
      traceId: record.traceId,
      clock,
      write: writeLine,
    });
    return new BuildRun({
      record,
      pipeline,
      job,
      log,
      store: this.store,
      agents: this.agents,
      credentials,
      spans: this.#spans,
      secretParameters,
      previousResult,
      url,
      clock,
      changes: async () => {
        const from = this.builds(job.name).find(
          (one) => one.number < record.number && one.commit !== undefined,
        )?.commit;
        if (from === undefined || record.commit === undefined) return [];
        return readChanges(job, this.#repositories, { from, to: record.commit });
      },
    });
  }

  get #repositories(): string {
    return join(this.#options.dataDirectory, 'repositories');
  }

  #remember(job: JobDefinition, source: Source, pipeline: Pipeline): void {
    this.#parsed.set(job.name, { text: source.text, pipeline });
    this.store.saveState(job.name, {
      triggers: pipeline.triggers,
      ...(source.commit === undefined ? {} : { lastCommit: source.commit }),
    });
  }

  /** What ran when the controller went away cannot go on: its agents ended it. */
  #markInterrupted(): void {
    for (const { name } of this.jobs)
      for (const number of this.store.buildNumbers(name)) {
        const record = this.store.build(name, number);
        if (!record) continue;
        if (!record.building) {
          this.metrics.finished(record);
          continue;
        }
        record.result = 'ABORTED';
        record.reason = 'The controller ended while the build ran';
        const run = this.#runOf(record, EMPTY, { name }, {}, undefined);
        for (const stage of record.stages)
          if (stage.status === 'IN_PROGRESS' || stage.status === 'PAUSED_PENDING_INPUT') {
            stage.status = 'ABORTED';
            stage.error = record.reason;
            stage.durationMs = this.#options.clock.now() - stage.startedMs;
          }
        run.log.line(record.reason, { stage: undefined, spanId: record.spanId, timestamps: false });
        run.finish(record.reason);
        this.metrics.finished(record);
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    this.#triggers[Symbol.dispose]();
    for (const timer of this.#quiet.values()) timer[Symbol.dispose]();
    const reason = new Interrupted('The controller ends');
    for (const { run } of this.#running.values()) {
      run.abort(reason);
      run.abort(reason);
    }
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    this.agents[Symbol.dispose]();
    await this.#spans[Symbol.asyncDispose]();
  }
}

const EMPTY: Pipeline = parseJenkinsfile(
  'pipeline { agent none\n stages { stage("none") { steps { echo "none" } } } }',
);
