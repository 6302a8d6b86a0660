import type { ServerResponse } from 'node:http';

/** Error codes of distribution-spec 1.1, "Error Codes", with the status that each one has. */
const STATUS_OF_CODE = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  UNSUPPORTED: 405,
  UNKNOWN: 500,
} as const;

export type RegistryErrorCode = keyof typeof STATUS_OF_CODE;

export interface RegistryErrorOptions {
  readonly detail?: unknown;
  /** Another status than the code's own. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A failed request, as the client reads it: `{"errors":[{"code","message","detail"}]}`. */
export class RegistryError extends Error {
  readonly code: RegistryErrorCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RegistryErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(message);
    this.name = 'RegistryError';
    this.code = code;
    this.status = options.status ?? STATUS_OF_CODE[code];
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

export function sendError(response: ServerResponse, error: RegistryError, isHead: boolean): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const entry = { code: error.code, message: error.message, ...(error.detail ? { detail: error.detail } : {}) };
  const body = JSON.stringify({ errors: [entry] });
  response.writeHead(error.status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...error.headers,
  });
  response.end(isHead ? undefined : body);
}
