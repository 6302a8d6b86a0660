import type { BuildResult } from './record.ts';

/** A step failed: the stage does, unless something around it catches that. */
export class StepFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StepFailure';
  }
}

/** The build, or a part of it, was told to end: by a user, a timeout, fail-fast (FlowInterruptedException). */
export class Interrupted extends Error {
  readonly result: BuildResult;
  /** Another branch failed and took this one along: its result is the build's, not this one. */
  readonly isFailFast: boolean;

  constructor(message: string, result: BuildResult = 'ABORTED', isFailFast = false) {
    super(message);
    this.name = 'Interrupted';
    this.result = result;
    this.isFailFast = isFailFast;
  }
}

export function resultOf(thrown: unknown): BuildResult {
  return thrown instanceof Interrupted ? thrown.result : 'FAILURE';
}

/** Throws the signal's reason, where it aborted: what failed because of it must not look like a failure. */
export function rethrow(thrown: unknown, signal: AbortSignal): never {
  throw signal.aborted ? signal.reason : thrown;
}
