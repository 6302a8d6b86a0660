import { createHash } from 'node:crypto';
import { messageOf } from '@kind-e2e/base';
import type { Operation, OperationResult, TransferredFile } from '../agent/protocol.ts';
import type { Lease } from '../controller/agent-pool.ts';
import type { Binding, Step, StepValue } from '../jenkinsfile/ast.ts';
import { TIME_UNITS } from '../jenkinsfile/step-table.ts';
import type { Text } from '../jenkinsfile/text.ts';
import { type Credential, keyFile } from './credentials.ts';
import { Interrupted, resultOf, rethrow, StepFailure } from './interrupts.ts';
import { countTests, parseJunit } from './junit.ts';
import { type BuildResult, worse } from './record.ts';
import { fill, type Scope } from './scope.ts';
import { newSpanId } from './trace.ts';

export async function runSteps(steps: readonly Step[], scope: Scope): Promise<void> {
  for (const step of steps) {
    scope.signal.throwIfAborted();
    await runTraced(step, scope);
  }
}

/** Steps that are spans of their own; the others only change what is around steps. */
const QUIET: ReadonlySet<string> = new Set(['echo', 'dir', 'withEnv', 'withCredentials', 'timestamps']);

async function runTraced(step: Step, outer: Scope): Promise<void> {
  const { run } = outer;
  if (QUIET.has(step.name)) return runStep(step, outer);
  const spanId = newSpanId();
  const startMs = run.clock.now();
  let error: string | undefined;
  try {
    await runStep(step, { ...outer, spanId });
  } catch (thrown) {
    error = messageOf(thrown);
    throw thrown;
  } finally {
    run.span({
      spanId,
      parentSpanId: outer.spanId,
      name: describe(step, outer),
      startMs,
      attributes: { 'jenkins.pipeline.step.type': step.name, 'jenkins.pipeline.step.line': step.line },
      error,
    });
  }
}

function describe(step: Step, scope: Scope): string {
  const label = step.name === 'sh' ? (step.args.label ?? step.args.script) : undefined;
  if (label === undefined) return step.name;
  const text = scope.run.log.masked(
    (label as Text).map((part) => (typeof part === 'string' ? part : `$${part.name}`)).join(''),
  );
  const line = text.trim().split('\n')[0] ?? '';
  return `sh: ${line.length > 60 ? `${line.slice(0, 57)}...` : line}`;
}

async function runStep(step: Step, scope: Scope): Promise<void> {
  const { run } = scope;
  const text = (name: string): string => textOf(step.args[name], scope);
  const number = (name: string): number => Number(step.args[name] ?? 0);
  const say = (line: string): void => run.say(line, scope);
  if (step.name !== 'timestamps') say(`[Pipeline] ${step.name}`);
  switch (step.name) {
    case 'sh':
      return shell(text('script'), scope);
    case 'echo':
      return say(text('message'));
    case 'error':
      throw new StepFailure(text('message'));
    case 'unstable':
      say(`WARNING: ${text('message')}`);
      return run.lower('UNSTABLE', scope);
    case 'sleep': {
      const ms = number('time') * unitOf(step, scope, 'SECONDS');
      say(`Sleeping for ${ms / 1_000} sec`);
      return run.clock.sleep(ms, scope.signal);
    }
    case 'dir': {
      const path = text('path');
      const cwd = resolveIn(need(scope).cwd, path);
      say(`Running in ${cwd}`);
      return runSteps(step.block, { ...scope, cwd });
    }
    case 'withEnv':
      return runSteps(step.block, { ...scope, env: overridden(step.args.overrides as readonly Text[], scope) });
    case 'withCredentials':
      return withCredentials(step.args.bindings as readonly Binding[], step, scope);
    case 'timestamps':
      return runSteps(step.block, { ...scope, timestamps: true });
    case 'retry':
      return retrying(number('count'), scope, () => runSteps(step.block, scope));
    case 'timeout':
      return limited(number('time') * unitOf(step, scope, 'MINUTES'), scope, (inner) => runSteps(step.block, inner));
    case 'catchError':
      return catching(step, scope, text('message'), 'FAILURE');
    case 'warnError':
      return catching(step, scope, text('message'), 'UNSTABLE');
    case 'input':
      return run
        .waitForInput(
          {
            id: text('id') || undefined,
            message: text('message'),
            ok: text('ok') || 'Proceed',
            submitter: text('submitter') || undefined,
            submitterParameter: undefined,
            parameters: [],
          },
          scope,
        )
        .then(() => undefined);
    case 'stash': {
      const files = await read(text('includes') || '**', text('excludes'), scope);
      if (files.length === 0 && step.args.allowEmpty !== true)
        throw new StepFailure(`No files included in stash ‘${text('name')}’`);
      run.store.saveStash(run.record.job, run.record.number, text('name'), files);
      return say(`Stashed ${files.length} file(s)`);
    }
    case 'unstash': {
      const files = run.stash(text('name'));
      if (!files) throw new StepFailure(`No such saved stash ‘${text('name')}’`);
      await operate({ kind: 'put', cwd: need(scope).cwd, files }, scope);
      return;
    }
    case 'archiveArtifacts':
      return archive(step, scope, text('artifacts'), text('excludes'));
    case 'junit':
      return publishTests(step, scope, text('testResults'));
    case 'checkout':
      return run.checkout(scope);
    case 'git':
      await operate(
        { kind: 'checkout', cwd: need(scope).cwd, url: text('url'), branch: text('branch') || 'master' },
        scope,
      );
      return;
    case 'deleteDir':
    case 'cleanWs':
      await operate(
        { kind: 'delete', path: step.name === 'cleanWs' ? need(scope).lease.workspace : need(scope).cwd },
        scope,
      );
      return;
    case 'writeFile':
      await operate(
        {
          kind: 'put',
          cwd: need(scope).cwd,
          files: [{ path: text('file'), base64: encoded(text('text'), text('encoding')), mode: 0o644 }],
        },
        scope,
      );
      return;
    case 'readFile': {
      const files = await read(text('file'), '', scope);
      if (files.length === 0) throw new StepFailure(`${text('file')} does not exist in ${need(scope).cwd}`);
      return;
    }
  }
}

