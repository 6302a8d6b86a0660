export type ArgumentType = 'text' | 'number' | 'boolean' | 'texts' | 'bindings' | { readonly oneOf: readonly string[] };

export interface StepDefinition {
  /** The argument that may be given without a name. */
  readonly main?: string;
  readonly args: Readonly<Record<string, { readonly type: ArgumentType; readonly required?: boolean }>>;
  readonly hasBlock: boolean;
}

const TEXT = { type: 'text' } as const;
const NEEDED = { type: 'text', required: true } as const;
const FLAG = { type: 'boolean' } as const;
const RESULTS = { type: { oneOf: ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED'] } } as const;

/** Units of `timeout` and `sleep`, in milliseconds (java.util.concurrent.TimeUnit). */
export const TIME_UNITS: Readonly<Record<string, number>> = {
  NANOSECONDS: 1e-6,
  MICROSECONDS: 1e-3,
  MILLISECONDS: 1,
  SECONDS: 1_000,
  MINUTES: 60_000,
  HOURS: 3_600_000,
  DAYS: 86_400_000,
};
const UNIT = { type: { oneOf: Object.keys(TIME_UNITS) } } as const;

/** The steps that a build can run, with the arguments of Jenkins' own (jenkins.io/doc/pipeline/steps). */
export const STEPS = {
  sh: { main: 'script', args: { script: NEEDED, label: TEXT, encoding: TEXT }, hasBlock: false },
  echo: { main: 'message', args: { message: NEEDED }, hasBlock: false },
  dir: { main: 'path', args: { path: NEEDED }, hasBlock: true },
  withEnv: { main: 'overrides', args: { overrides: { type: 'texts', required: true } }, hasBlock: true },
  withCredentials: { main: 'bindings', args: { bindings: { type: 'bindings', required: true } }, hasBlock: true },
  retry: { main: 'count', args: { count: { type: 'number', required: true } }, hasBlock: true },
  timeout: {
    main: 'time',
    args: { time: { type: 'number', required: true }, unit: UNIT },
    hasBlock: true,
  },
  timestamps: { args: {}, hasBlock: true },
  catchError: {
    main: 'message',
    args: { message: TEXT, buildResult: RESULTS, stageResult: RESULTS, catchInterruptions: FLAG },
    hasBlock: true,
  },
  warnError: { main: 'message', args: { message: NEEDED, catchInterruptions: FLAG }, hasBlock: true },
  error: { main: 'message', args: { message: NEEDED }, hasBlock: false },
  unstable: { main: 'message', args: { message: NEEDED }, hasBlock: false },
  sleep: { main: 'time', args: { time: { type: 'number', required: true }, unit: UNIT }, hasBlock: false },
  input: { main: 'message', args: { message: NEEDED, ok: TEXT, id: TEXT, submitter: TEXT }, hasBlock: false },
  stash: {
    main: 'name',
    args: { name: NEEDED, includes: TEXT, excludes: TEXT, allowEmpty: FLAG, useDefaultExcludes: FLAG },
    hasBlock: false,
  },
  unstash: { main: 'name', args: { name: NEEDED }, hasBlock: false },
  archiveArtifacts: {
    main: 'artifacts',
    args: { artifacts: NEEDED, excludes: TEXT, allowEmptyArchive: FLAG, fingerprint: FLAG, onlyIfSuccessful: FLAG },
    hasBlock: false,
  },
  junit: {
    main: 'testResults',
    args: { testResults: NEEDED, allowEmptyResults: FLAG, skipMarkingBuildUnstable: FLAG, skipPublishingChecks: FLAG },
    hasBlock: false,
  },
  checkout: { main: 'scm', args: { scm: NEEDED }, hasBlock: false },
  git: { main: 'url', args: { url: NEEDED, branch: TEXT }, hasBlock: false },
  deleteDir: { args: {}, hasBlock: false },
  cleanWs: { args: { deleteDirs: FLAG, notFailBuild: FLAG }, hasBlock: false },
  writeFile: { args: { file: NEEDED, text: NEEDED, encoding: TEXT }, hasBlock: false },
  readFile: { main: 'file', args: { file: NEEDED, encoding: TEXT }, hasBlock: false },
} as const satisfies Readonly<Record<string, StepDefinition>>;

export type StepName = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

/** Steps of Jenkins that people try, and why they are not here. */
export const REFUSED_STEPS: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  bat: ['bat runs on Windows agents, of which there are none', 'write sh'],
  powershell: ['powershell runs on Windows agents, of which there are none', 'write sh'],
  pwsh: ['pwsh is not run here', "write sh 'pwsh …' where the program is installed"],
  node: ['node belongs to scripted pipelines', 'write agent { label "…" } in the stage'],
  container: ['container needs the Kubernetes plugin', 'run the program with sh'],
  docker: ['docker steps need the Docker Pipeline plugin', "write sh 'docker …'"],
  build: ['build starts another job, which is not done here', 'put its stages into this file'],
  load: ['load reads Groovy code, which is not run here', 'write the steps into this file'],
  library: ['shared libraries hold Groovy code, which is not run here', 'write the steps into this file'],
  parallel: ['parallel is a section of a stage, not a step', 'write stage("…") { parallel { stage … } }'],
  stage: ['stage cannot stand in steps', 'write stages { stage("…") { steps { … } } } in the outer stage'],
  lock: ['lock needs the Lockable Resources plugin', 'write options { disableConcurrentBuilds() }'],
  mail: ['mail needs a mail server, which the lab has not', 'take it out'],
  emailext: ['emailext needs a mail server, which the lab has not', 'take it out'],
  slackSend: ['slackSend needs the Slack plugin', "write sh 'curl …' to the webhook"],
  tool: ['tool installs programs, which is not done here', 'install the program on the agents and call it with sh'],
  readJSON: ['readJSON gives a value to Groovy code, which is not run here', "write sh 'jq …'"],
  waitUntil: ['waitUntil needs Groovy code, which is not run here', 'write retry(n) { sh … ; sleep 1 }'],
  isUnix: ['isUnix gives a value to Groovy code, which is not run here', 'take it out: every agent is Unix'],
  pwd: ['pwd gives a value to Groovy code, which is not run here', 'write ${env.WORKSPACE}'],
  fileExists: ['fileExists gives a value to Groovy code, which is not run here', "write sh 'test -e …'"],
};
