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

const UTF8 = { type: { oneOf: ['UTF-8', 'utf-8', 'UTF8', 'utf8'] } } as const;
const BASE64 = { type: { oneOf: [...UTF8.type.oneOf, 'Base64'] } } as const;

/** The steps that a build can run, with the arguments of Jenkins' own (jenkins.io/doc/pipeline/steps). */
export const STEPS = {
  sh: { main: 'script', args: { script: NEEDED, label: TEXT, encoding: UTF8 }, hasBlock: false },
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
  writeFile: { args: { file: NEEDED, text: NEEDED, encoding: BASE64 }, hasBlock: false },
  readFile: { main: 'file', args: { file: NEEDED, encoding: BASE64 }, hasBlock: false },
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
  milestone: [
    'milestone is not done here',
    'write options { disableConcurrentBuilds(abortPrevious: true) }, so that an older build ends',
  ],
  ws: ['ws is not done here', "write agent { node { label '…'; customWorkspace '…' } }, or dir('…') { … }"],
  wrap: ['wrap needs a plugin', 'write the step that the plugin has, or sh'],
  step: ['step runs a build step of a plugin', 'write junit, archiveArtifacts or sh'],
  archive: ['archive is no longer a step of Jenkins', "write archiveArtifacts '…'"],
  unarchive: ['unarchive is not done here', 'write stash and unstash'],
  print: ['print is Groovy code', "write echo '…'"],
  println: ['println is Groovy code', "write echo '…'"],
  printf: ['printf is Groovy code', "write echo '…'"],
  assert: ['assert is Groovy code', "write sh 'test …'"],
  properties: ['properties belongs to scripted pipelines', 'write options, parameters or triggers'],
  script: ['script holds Groovy code, which is not run here', 'write the steps straight into steps { … }'],
  evaluate: ['evaluate runs Groovy code, which is not run here', 'write the steps into this file'],
  readYaml: ['readYaml gives a value to Groovy code, which is not run here', "write sh 'yq …'"],
  readProperties: ['readProperties gives a value to Groovy code, which is not run here', "write sh '. ./file'"],
  writeJSON: ['writeJSON needs the Pipeline Utility Steps plugin', "write writeFile file: '…', text: '…'"],
  findFiles: ['findFiles gives a value to Groovy code, which is not run here', "write sh 'find …'"],
  publishHTML: ['publishHTML needs the HTML Publisher plugin', "write archiveArtifacts '…'"],
  copyArtifacts: ['copyArtifacts needs the Copy Artifact plugin', 'write stash and unstash'],
  sshagent: ['sshagent needs the SSH Agent plugin', 'write withCredentials([sshUserPrivateKey(…)])'],
  withMaven: ['withMaven needs the Pipeline Maven plugin', "write sh 'mvn …'"],
  withSonarQubeEnv: ['withSonarQubeEnv needs the SonarQube plugin', 'write withCredentials([string(…)])'],
  waitForQualityGate: ['waitForQualityGate needs the SonarQube plugin', 'write sh with a request to the server'],
  withDockerRegistry: [
    'withDockerRegistry needs the Docker Pipeline plugin',
    "write withCredentials and sh 'docker login …'",
  ],
  ansiColor: ['ansiColor needs the AnsiColor plugin', 'take it out: colours stay in the log as they are'],
  httpRequest: ['httpRequest needs the HTTP Request plugin', "write sh 'curl …'"],
  tee: ['tee needs a plugin', "write sh '… | tee file'"],
  nodesByLabel: ['nodesByLabel gives a value to Groovy code, which is not run here', 'take it out'],
  fingerprint: ['fingerprint is not a step here', 'write archiveArtifacts artifacts: …, fingerprint: true'],
  withContext: ['withContext is for Groovy code, which is not run here', 'take it out'],
  withChecks: ['withChecks needs the Checks API plugin', 'take it out'],
  cron: ['cron is a trigger, not a step', "write triggers { cron('…') } in the pipeline"],
};
