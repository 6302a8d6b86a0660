/** A patch that cannot be applied. `kind` says which answer it deserves. */
export type PatchProblem =
  /** 400: the patch itself cannot be read. */
  | 'malformed'
  /** 413: it has more operations than are allowed. */
  | 'too-many'
  /** 422 without details: it does not fit the object (JSON patch). */
  | 'inapplicable'
  /** 500 with this text: what strategic merge reports for broken directives. */
  | 'internal'
  /** 422 with a cause on `patch`. */
  | 'invalid';

export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly problem: PatchProblem;
  /** A `test` operation did not hold. */
  readonly isTest: boolean;

  constructor(
    problem: PatchProblem,
    message: string,
    options?: { readonly cause?: unknown; readonly isTest?: boolean },
  ) {
    super(message, options);
    this.problem = problem;
    this.isTest = options?.isTest ?? false;
  }
}
