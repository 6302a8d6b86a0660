import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, messageOf } from '@kind-e2e/base';
import type { TransferredFile } from '../agent/protocol.ts';
import type { AgentPool } from '../controller/agent-pool.ts';
import type { Change } from '../controller/source.ts';
import type { Pipeline } from '../jenkinsfile/ast.ts';
import type { BuildLog, LineContext } from './build-log.ts';
import type { BuildStore, JobDefinition } from './build-store.ts';
import { type Credential, type CredentialSource, keyFile } from './credentials.ts';
import { Interrupted, resultOf, StepFailure } from './interrupts.ts';
import { type BuildRecord, type BuildResult, type PendingInput, worse } from './record.ts';
import { onAgent, runSequence, withOptions, withPost } from './run-stages.ts';
import { operate } from './run-steps.ts';
import { type Scope, withEnvironment } from './scope.ts';
import type { EndedSpan, SpanExporter } from './trace.ts';

export interface BuildRunOptions {
  readonly record: BuildRecord;
  readonly pipeline: Pipeline;
  readonly job: JobDefinition;
  readonly log: BuildLog;
  readonly store: BuildStore;
  readonly agents: AgentPool;
  readonly credentials: CredentialSource;
  readonly spans: SpanExporter;
  readonly secretParameters: Readonly<Record<string, string>>;
  readonly previousResult: BuildResult | undefined;
  /** Base URL under which builds are seen, for `BUILD_URL`. */
  readonly url: string;
  readonly clock: Clock;
  /** Commits between the last build's and this one's, newest first. */
  readonly changes: () => Promise<readonly Change[]>;
}

interface OpenInput {
  readonly pending: PendingInput;
  readonly proceed: (values: Readonly<Record<string, string>>) => void;
  readonly abort: (reason: Error) => void;
}

/** The lab has no users; Jenkins calls its first one so. */
const ONLY_USER = 'admin';

/** One run of a pipeline. */
export class BuildRun {
  readonly record: BuildRecord;
  readonly pipeline: Pipeline;
  readonly log: BuildLog;
  readonly store: BuildStore;
  readonly agents: AgentPool;
  readonly clock: Clock;
  readonly previousResult: BuildResult | undefined;
  readonly #options: BuildRunOptions;
  readonly #abort = new AbortController();
  readonly #abortHard = new AbortController();
  readonly #inputs = new Map<string, OpenInput>();
  #changes: Promise<readonly Change[]> | undefined;

  constructor(options: BuildRunOptions) {
    this.#options = options;
    this.record = options.record;
    this.pipeline = options.pipeline;
    this.log = options.log;
    this.store = options.store;
    this.agents = options.agents;
    this.clock = options.clock;
    this.previousResult = options.previousResult;
    for (const value of Object.values(options.secretParameters)) this.log.mask(value);
  }

  /** For post actions: goes on when the build is aborted, until it is aborted again. */
  get lasting(): AbortSignal {
    return this.#abortHard.signal;
  }

  changes(): Promise<readonly Change[]> {
    this.#changes ??= this.#options.changes();
    return this.#changes;
  }

  get hasScm(): boolean {
    return this.#options.job.scm !== undefined;
  }

  async execute(): Promise<void> {
    const { record, pipeline } = this;
    const scope: Scope = {
      run: this,
      env: this.#environment(),
      lease: undefined,
      cwd: undefined,
      signal: this.#abort.signal,
      timestamps: pipeline.options.timestamps,
      stage: undefined,
      spanId: record.spanId,
      branch: { result: 'SUCCESS' },
    };
    for (const cause of record.causes) this.say(cause.text, scope);
    this.say('[Pipeline] Start of Pipeline', scope);
    let error: string | undefined;
    try {
      await withOptions(pipeline.options, scope, (limited) =>
        onAgent(pipeline.agent, limited, pipeline.options, async (onIt) => {
          const full = await withEnvironment(pipeline.environment, onIt);
          await withPost(pipeline.post, full, () => runSequence(pipeline.stages, full, record.restartedFrom?.stage));
        }),
      );
    } catch (thrown) {
      error = this.log.masked(messageOf(thrown));
      this.lowerBy(thrown);
      record.reason = error;
    }
    this.say('[Pipeline] End of Pipeline', scope);
    if (error !== undefined) this.say(`ERROR: ${error}`, scope);
    this.finish(error);
  }

