import { LabError } from '@kind-e2e/base';

/** A place in a Jenkinsfile; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong: where, what, and what to write instead. */
export interface Problem extends Position {
  readonly message: string;
  readonly remedy: string;
}

/** A Jenkinsfile that cannot run. Holds every problem, in order of place. */
export class JenkinsfileError extends LabError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], file = 'Jenkinsfile') {
    super(problems.map((problem) => formatProblem(problem, file)).join('\n'), {
      code: 'JENKINSFILE',
      side: 'user',
      remedy: problems[0]?.remedy ?? 'mend the file',
    });
    this.name = 'JenkinsfileError';
    this.problems = problems;
  }
}

/** `Jenkinsfile:3:5: unknown section "stagez" in pipeline; write stages` */
export function formatProblem(problem: Problem, file: string): string {
  return `${file}:${problem.line}:${problem.column}: ${problem.message}; ${problem.remedy}`;
}

export class ProblemList {
  readonly #problems: Problem[] = [];

  add(at: Position, message: string, remedy: string): void {
    this.#problems.push({ line: at.line, column: at.column, message, remedy });
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  sorted(): readonly Problem[] {
    return this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  throwIfAny(file: string): void {
    if (this.#problems.length > 0) throw new JenkinsfileError(this.sorted(), file);
  }
}
