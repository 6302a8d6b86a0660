import type { JobDefinition } from '../build/build-store.ts';
import { countTests } from '../build/junit.ts';
import type { BuildRecord } from '../build/record.ts';
import type { Pipelines, QueueItem } from '../controller/pipelines.ts';
import type { Parameter } from '../jenkinsfile/ast.ts';

/** Jenkins' JSON: names and shapes of its `@Exported` fields. */
const COLORS: Readonly<Record<string, string>> = {
  SUCCESS: 'blue',
  UNSTABLE: 'yellow',
  FAILURE: 'red',
  ABORTED: 'aborted',
  NOT_BUILT: 'notbuilt',
};
const BUILDS_SHOWN = 50;

const jobUrl = (name: string, base: string): string => `${base}/job/${encodeURIComponent(name)}/`;

export function rootView(pipelines: Pipelines, base: string): unknown {
  return {
    _class: 'hudson.model.Hudson',
    mode: 'EXCLUSIVE',
    nodeName: '',
    numExecutors: 0,
    url: `${base}/`,
    useCrumbs: true,
    views: [{ _class: 'hudson.model.AllView', name: 'all', url: `${base}/` }],
    primaryView: { _class: 'hudson.model.AllView', name: 'all', url: `${base}/` },
    jobs: jobsView(pipelines, base),
  };
}

/** The one view that there is. */
export function allView(pipelines: Pipelines, base: string): unknown {
  return { _class: 'hudson.model.AllView', name: 'all', url: `${base}/`, jobs: jobsView(pipelines, base) };
}

function jobsView(pipelines: Pipelines, base: string): readonly unknown[] {
  return pipelines.jobs.map((job) => {
    const builds = pipelines.builds(job.name).slice(0, BUILDS_SHOWN);
    return {
      _class: 'org.jenkinsci.plugins.workflow.job.WorkflowJob',
      name: job.name,
      url: jobUrl(job.name, base),
      color: job.disabled ? 'disabled' : colorOf(builds),
      inQueue: pipelines.queue.some((item) => item.job === job.name),
      triggers: pipelines.store.state(job.name).triggers ?? [],
      builds: builds.map((record) => ({ ...summary(record, base), result: record.building ? null : record.result })),
    };
  });
}

function colorOf(builds: readonly BuildRecord[]): string {
  const last = builds.find((record) => !record.building);
  const color = last === undefined ? 'notbuilt' : (COLORS[last.result] ?? 'notbuilt');
  return builds[0]?.building ? `${color}_anime` : color;
}

function summary(record: BuildRecord, base: string) {
  return {
    _class: 'org.jenkinsci.plugins.workflow.job.WorkflowRun',
    number: record.number,
    url: `${jobUrl(record.job, base)}${record.number}/`,
    building: record.building,
    timestamp: record.startedMs,
    duration: record.durationMs,
    traceId: record.traceId,
  };
}

export function jobView(pipelines: Pipelines, job: JobDefinition, base: string): unknown {
  const builds = pipelines.builds(job.name);
  const pick = (wanted: (record: BuildRecord) => boolean): unknown => {
    const found = builds.find(wanted);
    return found ? summary(found, base) : null;
  };
  const queued = pipelines.queue.find((item) => item.job === job.name);
  const parameters = pipelines.parametersOf(job.name);
  return {
    _class: 'org.jenkinsci.plugins.workflow.job.WorkflowJob',
    name: job.name,
    fullName: job.name,
    displayName: job.name,
    description: job.description ?? null,
    url: jobUrl(job.name, base),
    buildable: !job.disabled,
    disabled: job.disabled ?? false,
    color: job.disabled ? 'disabled' : colorOf(builds),
    // Not Jenkins': what starts builds by itself, so that a page can show and switch it.
    triggers: pipelines.store.state(job.name).triggers ?? [],
    inQueue: queued !== undefined,
    queueItem: queued ? itemView(queued, base) : null,
    nextBuildNumber: pipelines.store.state(job.name).nextNumber,
    builds: builds
      .slice(0, BUILDS_SHOWN)
      .map((record) => ({ ...summary(record, base), result: record.building ? null : record.result })),
    firstBuild: builds.length > 0 ? summary(builds.at(-1) as BuildRecord, base) : null,
    lastBuild: pick(() => true),
    lastCompletedBuild: pick((record) => !record.building),
    lastSuccessfulBuild: pick(
      (record) => !record.building && (record.result === 'SUCCESS' || record.result === 'UNSTABLE'),
    ),
    lastStableBuild: pick((record) => !record.building && record.result === 'SUCCESS'),
    lastUnstableBuild: pick((record) => !record.building && record.result === 'UNSTABLE'),
    lastUnsuccessfulBuild: pick((record) => !record.building && record.result !== 'SUCCESS'),
    lastFailedBuild: pick((record) => !record.building && record.result === 'FAILURE'),
    property:
      parameters.length === 0
        ? []
        : [
            {
              _class: 'hudson.model.ParametersDefinitionProperty',
              parameterDefinitions: parameters.map(parameterView),
            },
          ],
  };
}