  finish(error: string | undefined): void {
    const { record } = this;
    const context = { stage: undefined, spanId: record.spanId, timestamps: false };
    this.log.line(`Finished: ${record.result}`, context);
    record.building = false;
    record.inputs = [];
    record.durationMs = this.clock.now() - record.startedMs;
    this.save();
    this.span({
      spanId: record.spanId,
      parentSpanId: undefined,
      name: `build ${record.job}`,
      startMs: record.startedMs,
      attributes: {
        'cicd.pipeline.name': record.job,
        'cicd.pipeline.run.id': String(record.number),
        'cicd.pipeline.result': record.result.toLowerCase(),
        ...(record.commit === undefined ? {} : { 'vcs.ref.head.revision': record.commit }),
      },
      error: record.result === 'FAILURE' || record.result === 'ABORTED' ? (error ?? record.result) : undefined,
    });
  }

  /** The first time the post actions still run; the second time nothing does. */
  abort(reason: Error): void {
    if (this.#abort.signal.aborted) this.#abortHard.abort(reason);
    this.#abort.abort(reason);
  }

  #environment(): Readonly<Record<string, string>> {
    const { record } = this;
    const { url } = this.#options;
    const jobUrl = `${url}/job/${encodeURIComponent(record.job)}/`;
    return {
      ...record.parameters,
      ...this.#options.secretParameters,
      CI: 'true',
      BUILD_NUMBER: String(record.number),
      BUILD_ID: String(record.number),
      BUILD_DISPLAY_NAME: `#${record.number}`,
      BUILD_TAG: `jenkins-${record.job}-${record.number}`,
      BUILD_URL: `${jobUrl}${record.number}/`,
      JOB_NAME: record.job,
      JOB_BASE_NAME: record.job,
      JOB_URL: jobUrl,
      JENKINS_URL: `${url}/`,
      BRANCH_NAME: record.branch,
      ...(record.branch.startsWith('refs/tags/') ? { TAG_NAME: record.branch.slice('refs/tags/'.length) } : {}),
      TRACE_ID: record.traceId,
    };
  }

  withCommit(scope: Scope): Scope {
    const { commit, branch } = this.record;
    const { scm } = this.#options.job;
    if (commit === undefined || !scm) return scope;
    return { ...scope, env: { ...scope.env, GIT_COMMIT: commit, GIT_BRANCH: `origin/${branch}`, GIT_URL: scm.url } };
  }

  field(name: string): string {
    const { record } = this;
    const fields: Readonly<Record<string, string>> = {
      result: record.result === 'SUCCESS' ? 'null' : record.result,
      currentResult: record.result,
      number: String(record.number),
      displayName: `#${record.number}`,
      fullDisplayName: `${record.job} #${record.number}`,
      projectName: record.job,
      duration: String(this.clock.now() - record.startedMs),
      durationString: `${Math.round((this.clock.now() - record.startedMs) / 1_000)} sec and counting`,
    };
    return fields[name] ?? '';
  }

  secretParameter(name: string): string | undefined {
    return this.#options.secretParameters[name];
  }

  stash(name: string): readonly TransferredFile[] | undefined {
    const { job, number, restartedFrom } = this.record;
    const own = this.store.stash(job, number, name);
    return own ?? (restartedFrom && this.store.stash(job, restartedFrom.build, name));
  }

  lineOf(scope: Scope): LineContext {
    return { stage: scope.stage?.name, spanId: scope.spanId, timestamps: scope.timestamps };
  }

  say(line: string, scope: Scope): void {
    this.log.line(line, this.lineOf(scope));
  }

  save(): void {
    this.store.saveBuild(this.record);
  }

  lowerBuild(result: BuildResult): void {
    this.record.result = worse(this.record.result, result);
  }

  /** What was thrown decides on the build's result. */
  lowerBy(thrown: unknown): void {
    if (!(thrown instanceof Interrupted && thrown.isFailFast)) this.lowerBuild(resultOf(thrown));
  }

  lower(result: BuildResult, scope: Scope): void {
    this.lowerBuild(result);
    scope.branch.result = worse(scope.branch.result, result);
  }

