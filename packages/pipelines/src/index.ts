export { type AgentOptions, startAgent } from './agent/start-agent.ts';
export type { JobDefinition } from './build/build-store.ts';
export { type Credential, type CredentialSource, secretCredentials } from './build/credentials.ts';
export type { BuildRecord, BuildResult, StageRecord } from './build/record.ts';
export type { BuildRequest, Pipelines, QueueItem } from './controller/pipelines.ts';
export type * from './jenkinsfile/ast.ts';
export { parseJenkinsfile } from './jenkinsfile/parse-jenkinsfile.ts';
export { formatProblem, JenkinsfileError, type Position, type Problem } from './jenkinsfile/problem.ts';
export { type RunningPipelines, type StartPipelinesOptions, startPipelines } from './start-pipelines.ts';