/** `Base64`: the text is one already (workflow-basic-steps). */
function encoded(text: string, encoding: string): string {
  return encoding === 'Base64' ? text : Buffer.from(text).toString('base64');
}

function textOf(value: StepValue | undefined, scope: Scope): string {
  return Array.isArray(value) ? fill(value as Text, scope) : '';
}

function unitOf(step: Step, scope: Scope, fallback: string): number {
  return TIME_UNITS[textOf(step.args.unit, scope) || fallback] ?? 1;
}

/** The agent that the step runs on. */
export function need(scope: Scope): { lease: Lease; cwd: string } {
  if (scope.lease && scope.cwd !== undefined) return { lease: scope.lease, cwd: scope.cwd };
  throw new StepFailure('there is no agent here: write agent any in the stage or in the pipeline');
}

function resolveIn(cwd: string, path: string): string {
  if (path.startsWith('/')) return path;
  return `${cwd}/${path}`.replace(/\/\.(?=\/|$)/g, '');
}

/** Runs an operation on the agent; its failure is a StepFailure, or what aborted it. */
export async function operate(operation: Operation, scope: Scope): Promise<OperationResult> {
  const { lease } = need(scope);
  const { run } = scope;
  const output = run.log.stream(run.lineOf(scope));
  try {
    const result = await lease.run(operation, { output: output.write, signal: scope.signal });
    output.end();
    scope.signal.throwIfAborted();
    if (result.error !== undefined) throw new StepFailure(result.error);
    return result;
  } catch (error) {
    return rethrow(error, scope.signal);
  }
}

async function shell(script: string, scope: Scope): Promise<void> {
  const { cwd } = need(scope);
  const { record } = scope.run;
  // What the script calls can go on with the build's trace.
  const env = { ...scope.env, TRACEPARENT: `00-${record.traceId}-${scope.spanId}-01` };
  const { code } = await operate({ kind: 'sh', script, cwd, env }, scope);
  if (code !== 0) throw new StepFailure(`script returned exit code ${code}`);
}

async function read(includes: string, excludes: string, scope: Scope) {
  const { cwd } = need(scope);
  const { files = [] } = await operate(
    { kind: 'read', cwd, includes: patterns(includes), excludes: patterns(excludes) },
    scope,
  );
  return files;
}

const patterns = (text: string): readonly string[] => text.split(/[,\s]+/).filter((pattern) => pattern !== '');

function overridden(overrides: readonly Text[], scope: Scope): Readonly<Record<string, string>> {
  const env = { ...scope.env };
  for (const override of overrides) {
    const [, name = '', value = ''] = /^([^=]*)=([\s\S]*)$/.exec(fill(override, scope)) ?? [];
    // PATH+NAME=folder puts a folder before PATH.
    const [base = '', extra] = name.split('+');
    if (extra === undefined) env[name] = value;
    else env[base] = `${value}:${env[base] ?? ''}`;
  }
  return env;
}

/** The variables of a binding, and the file among them. */
async function bind(
  binding: Binding,
  credential: Credential,
  id: string,
  scope: Scope,
): Promise<{ readonly env: Readonly<Record<string, string>>; readonly file?: string }> {
  const { run } = scope;
  switch (binding.kind) {
    case 'string':
      if (credential.kind === 'string') return { env: { [binding.variable]: credential.text } };
      break;
    case 'file':
      if (credential.kind === 'file') {
        const file = await run.secretFile(credential, scope);
        return { env: { [binding.variable]: file }, file };
      }
      break;
    case 'usernamePassword':
      if (credential.kind === 'usernamePassword') {
        const { usernameVariable, passwordVariable } = binding;
        return { env: { [usernameVariable]: credential.username, [passwordVariable]: credential.password } };
      }
      break;
    case 'usernameColonPassword':
      if (credential.kind === 'usernamePassword') {
        const both = `${credential.username}:${credential.password}`;
        run.log.mask(both);
        return { env: { [binding.variable]: both } };
      }
      break;
    case 'sshUserPrivateKey':
      if (credential.kind === 'sshUserPrivateKey') {
        const file = await run.secretFile(keyFile(credential, id), scope);
        const { usernameVariable, passphraseVariable } = binding;
        return {
          file,
          env: {
            [binding.keyFileVariable]: file,
            ...(usernameVariable === undefined ? {} : { [usernameVariable]: credential.username }),
            ...(passphraseVariable === undefined ? {} : { [passphraseVariable]: credential.passphrase }),
          },
        };
      }
      break;
  }
  throw new StepFailure(`the credential '${id}' is of the type ${credential.kind}, not ${binding.kind}`);
}

