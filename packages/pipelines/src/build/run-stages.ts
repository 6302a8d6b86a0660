import { dirname, resolve } from 'node:path';
import { messageOf } from '@kind-e2e/base';
import type { Agent, Axis, Options, PostCondition, Stage, StageBody } from '../jenkinsfile/ast.ts';
import { holds } from './conditions.ts';
import { Interrupted, resultOf, StepFailure } from './interrupts.ts';
import { type BuildResult, type StageRecord, worse } from './record.ts';
import { limited, retrying, runSteps } from './run-steps.ts';
import { fill, type Scope, type StageOutcome, withEnvironment } from './scope.ts';
import { newSpanId } from './trace.ts';

/** One stage after the other; after a failure the others are not run. */
export async function runSequence(stages: readonly Stage[], scope: Scope, skipUntil?: string): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  let skipping = skipUntil !== undefined;
  for (const stage of stages) {
    if (stage.name === skipUntil) skipping = false;
    if (failure || skipping) {
      const record = begin(stage.name, scope);
      scope.run.say(
        skipping
          ? `Stage "${stage.name}" skipped due to this build restarting at stage "${skipUntil}"`
          : `Stage "${stage.name}" skipped due to earlier failure(s)`,
        { ...scope, stage: record },
      );
      end(record, 'NOT_EXECUTED', scope);
      continue;
    }
    try {
      await runStage(stage, scope);
    } catch (error) {
      failure = { error };
    }
    if (scope.run.pipeline.options.skipStagesAfterUnstable && scope.run.record.result === 'UNSTABLE' && !failure)
      failure = { error: undefined };
  }
  if (failure && failure.error !== undefined) throw failure.error;
}

function begin(name: string, scope: Scope): StageRecord {
  const record: StageRecord = {
    id: String(scope.run.record.stages.length + 1),
    name,
    parentId: scope.stage?.id,
    status: 'IN_PROGRESS',
    startedMs: scope.run.clock.now(),
    durationMs: 0,
    // The agent around it, until it has one of its own.
    agent: scope.lease?.agentName,
    error: undefined,
    spanId: newSpanId(),
  };
  scope.run.record.stages = [...scope.run.record.stages, record];
  scope.run.save();
  return record;
}

function end(record: StageRecord, status: StageRecord['status'], scope: Scope, error?: unknown): void {
  const { run } = scope;
  record.status = status;
  record.durationMs = run.clock.now() - record.startedMs;
  record.error = error === undefined ? undefined : run.log.masked(messageOf(error));
  run.save();
  if (status === 'NOT_EXECUTED') return;
  run.span({
    spanId: record.spanId,
    parentSpanId: scope.spanId,
    name: `Stage: ${record.name}`,
    startMs: record.startedMs,
    attributes: {
      'cicd.pipeline.task.name': record.name,
      'cicd.pipeline.task.run.result': status === 'SUCCESS' ? 'success' : status.toLowerCase(),
      ...(record.agent === undefined ? {} : { 'jenkins.agent': record.agent }),
    },
    error: status === 'FAILURE' || status === 'ABORTED' ? record.error : undefined,
  });
}

