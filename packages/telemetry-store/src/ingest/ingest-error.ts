/** A request that cannot be taken; each protocol puts it into its own form. */
export class IngestError extends Error {
  /** HTTP status. */
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IngestError';
    this.status = status;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}