async function withCredentials(bindings: readonly Binding[], step: Step, scope: Scope): Promise<void> {
  const { run } = scope;
  let env = scope.env;
  const folders: string[] = [];
  for (const binding of bindings) {
    const id = fill(binding.credentialsId, scope);
    const credential = await run.credential(id);
    const bound = await bind(binding, credential, id, scope);
    env = { ...env, ...bound.env };
    if (bound.file !== undefined) folders.push(bound.file.slice(0, bound.file.lastIndexOf('/')));
  }
  run.say(`Masking supported pattern matches of ${bindings.length} credential(s)`, scope);
  try {
    await runSteps(step.block, { ...scope, env });
  } finally {
    for (const path of folders)
      await need(scope).lease.run({ kind: 'delete', path }, { output: () => {}, signal: run.lasting });
  }
}

export async function retrying(count: number, scope: Scope, attempt: () => Promise<void>): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Interrupted || scope.signal.aborted || number >= count) throw error;
      scope.run.say(`ERROR: ${messageOf(error)}`, scope);
      scope.run.say(`Retrying (${count - number} left)`, scope);
    }
  }
}

/** Aborts what runs after the time; what was aborted so has the result ABORTED, as in Jenkins. */
export async function limited(ms: number, scope: Scope, body: (inner: Scope) => Promise<void>): Promise<void> {
  const limit = new AbortController();
  const { run } = scope;
  using _timer = run.clock.after(ms, () => {
    run.say(`Cancelling nested steps due to timeout (${ms / 1_000} s)`, scope);
    limit.abort(new Interrupted('Timeout has been exceeded'));
  });
  await body({ ...scope, signal: AbortSignal.any([scope.signal, limit.signal]) });
}

async function catching(step: Step, scope: Scope, message: string, fallback: BuildResult): Promise<void> {
  try {
    await runSteps(step.block, scope);
  } catch (error) {
    // Only the build's own end is never caught.
    if (scope.signal.aborted || (error instanceof Interrupted && step.args.catchInterruptions === false)) throw error;
    const { run } = scope;
    if (message !== '') run.say(`ERROR: ${message}`, scope);
    run.say(`ERROR: ${messageOf(error)}`, scope);
    const own = (name: string, otherwise: BuildResult): BuildResult =>
      (textOf(step.args[name], scope) || otherwise) as BuildResult;
    const buildResult = own('buildResult', error instanceof Interrupted ? resultOf(error) : fallback);
    run.lowerBuild(buildResult);
    scope.branch.result = worse(
      scope.branch.result,
      own('stageResult', fallback === 'UNSTABLE' ? 'UNSTABLE' : 'SUCCESS'),
    );
  }
}

async function archive(step: Step, scope: Scope, includes: string, excludes: string): Promise<void> {
  const { run } = scope;
  if (step.args.onlyIfSuccessful === true && run.record.result !== 'SUCCESS') return;
  run.say('Archiving artifacts', scope);
  const files = await read(includes, excludes, scope);
  if (files.length === 0 && step.args.allowEmptyArchive !== true)
    throw new StepFailure(`No artifacts found that match the file pattern "${includes}". Configuration error?`);
  for (const file of files) {
    const size = run.store.saveArtifact(run.record.job, run.record.number, file);
    run.record.artifacts = [
      ...run.record.artifacts.filter(({ path }) => path !== file.path),
      { path: file.path, size, ...(step.args.fingerprint === true ? { md5: md5Of(file) } : {}) },
    ];
  }
  run.save();
}

/** Jenkins' fingerprint of a file (hudson.model.Fingerprint). */
function md5Of(file: TransferredFile): string {
  return createHash('md5').update(Buffer.from(file.base64, 'base64')).digest('hex');
}

async function publishTests(step: Step, scope: Scope, includes: string): Promise<void> {
  const { run } = scope;
  run.say('Recording test results', scope);
  const files = await read(includes, '', scope);
  const suites = files.flatMap((file) => parseJunit(Buffer.from(file.base64, 'base64').toString('utf8')));
  if (suites.length === 0) {
    if (step.args.allowEmptyResults === true) return;
    throw new StepFailure('No test report files were found. Configuration error?');
  }
  run.record.tests = [...run.record.tests, ...suites];
  run.save();
  const { total, failed, skipped } = countTests(suites);
  run.say(`${total} tests, ${failed} failed, ${skipped} skipped`, scope);
  if (failed > 0 && step.args.skipMarkingBuildUnstable !== true) run.lower('UNSTABLE', scope);
}