/** A parameter's definition, as jobs and inputs have it. */
export function parameterView(one: Parameter): unknown {
  return {
    _class: `hudson.model.${CLASS_OF[one.kind]}`,
    name: one.name,
    description: one.description,
    type: CLASS_OF[one.kind],
    defaultParameterValue: {
      name: one.name,
      ...(one.kind === 'password'
        ? {}
        : { value: one.kind === 'booleanParam' ? one.defaultValue === 'true' : one.defaultValue }),
    },
    ...(one.kind === 'choice' ? { choices: one.choices } : {}),
  };
}

const CLASS_OF = {
  string: 'StringParameterDefinition',
  booleanParam: 'BooleanParameterDefinition',
  choice: 'ChoiceParameterDefinition',
  text: 'TextParameterDefinition',
  password: 'PasswordParameterDefinition',
} as const;

export function itemView(item: QueueItem, base: string): unknown {
  const task = {
    _class: 'org.jenkinsci.plugins.workflow.job.WorkflowJob',
    name: item.job,
    url: jobUrl(item.job, base),
  };
  const shared = {
    id: item.id,
    task,
    inQueueSince: item.sinceMs,
    url: `queue/item/${item.id}/`,
    cancelled: item.isCancelled,
  };
  if (item.build === undefined)
    return {
      _class: 'hudson.model.Queue$WaitingItem',
      ...shared,
      blocked: !item.isCancelled,
      buildable: false,
      why: item.isCancelled ? null : item.why,
    };
  return {
    _class: 'hudson.model.Queue$LeftItem',
    ...shared,
    blocked: false,
    buildable: false,
    why: null,
    executable: { number: item.build, url: `${jobUrl(item.job, base)}${item.build}/` },
  };
}

export function buildView(record: BuildRecord, base: string): unknown {
  const tests = countTests(record.tests);
  return {
    ...summary(record, base),
    id: String(record.number),
    queueId: record.queueId,
    displayName: `#${record.number}`,
    fullDisplayName: `${record.job} #${record.number}`,
    result: record.building ? null : record.result,
    description: record.reason ?? null,
    inProgress: record.building,
    estimatedDuration: -1,
    keepLog: false,
    artifacts: record.artifacts.map(({ path }) => ({
      displayPath: path,
      fileName: path.split('/').at(-1),
      relativePath: path,
    })),
    fingerprint: record.artifacts.flatMap(({ path, md5 }) =>
      md5 === undefined ? [] : [{ fileName: path.split('/').at(-1), hash: md5, usage: [] }],
    ),
    actions: [
      {
        _class: 'hudson.model.CauseAction',
        causes: record.causes.map((cause) => ({
          _class: `hudson.model.Cause$${cause.kind}`,
          shortDescription: cause.text,
        })),
      },
      {
        _class: 'hudson.model.ParametersAction',
        parameters: [
          ...Object.entries(record.parameters).map(([name, value]) => ({ name, value })),
          ...record.secretParameters.map((name) => ({ name })),
        ],
      },
      ...(record.tests.length === 0
        ? []
        : [
            {
              _class: 'hudson.tasks.junit.TestResultAction',
              totalCount: tests.total,
              failCount: tests.failed,
              skipCount: tests.skipped,
              urlName: 'testReport',
            },
          ]),
      ...(record.commit === undefined
        ? []
        : [
            {
              _class: 'hudson.plugins.git.util.BuildData',
              lastBuiltRevision: { SHA1: record.commit, branch: [{ name: record.branch }] },
            },
          ]),
    ],
  };
}

/** The stage view's answer (pipeline-rest-api plugin), with each stage's parent, agent and span. */
export function runView(record: BuildRecord, base: string): unknown {
  return {
    id: String(record.number),
    name: `#${record.number}`,
    status: record.building
      ? record.inputs.length > 0
        ? 'PAUSED_PENDING_INPUT'
        : 'IN_PROGRESS'
      : statusOf(record.result),
    startTimeMillis: record.startedMs,
    endTimeMillis: record.startedMs + record.durationMs,
    durationMillis: record.durationMs,
    traceId: record.traceId,
    url: `${jobUrl(record.job, base)}${record.number}/`,
    inputs: record.inputs.map((input) => ({ ...input, parameters: input.parameters.map(parameterView) })),
    stages: record.stages.map((stage) => ({
      id: stage.id,
      name: stage.name,
      parentId: stage.parentId ?? null,
      execNode: stage.agent ?? '',
      status: statusOf(stage.status),
      startTimeMillis: stage.startedMs,
      durationMillis: stage.durationMs,
      spanId: stage.spanId,
      ...(stage.error === undefined ? {} : { error: { message: stage.error } }),
    })),
  };
}

const statusOf = (status: string): string => (status === 'FAILURE' ? 'FAILED' : status);

export function testView(record: BuildRecord): unknown {
  const { total, failed, skipped } = countTests(record.tests);
  return {
    _class: 'hudson.tasks.junit.TestResult',
    duration: record.tests.reduce((sum, suite) => sum + suite.durationSeconds, 0),
    empty: false,
    failCount: failed,
    passCount: total - failed - skipped,
    skipCount: skipped,
    suites: record.tests.map((suite) => ({
      name: suite.name,
      duration: suite.durationSeconds,
      cases: suite.cases.map((one) => ({
        className: one.className,
        name: one.name,
        status: one.status,
        duration: one.durationSeconds,
        errorDetails: one.message ?? null,
        skipped: one.status === 'SKIPPED',
      })),
    })),
  };
}
