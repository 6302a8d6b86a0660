import type { Lease } from '../controller/agent-pool.ts';
import type { EnvironmentEntry } from '../jenkinsfile/ast.ts';
import type { Text } from '../jenkinsfile/text.ts';
import type { BuildRun } from './build-run.ts';
import { StepFailure } from './interrupts.ts';
import type { BuildResult, StageRecord } from './record.ts';

/** What a step sees: inherited from the pipeline, the stages around it and the blocks around it. */
export interface Scope {
  readonly run: BuildRun;
  readonly env: Readonly<Record<string, string>>;
  readonly lease: Lease | undefined;
  /** Absolute path on the agent. */
  readonly cwd: string | undefined;
  readonly signal: AbortSignal;
  readonly timestamps: boolean;
  readonly stage: StageRecord | undefined;
  readonly spanId: string;
  readonly branch: StageOutcome;
}

/** The result of a stage so far: steps such as junit or catchError change it without failing. */
export interface StageOutcome {
  result: BuildResult;
}

/** The text with its references filled in. A variable that is not there fails the step, as in Groovy. */
export function fill(text: Text, scope: Scope): string {
  return text
    .map((part) => {
      if (typeof part === 'string') return part;
      const { scope: where, name } = part;
      if (where === 'currentBuild') return scope.run.field(name);
      const { parameters } = scope.run.record;
      if (where === 'params') return parameters[name] ?? scope.run.secretParameter(name) ?? 'null';
      const value = scope.env[name] ?? scope.run.secretParameter(name);
      if (value !== undefined) return value;
      throw new StepFailure(
        `no variable ${name} (line ${part.line}, column ${part.column} of the Jenkinsfile): set it in environment, or write \\$${name} for the shell's own`,
      );
    })
    .join('');
}

/** The variables of an environment section, one after the other: later ones see earlier ones. */
export async function withEnvironment(entries: readonly EnvironmentEntry[], scope: Scope): Promise<Scope> {
  let env = scope.env;
  for (const { name, value } of entries) {
    const inner = { ...scope, env };
    if (value.kind === 'text') env = { ...env, [name]: fill(value.text, inner) };
    else env = { ...env, ...(await scope.run.credentialVariables(name, fill(value.id, inner), inner)) };
  }
  return { ...scope, env };
}