async function runStage(stage: Stage, outer: Scope): Promise<void> {
  const record = begin(stage.name, outer);
  const branch: StageOutcome = { result: 'SUCCESS' };
  const scope: Scope = {
    ...outer,
    stage: record,
    spanId: record.spanId,
    branch,
    timestamps: outer.timestamps || stage.options.timestamps,
  };
  const { run } = scope;
  run.say('[Pipeline] stage', scope);
  run.say(`[Pipeline] { (${stage.name})`, scope);
  let isSkipped = false;
  let failure: { readonly error: unknown } | undefined;
  try {
    const before = stage.when && (stage.when.beforeAgent || stage.when.beforeInput || stage.body.kind !== 'steps');
    const skipped = async (inner: Scope): Promise<boolean> =>
      stage.when !== undefined && !(await holds(stage.when.condition, inner));
    if (before && (await skipped(await withEnvironment(textOnly(stage), scope)))) isSkipped = true;
    else {
      const inputs = stage.input
        ? await run.waitForInput(
            {
              id: stage.input.id,
              message: fill(stage.input.message, scope),
              ok: stage.input.ok,
              submitter: stage.input.submitter,
              submitterParameter: stage.input.submitterParameter,
              parameters: stage.input.parameters,
            },
            scope,
          )
        : {};
      const asked = { ...scope, env: { ...scope.env, ...inputs } };
      await onAgent(stage.agent, asked, stage.options, async (onIt) => {
        const full = await withEnvironment(stage.environment, onIt);
        if (!before && (await skipped(full))) {
          isSkipped = true;
          return;
        }
        await withPost(stage.post, full, () =>
          withOptions(stage.options, full, (inner) => runBody(stage, stage.body, inner)),
        );
      });
    }
  } catch (error) {
    failure = { error };
    branch.result = worse(branch.result, resultOf(error));
    run.lowerBy(error);
  }
  if (isSkipped) run.say(`Stage "${stage.name}" skipped due to when conditional`, scope);
  run.say('[Pipeline] }', scope);
  end(record, isSkipped ? 'NOT_EXECUTED' : branch.result, outer, failure?.error);
  const isTakenAlong = failure?.error instanceof Interrupted && failure.error.isFailFast;
  outer.branch.result = worse(outer.branch.result, isSkipped || isTakenAlong ? 'SUCCESS' : branch.result);
  if (failure) throw failure.error;
}

const textOnly = (stage: Stage) => stage.environment.filter((entry) => entry.value.kind === 'text');

/** With the agent that was asked for, else with the one around. */
export async function onAgent(
  agent: Agent | undefined,
  scope: Scope,
  options: Options,
  body: (scope: Scope) => Promise<void>,
): Promise<void> {
  if (agent === undefined) return body(scope);
  if (agent.kind === 'none') return body({ ...scope, lease: undefined, cwd: undefined });
  const { run } = scope;
  const label = agent.kind === 'label' ? fill(agent.label, scope) || undefined : undefined;
  const wait = run.agents.describeWait(label);
  if (wait !== undefined) run.say(`Still waiting to schedule task: ${wait}`, scope);
  using lease = await run.agents.acquire(label, run.record.job, scope.signal);
  if (scope.stage) scope.stage.agent = lease.agentName;
  run.say('[Pipeline] node', scope);
  const custom = agent.kind === 'label' && agent.customWorkspace ? fill(agent.customWorkspace, scope) : undefined;
  const workspace = custom === undefined ? lease.workspace : resolve(dirname(lease.workspace), custom);
  run.say(`Running on ${lease.agentName} in ${workspace}`, scope);
  const inner: Scope = {
    ...scope,
    lease,
    cwd: workspace,
    env: {
      ...scope.env,
      ...(lease.path === '' ? {} : { PATH: lease.path }),
      WORKSPACE: workspace,
      WORKSPACE_TMP: `${workspace}@tmp`,
      NODE_NAME: lease.agentName,
      EXECUTOR_NUMBER: String(lease.executor),
    },
  };
  if (run.hasScm && !options.skipDefaultCheckout && !run.pipeline.options.skipDefaultCheckout)
    await run.checkout(inner);
  await body(run.withCommit(inner));
}

async function withOptions(options: Options, scope: Scope, body: (scope: Scope) => Promise<void>): Promise<void> {
  const once = (inner: Scope): Promise<void> =>
    options.retry === undefined ? body(inner) : retrying(options.retry, inner, () => body(inner));
  if (options.timeoutMs === undefined) return once(scope);
  return limited(options.timeoutMs, scope, once);
}

export { withOptions };

