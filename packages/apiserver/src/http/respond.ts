import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Status, StatusError } from '@kind-e2e/kube-api';
import { warningHeaders } from './warning-headers.ts';

const compress = promisify(gzip);

/** Answers larger than this are compressed for clients that can (apiserver's `APIResponseCompression`). */
export const COMPRESS_ABOVE_BYTES = 128 * 1024;
/** The fastest level: on loopback, time matters more than size. */
const GZIP_LEVEL = 1;

export interface ResponseOptions {
  readonly status?: number;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
  /** Compress whatever the size (OpenAPI documents). */
  readonly compress?: boolean;
}

/** Sends a whole body. */
export async function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  body: string | Buffer,
  options: ResponseOptions = {},
): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const headers: Record<string, string | number | string[]> = {
    'Cache-Control': 'no-cache, private',
    'Content-Type': options.contentType ?? 'application/json',
    ...options.headers,
  };
  if (options.warnings && options.warnings.length > 0) headers.Warning = warningHeaders(options.warnings);
  let content = body;
  const mayCompress = options.compress === true || body.length > COMPRESS_ABOVE_BYTES;
  if (mayCompress && acceptsGzip(request)) {
    content = await compress(body, { level: GZIP_LEVEL });
    headers['Content-Encoding'] = 'gzip';
    headers.Vary = 'Accept-Encoding';
  }
  headers['Content-Length'] = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
  response.writeHead(options.status ?? 200, headers);
  response.end(request.method === 'HEAD' ? undefined : content);
}

/** Sends a Status; 429 and 5xx with `Retry-After` where the status says how long. */
export async function sendStatus(
  request: IncomingMessage,
  response: ServerResponse,
  status: Status,
  warnings: readonly string[] = [],
): Promise<void> {
  const retryAfter = status.details?.retryAfterSeconds;
  await sendText(request, response, JSON.stringify(status), {
    status: status.code,
    warnings,
    ...(retryAfter === undefined ? {} : { headers: { 'Retry-After': String(retryAfter) } }),
  });
}

/** What was thrown, as a Status. Errors that are not a `StatusError` are ours: 500. */
export function statusOf(thrown: unknown): Status | undefined {
  return thrown instanceof StatusError ? thrown.status : undefined;
}

function acceptsGzip(request: IncomingMessage): boolean {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /\bgzip\b/.test(accepted);
}
