import type { PlannedCommand } from '../run/command.ts';
import type { Survey } from '../run/survey.ts';

/** One thing that `up` does on a real cluster. Steps form a graph: those whose needs are done run side by side. */
export interface PlannedStep {
  readonly id: string;
  readonly title: string;
  /** Ids of the steps before. */
  readonly needs: readonly string[];
  /** Files written before the commands run; paths are absolute. */
  readonly files?: readonly { readonly path: string; readonly text: string }[];
  /** In order; as a first run does them. */
  readonly commands: readonly PlannedCommand[];
  /** URLs that must answer after the commands. */
  readonly urls?: readonly string[];
  /** Stands for all that the step does. A step that finished with the same is skipped while `holds` says so. */
  readonly fingerprint: string;
  /** Whether what a finished run of the step made is still there. Missing: the step runs each time. */
  readonly holds?: (survey: Survey) => boolean;
  /** What must be run first because of how things are found, such as the remains of an interruption. */
  readonly repair?: (survey: Survey, interrupted: boolean) => readonly PlannedCommand[];
  /** The release that the step installs, `namespace/name`. */
  readonly release?: string;
}
