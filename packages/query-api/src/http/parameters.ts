import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

const MAX_FORM_BYTES = 10 * 1024 * 1024;

/** Parameters of a request: those of the URL, and with POST those of a form in the body before them, as in Go's `ParseForm`. */
export async function readParameters(request: IncomingMessage, url: URL): Promise<URLSearchParams> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const ofUrl = new URLSearchParams(wellFormed(url.search.slice(1)));
  if (request.method !== 'POST' || type !== 'application/x-www-form-urlencoded') return ofUrl;
  const body = await readBody(request, MAX_FORM_BYTES);
  const form = new URLSearchParams(wellFormed(body.toString('utf8')));
  for (const [name, value] of ofUrl) form.append(name, value);
  return form;
}

/** The body of a request as a whole. Throws an ApiError where it is larger than this. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > maxBytes) throw new ApiError(413, `request body too large: the limit is ${maxBytes} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

/** Without the pairs that Go's url.ParseQuery leaves out: those with a semicolon, and with a % that begins no escape. */
function wellFormed(query: string): string {
  if (!/%(?![0-9a-fA-F]{2})|;/.test(query)) return query;
  return query
    .split('&')
    .filter((pair) => !/%(?![0-9a-fA-F]{2})|;/.test(pair))
    .join('&');
}
