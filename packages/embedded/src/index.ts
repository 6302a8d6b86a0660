export { probeCpuControl } from '@kind-e2e/kubelet';
export { chooseAddressBlock } from './config/address-block.ts';
export { prepareDataDirectory, readLabConfig } from './config/data-directory.ts';
export { bundleOf, type Installation, imageFolder, installationAt } from './config/installation.ts';
export {
  DEFAULT_PORTS,
  type LabConfig,
  type LabPaths,
  type LabPorts,
  labPaths,
  resolveDataDir,
} from './config/lab-config.ts';
export { freePort, isPortTaken } from './config/ports.ts';
export { POWER_ANNOTATION } from './control-plane/node-power.ts';
export { type LabNode, NODES } from './control-plane/nodes.ts';
export { type BuildAppOptions, buildApp, type PushedImage } from './images/build-app.ts';
export { OBSERVABILITY_FLAGS } from './images/process-flags.ts';
export { PIPELINE_JOB, type StartJenkinsOptions, startJenkins } from './jenkins/start-jenkins.ts';
export { IMPORT_METRICS_PATH, SQL_PATH } from './observability/store-paths.ts';
export { isRunning, type ProcessIdentity } from './supervisor/process-identity.ts';
export { isLabRunning, type RunState, readRunState } from './supervisor/run-file.ts';
export { spawnDetached } from './supervisor/spawn-detached.ts';
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts';
export { SUPERVISOR_FLAGS } from './supervisor/watch-supervisor.ts';
export {
  fetchTools,
  findTool,
  OLDEST_TOOLS,
  PINNED_PLATFORM,
  PINNED_TOOLS,
  type PinnedTools,
  TESTED_TOOLS,
} from './tools/index.ts';
export { connect } from './up/connect.ts';
export { type DownOptions, type DownResult, down } from './up/down.ts';
export { type HelmOptions, helmInstall, releaseHash, runHelm } from './up/helm.ts';
export { type LabProcess, labProcesses } from './up/lab-processes.ts';
export { isRolledOut, waitForDeployments, waitForNodes } from './up/readiness.ts';
export type { Step } from './up/step.ts';
export {
  APP_NAMESPACE,
  APP_RELEASE,
  appValues,
  planUp,
  type UpOptions,
  type UpPlan,
  type UpResult,
  urlsOf,
} from './up/up.ts';
export { type WaitOptions, waitFor } from './up/wait.ts';
