/** A command line of a real program, as data: printed by a dry run, run by the runner. */
export type Program = 'docker' | 'kind' | 'helm' | 'kubectl';

export interface Command {
  readonly program: Program;
  readonly args: readonly string[];
  /** Goes to its standard input. */
  readonly input?: string;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of a step. */
export interface PlannedCommand extends Command {
  /** Not run where this is already so. */
  readonly unless?: Probe;
}

/** A question to a program, whose answer is yes or no. */
export interface Probe {
  /** What is so when the answer is yes, as in "the container runs". */
  readonly says: string;
  readonly command: Command;
  readonly isTrue: (result: CommandResult) => boolean;
}

const PLAIN = /^[\w@%+=:,./~-]+$/;

/** One word as a POSIX shell reads it. */
export function shellQuote(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The command as a line for a shell, its input left out. */
export function formatCommand(command: Command): string {
  return [command.program, ...command.args.map(shellQuote)].join(' ');
}
