/** Whose fault an error is: `user` can mend it (exit code 1), `usage` called it wrongly (2), `internal` is ours (70). */
export type ErrorSide = 'user' | 'usage' | 'internal';

export interface LabErrorOptions {
  /** Stable code in SCREAMING_SNAKE_CASE, by which tests and documents name the error. */
  readonly code: string;
  readonly side: ErrorSide;
  /** What the reader can do next, as one sentence or command. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** Base of all errors that reach a user: what happened, which value, what to do. */
export class LabError extends Error {
  readonly code: string;
  readonly side: ErrorSide;
  readonly remedy: string | undefined;

  constructor(message: string, options: LabErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LabError';
    this.code = options.code;
    this.side = options.side;
    this.remedy = options.remedy;
  }
}

export const EXIT_CODES: Readonly<Record<ErrorSide, number>> = { user: 1, usage: 2, internal: 70 };

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node.js system error (`ECONNREFUSED`, `ENOENT`), if it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
