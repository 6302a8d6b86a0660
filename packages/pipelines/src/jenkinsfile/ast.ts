import type { Position } from './problem.ts';
import type { StepName } from './step-table.ts';
import type { Text } from './text.ts';

/** A declarative pipeline, checked: what a build runs. */
export interface Pipeline extends Directives {
  readonly agent: Agent;
  readonly parameters: readonly Parameter[];
  readonly triggers: readonly Trigger[];
  readonly stages: readonly Stage[];
}

interface Directives extends Position {
  readonly environment: readonly EnvironmentEntry[];
  readonly options: Options;
  readonly post: readonly PostCondition[];
}

export type Agent =
  | { readonly kind: 'any' }
  | { readonly kind: 'none' }
  | { readonly kind: 'label'; readonly label: Text };

export interface EnvironmentEntry extends Position {
  readonly name: string;
  readonly value: { readonly kind: 'text'; readonly text: Text } | { readonly kind: 'credentials'; readonly id: Text };
}

export interface Options {
  readonly timeoutMs: number | undefined;
  readonly retry: number | undefined;
  readonly timestamps: boolean;
  readonly disableConcurrentBuilds: 'wait' | 'abortPrevious' | undefined;
  readonly buildsToKeep: number | undefined;
  readonly daysToKeep: number | undefined;
  readonly skipDefaultCheckout: boolean;
  readonly parallelsAlwaysFailFast: boolean;
  readonly skipStagesAfterUnstable: boolean;
}

export interface Parameter {
  readonly kind: 'string' | 'booleanParam' | 'choice' | 'text' | 'password';
  readonly name: string;
  readonly description: string;
  readonly defaultValue: string;
  /** Only of a choice. */
  readonly choices: readonly string[];
}

export interface Trigger {
  readonly kind: 'cron' | 'pollSCM';
  readonly spec: string;
}

export type PostCondition = {
  readonly condition: PostName;
  readonly steps: readonly Step[];
};

/** In the order in which Jenkins runs them. */
export const POST_CONDITIONS = [
  'always',
  'changed',
  'fixed',
  'regression',
  'aborted',
  'failure',
  'success',
  'unstable',
  'unsuccessful',
  'cleanup',
] as const;
export type PostName = (typeof POST_CONDITIONS)[number];

export interface Stage extends Directives {
  readonly name: string;
  readonly agent: Agent | undefined;
  readonly when: When | undefined;
  readonly input: Input | undefined;
  readonly failFast: boolean;
  readonly body: StageBody;
}

export type StageBody =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'stages'; readonly stages: readonly Stage[] }
  | { readonly kind: 'parallel'; readonly stages: readonly Stage[] }
  | {
      readonly kind: 'matrix';
      readonly axes: readonly Axis[];
      readonly excludes: readonly (readonly ExcludeAxis[])[];
      readonly agent: Agent | undefined;
      readonly when: When | undefined;
      readonly environment: readonly EnvironmentEntry[];
      readonly post: readonly PostCondition[];
      readonly stages: readonly Stage[];
    };

export interface Axis {
  readonly name: string;
  readonly values: readonly string[];
}

export interface ExcludeAxis extends Axis {
  /** `notValues`: every other value is left out. */
  readonly isNot: boolean;
}

export interface When {
  readonly beforeAgent: boolean;
  readonly beforeInput: boolean;
  readonly condition: Condition;
}

export type Condition =
  | { readonly kind: 'branch'; readonly pattern: Text; readonly comparator: 'GLOB' | 'REGEXP' | 'EQUALS' }
  | { readonly kind: 'environment'; readonly name: string; readonly value: Text; readonly ignoreCase: boolean }
  | { readonly kind: 'equals'; readonly expected: Text; readonly actual: Text }
  | { readonly kind: 'triggeredBy'; readonly cause: string }
  | { readonly kind: 'isRestartedRun' }
  | { readonly kind: 'not'; readonly condition: Condition }
  | { readonly kind: 'allOf' | 'anyOf'; readonly conditions: readonly Condition[] };

export interface Input {
  readonly message: Text;
  readonly ok: string;
  readonly id: string | undefined;
  readonly submitter: string | undefined;
  readonly parameters: readonly Parameter[];
}

export type StepValue = Text | number | boolean | readonly Text[] | readonly Binding[];

/** A step with its arguments by name; the step table says which there are and of which type. */
export interface Step extends Position {
  readonly name: StepName;
  readonly args: Readonly<Record<string, StepValue>>;
  readonly block: readonly Step[];
}

/** What `withCredentials` binds. */
export type Binding =
  | { readonly kind: 'string' | 'file'; readonly credentialsId: Text; readonly variable: string }
  | {
      readonly kind: 'usernamePassword';
      readonly credentialsId: Text;
      readonly usernameVariable: string;
      readonly passwordVariable: string;
    };