function runBody(stage: Stage, body: StageBody, scope: Scope): Promise<void> {
  const failFast = stage.failFast || scope.run.pipeline.options.parallelsAlwaysFailFast;
  switch (body.kind) {
    case 'steps':
      return runSteps(body.steps, scope);
    case 'stages':
      return runSequence(body.stages, scope);
    case 'parallel':
      return runParallel(
        body.stages.map((one) => (inner: Scope) => runStage(one, inner)),
        scope,
        failFast,
      );
    case 'matrix':
      return runParallel(
        cells(body.axes, body.excludes).map(
          (cell) => (inner: Scope) =>
            runStage(cellStage(cell, body, stage), {
              ...inner,
              env: { ...inner.env, ...cell },
            }),
        ),
        scope,
        failFast,
      );
  }
}

async function runParallel(
  branches: readonly ((scope: Scope) => Promise<void>)[],
  scope: Scope,
  failFast: boolean,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([scope.signal, stop.signal]);
  const failures: unknown[] = [];
  await Promise.all(
    branches.map(async (branch) => {
      try {
        await branch({ ...scope, signal });
      } catch (error) {
        failures.push(error);
        if (failFast) stop.abort(new Interrupted('Failed in another branch', 'ABORTED', true));
      }
    }),
  );
  if (failures.length > 0) throw failures.find((error) => !(error instanceof Interrupted)) ?? failures[0];
}

type Cell = Readonly<Record<string, string>>;

function cells(axes: readonly Axis[], excludes: (StageBody & { kind: 'matrix' })['excludes']): readonly Cell[] {
  let all: readonly Cell[] = [{}];
  for (const { name, values } of axes) all = all.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value })));
  return all.filter(
    (cell) =>
      !excludes.some((exclude) => exclude.every((axis) => axis.values.includes(cell[axis.name] ?? '') !== axis.isNot)),
  );
}

function cellStage(cell: Cell, body: StageBody & { kind: 'matrix' }, stage: Stage): Stage {
  const name = Object.entries(cell)
    .map(([axis, value]) => `${axis} = '${value}'`)
    .join(', ');
  return {
    ...stage,
    name: `Matrix - ${name}`,
    agent: body.agent,
    when: body.when,
    environment: body.environment,
    post: body.post,
    input: body.input,
    options: body.options,
    body: { kind: 'stages', stages: body.stages },
  };
}

/** Runs the body, then the post conditions that hold, whatever came of it. */
export async function withPost(post: readonly PostCondition[], scope: Scope, body: () => Promise<void>): Promise<void> {
  let failure: { error: unknown } | undefined;
  try {
    await body();
  } catch (error) {
    failure = { error };
    scope.branch.result = worse(scope.branch.result, resultOf(error));
    scope.run.lowerBy(error);
    scope.run.say(`${error instanceof Interrupted ? '' : 'ERROR: '}${messageOf(error)}`, scope);
  }
  // An aborted build's post actions still run; a second abort ends them.
  const inner = { ...scope, signal: scope.run.lasting };
  for (const { condition, steps } of post) {
    if (!applies(condition, scope.stage ? scope.branch.result : scope.run.record.result, scope.run.previousResult))
      continue;
    scope.run.say(`Post stage: ${condition}`, scope);
    try {
      await runSteps(steps, inner);
    } catch (error) {
      scope.run.say(`Error when executing ${condition} post condition: ${messageOf(error)}`, scope);
      scope.run.lower('FAILURE', scope);
      failure ??= { error: error instanceof Error ? error : new StepFailure(String(error)) };
    }
  }
  if (failure) throw failure.error;
}

function applies(condition: PostCondition['condition'], result: BuildResult, before: BuildResult | undefined): boolean {
  switch (condition) {
    case 'always':
    case 'cleanup':
      return true;
    case 'success':
      return result === 'SUCCESS';
    case 'failure':
      return result === 'FAILURE';
    case 'unstable':
      return result === 'UNSTABLE';
    case 'aborted':
      return result === 'ABORTED';
    case 'unsuccessful':
      return result !== 'SUCCESS';
    case 'changed':
      return before !== result;
    case 'fixed':
      return result === 'SUCCESS' && (before === 'FAILURE' || before === 'UNSTABLE');
    case 'regression':
      return before === 'SUCCESS' && result !== 'SUCCESS';
  }
}
