import type { Parameter } from '../jenkinsfile/ast.ts';

/** Results from best to worst (hudson.model.Result). */
export const RESULTS = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED'] as const;
export type BuildResult = (typeof RESULTS)[number];

export function worse(a: BuildResult, b: BuildResult): BuildResult {
  return RESULTS.indexOf(a) >= RESULTS.indexOf(b) ? a : b;
}

export interface Cause {
  readonly kind: 'UserIdCause' | 'TimerTrigger' | 'SCMTrigger' | 'UpstreamCause' | 'RestartCause' | 'ReplayCause';
  readonly text: string;
}

export interface StageRecord {
  readonly id: string;
  readonly name: string;
  readonly parentId: string | undefined;
  status: 'IN_PROGRESS' | 'PAUSED_PENDING_INPUT' | 'NOT_EXECUTED' | BuildResult;
  startedMs: number;
  durationMs: number;
  agent: string | undefined;
  error: string | undefined;
  spanId: string;
}

export interface PendingInput {
  readonly id: string;
  readonly message: string;
  readonly ok: string;
  readonly submitter: string | undefined;
  readonly submitterParameter: string | undefined;
  readonly parameters: readonly Parameter[];
}

export interface TestCase {
  readonly className: string;
  readonly name: string;
  readonly status: 'PASSED' | 'FAILED' | 'SKIPPED';
  readonly durationSeconds: number;
  readonly message: string | undefined;
}

export interface TestSuite {
  readonly name: string;
  readonly durationSeconds: number;
  readonly cases: readonly TestCase[];
}

/** All that is kept of a build beside its log and files; written to `build.json` at each change. */
export interface BuildRecord {
  readonly job: string;
  readonly number: number;
  readonly queueId: number;
  readonly causes: readonly Cause[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly secretParameters: readonly string[];
  /** The Jenkinsfile, for replay and restart. */
  readonly script: string;
  readonly branch: string;
  commit: string | undefined;
  readonly restartedFrom: { readonly build: number; readonly stage: string } | undefined;
  readonly startedMs: number;
  durationMs: number;
  building: boolean;
  /** What it is so far; final when `building` is false. */
  result: BuildResult;
  reason: string | undefined;
  readonly traceId: string;
  readonly spanId: string;
  stages: StageRecord[];
  artifacts: { readonly path: string; readonly size: number; readonly md5?: string }[];
  tests: TestSuite[];
  inputs: PendingInput[];
}
