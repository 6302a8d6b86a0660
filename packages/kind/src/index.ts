export { clusterConfig, GATEWAY_NODE_PORT, nodeNames } from './cluster-config.ts';
export { type Helmfile, parseHelmfile, type Release, type Repository, type SetValue } from './helmfile.ts';
export { RealLab, stateFileOf } from './lab.ts';
export {
  DEFAULT_CLUSTER_PORTS,
  type RealClusterOptions,
  type RealClusterPorts,
  type RealEngine,
  type Settings,
} from './options.ts';
export { type LabUrl, labUrls } from './plan/plan.ts';
export type { Finding } from './preflight/finding.ts';
export { isRepositoryUrl, pipelineNote } from './repository.ts';
export type { Program } from './run/command.ts';
export type { StepEvent } from './run/execute.ts';
export { type LabState, readState } from './run/state.ts';
export { NODE_IMAGE, REGISTRY_IMAGE } from './versions.ts';
