/** A request that is answered with an error; each API has its own form for it. */
export class ApiError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** Prometheus' `errorType`, where the API has such a thing. */
  readonly type: string;

  constructor(status: number, message: string, type = 'bad_data', options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ApiError';
    this.status = status;
    this.type = type;
  }
}
