import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '@kind-e2e/base';
import { execa } from 'execa';
import { type Command, type CommandResult, formatCommand, type Program } from './command.ts';

export interface CommandRunnerOptions {
  readonly programs: Readonly<Record<Program, string>>;
  /** On top of the process's own. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Every command goes there: when, what, how long, what it said. */
  readonly logFile: string;
  readonly clock: Clock;
}

/** Exit code of a program that is not there, as shells give it. */
export const NOT_FOUND = 127;
const KILL_AFTER_MS = 10_000;

/** Runs the real programs, writes each command into the log file. Never throws for a failed command, only when aborted. */
export class CommandRunner {
  readonly logFile: string;
  readonly #options: CommandRunnerOptions;
  #log: Promise<void>;

  constructor(options: CommandRunnerOptions) {
    this.#options = options;
    this.logFile = options.logFile;
    this.#log = mkdir(dirname(options.logFile), { recursive: true }).then(() => undefined);
  }

  async run(command: Command, signal?: AbortSignal): Promise<CommandResult> {
    signal?.throwIfAborted();
    const { clock, programs, env, cwd } = this.#options;
    const began = clock.monotonic();
    const when = new Date(clock.now()).toISOString();
    const result = await execa(programs[command.program], command.args, {
      cwd,
      env,
      extendEnv: false,
      reject: false,
      forceKillAfterDelay: KILL_AFTER_MS,
      ...(command.input === undefined ? { stdin: 'ignore' as const } : { input: command.input }),
      ...(signal ? { cancelSignal: signal } : {}),
    });
    const isMissing = result.failed && result.exitCode === undefined && result.code === 'ENOENT';
    const answer: CommandResult = {
      exitCode: result.exitCode ?? (isMissing ? NOT_FOUND : 1),
      stdout: String(result.stdout ?? ''),
      stderr: isMissing
        ? `${command.program} was not found: ${programs[command.program]}`
        : String(result.stderr || (result.failed && result.exitCode === undefined ? result.shortMessage : '') || ''),
    };
    await this.#write(when, command, answer, clock.monotonic() - began);
    signal?.throwIfAborted();
    return answer;
  }

  #write(when: string, command: Command, answer: CommandResult, tookMs: number): Promise<void> {
    const lines = [
      `${when} $ ${formatCommand(command)}`,
      ...(command.input === undefined ? [] : indent(command.input, '  < ')),
      ...indent(answer.stdout, '  | '),
      ...indent(answer.stderr, '  ! '),
      `  exit ${answer.exitCode} after ${(tookMs / 1_000).toFixed(1)} s`,
    ];
    this.#log = this.#log.then(() => appendFile(this.logFile, `${lines.join('\n')}\n`, { mode: 0o600 }));
    return this.#log;
  }
}

function indent(text: string, prefix: string): string[] {
  const trimmed = text.trimEnd();
  return trimmed === '' ? [] : trimmed.split('\n').map((line) => prefix + line);
}
