import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

const MAX_FORM_BYTES = 10 * 1024 * 1024;

/** Parameters of a request: those of the URL, and with POST those of a form in the body before them, as in Go's `ParseForm`. */
export async function readParameters(request: IncomingMessage, url: URL): Promise<URLSearchParams> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (request.method !== 'POST' || type !== 'application/x-www-form-urlencoded') return url.searchParams;
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > MAX_FORM_BYTES)
      throw new ApiError(413, `request body too large: the limit is ${MAX_FORM_BYTES} bytes`);
    parts.push(part as Buffer);
  }
  const form = new URLSearchParams(Buffer.concat(parts).toString('utf8'));
  for (const [name, value] of url.searchParams) form.append(name, value);
  return form;
}
