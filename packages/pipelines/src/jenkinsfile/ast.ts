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
  | {
      readonly kind: 'label';
      /** Empty where any will do. */
      readonly label: Text;
      /** Relative to the agent's folder, or absolute below it. */
      readonly customWorkspace: Text | undefined;
    };

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
  readonly artifactBuildsToKeep: number | undefined;
  readonly artifactDaysToKeep: number | undefined;
  /** A build waits so long in the queue. */
  readonly quietPeriodMs: number;
  readonly disableRestartFromStage: boolean;
  /** Where `checkout scm` puts the files, below the workspace. */
  readonly checkoutDirectory: string | undefined;
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
  /** Only of a string: spaces around a given value are taken off. */
  readonly trim: boolean;
}

export type Trigger =
  | { readonly kind: 'cron' | 'pollSCM'; readonly spec: string }
  | {
      readonly kind: 'upstream';
      readonly jobs: readonly string[];
      /** The worst result of theirs that still starts a build. */
      readonly threshold: 'SUCCESS' | 'UNSTABLE' | 'FAILURE';
    };

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
      readonly input: Input | undefined;
      readonly environment: readonly EnvironmentEntry[];
      readonly options: Options;
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

export const COMPARATORS = ['GLOB', 'REGEXP', 'EQUALS'] as const;
export type Comparator = (typeof COMPARATORS)[number];

/** What `changeRequest` may ask for, and the variable that a build of a change request has it in. */
export const CHANGE_REQUEST_VARIABLES = {
  id: 'CHANGE_ID',
  target: 'CHANGE_TARGET',
  branch: 'CHANGE_BRANCH',
  fork: 'CHANGE_FORK',
  url: 'CHANGE_URL',
  title: 'CHANGE_TITLE',
  author: 'CHANGE_AUTHOR',
  authorDisplayName: 'CHANGE_AUTHOR_DISPLAY_NAME',
  authorEmail: 'CHANGE_AUTHOR_EMAIL',
} as const;

export type Condition =
  | { readonly kind: 'branch' | 'tag'; readonly pattern: Text; readonly comparator: Comparator }
  | { readonly kind: 'buildingTag' }
  | {
      readonly kind: 'changeRequest';
      readonly wanted: readonly { readonly variable: string; readonly pattern: Text }[];
      readonly comparator: Comparator;
    }
  /** Messages of the commits since the last build, by a regular expression. */
  | { readonly kind: 'changelog'; readonly pattern: Text }
  /** Files of the commits since the last build. */
  | {
      readonly kind: 'changeset';
      readonly pattern: Text;
      readonly comparator: Comparator;
      readonly caseSensitive: boolean;
    }
  | { readonly kind: 'environment'; readonly name: string; readonly value: Text; readonly ignoreCase: boolean }
  | { readonly kind: 'equals'; readonly expected: Text; readonly actual: Text }
  | { readonly kind: 'triggeredBy'; readonly cause: string; readonly detail: string | undefined }
  | { readonly kind: 'isRestartedRun' }
  | { readonly kind: 'not'; readonly condition: Condition }
  | { readonly kind: 'allOf' | 'anyOf'; readonly conditions: readonly Condition[] };

export interface Input {
  readonly message: Text;
  readonly ok: string;
  readonly id: string | undefined;
  readonly submitter: string | undefined;
  /** The variable that gets the name of who answered. */
  readonly submitterParameter: string | undefined;
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
  | {
      readonly kind: 'string' | 'file' | 'usernameColonPassword';
      readonly credentialsId: Text;
      readonly variable: string;
    }
  | {
      readonly kind: 'usernamePassword';
      readonly credentialsId: Text;
      readonly usernameVariable: string;
      readonly passwordVariable: string;
    }
  | {
      readonly kind: 'sshUserPrivateKey';
      readonly credentialsId: Text;
      readonly keyFileVariable: string;
      readonly usernameVariable: string | undefined;
      readonly passphraseVariable: string | undefined;
    };