  span(span: Omit<EndedSpan, 'traceId' | 'endMs'>): void {
    this.#options.spans.add({
      ...span,
      name: this.log.masked(span.name),
      traceId: this.record.traceId,
      endMs: this.clock.now(),
    });
  }

  async checkout(scope: Scope): Promise<void> {
    const { scm } = this.#options.job;
    if (!scm) throw new StepFailure('checkout scm: this job has no repository, its Jenkinsfile is part of the job');
    if (!scope.lease) throw new StepFailure('there is no agent here: write agent any');
    const { commit: known } = this.record;
    const { commit } = await operate(
      {
        kind: 'checkout',
        cwd: join(scope.cwd ?? scope.lease.workspace, this.pipeline.options.checkoutDirectory ?? ''),
        url: scm.url,
        branch: scm.branch,
        ...(known ? { commit: known } : {}),
      },
      scope,
    );
    this.record.commit ??= commit;
  }

  async credential(id: string): Promise<Credential> {
    const credential = await this.#options.credentials.read(id);
    if (credential.kind === 'string') this.log.mask(credential.text);
    else if (credential.kind === 'usernamePassword') this.log.mask(credential.password);
    else if (credential.kind === 'sshUserPrivateKey') {
      this.log.mask(credential.privateKey);
      if (credential.passphrase !== '') this.log.mask(credential.passphrase);
    } else this.log.mask(credential.content.toString('utf8'));
    return credential;
  }

  /** What `NAME = credentials('id')` sets. */
  async credentialVariables(name: string, id: string, scope: Scope): Promise<Readonly<Record<string, string>>> {
    const credential = await this.credential(id);
    if (credential.kind === 'string') return { [name]: credential.text };
    if (credential.kind === 'file') return { [name]: await this.secretFile(credential, scope) };
    if (credential.kind === 'sshUserPrivateKey')
      return {
        [name]: await this.secretFile(keyFile(credential, id), scope),
        [`${name}_USR`]: credential.username,
        [`${name}_PSW`]: credential.passphrase,
      };
    const { username, password } = credential;
    this.log.mask(`${username}:${password}`);
    return { [name]: `${username}:${password}`, [`${name}_USR`]: username, [`${name}_PSW`]: password };
  }

  async secretFile(credential: Credential & { kind: 'file' }, scope: Scope): Promise<string> {
    if (!scope.lease) throw new StepFailure('a secret file needs an agent: write agent any');
    const cwd = `${scope.lease.workspace}@tmp/secretFiles/${randomUUID()}`;
    const file = { path: credential.fileName, base64: credential.content.toString('base64'), mode: 0o400 };
    await operate({ kind: 'put', cwd, files: [file], isSecret: true }, scope);
    return `${cwd}/${credential.fileName}`;
  }

  async waitForInput(
    asked: Omit<PendingInput, 'id'> & { readonly id: string | undefined },
    scope: Scope,
  ): Promise<Readonly<Record<string, string>>> {
    const id = asked.id ?? randomUUID().slice(0, 8);
    const pending: PendingInput = { ...asked, id };
    this.say(`${asked.message} (${asked.ok} or Abort)`, scope);
    this.record.inputs = [...this.record.inputs, pending];
    if (scope.stage) scope.stage.status = 'PAUSED_PENDING_INPUT';
    this.save();
    const { promise, resolve, reject } = Promise.withResolvers<Readonly<Record<string, string>>>();
    const onAbort = (): void => reject(scope.signal.reason);
    scope.signal.addEventListener('abort', onAbort, { once: true });
    this.#inputs.set(id, { pending, proceed: resolve, abort: reject });
    if (scope.signal.aborted) onAbort();
    try {
      const values = await promise;
      this.say(`Approved by ${ONLY_USER}`, scope);
      return {
        ...Object.fromEntries(asked.parameters.map((one) => [one.name, one.defaultValue])),
        ...values,
        ...(asked.submitterParameter === undefined ? {} : { [asked.submitterParameter]: ONLY_USER }),
      };
    } finally {
      scope.signal.removeEventListener('abort', onAbort);
      this.#inputs.delete(id);
      this.record.inputs = this.record.inputs.filter((one) => one.id !== id);
      if (scope.stage) scope.stage.status = 'IN_PROGRESS';
      this.save();
    }
  }

  /** Answers an input; false where there is none of that id. */
  answer(id: string, action: 'proceed' | 'abort', values: Readonly<Record<string, string>>): boolean {
    const input = this.#inputs.get(id);
    if (!input) return false;
    if (action === 'proceed') input.proceed(values);
    else input.abort(new Interrupted('Rejected by a user'));
    return true;
  }
}
