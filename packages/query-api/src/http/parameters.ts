import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

const MAX_FORM_BYTES = 10 * 1024 * 1024;

/** Parameters of a request: those of the URL, and with POST those of a form in the body before them, as in Go's `ParseForm`. */
export async function readParameters(request: IncomingMessage, url: URL): Promise<URLSearchParams> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const ofUrl = new URLSearchParams(wellFormed(url.search.slice(1)));
  if (request.method !== 'POST' || type !== 'application/x-www-form-urlencoded') return ofUrl;
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > MAX_FORM_BYTES)
      throw new ApiError(413, `request body too large: the limit is ${MAX_FORM_BYTES} bytes`);
    parts.push(part as Buffer);
  }
  const form = new URLSearchParams(wellFormed(Buffer.concat(parts).toString('utf8')));
  for (const [name, value] of ofUrl) form.append(name, value);
  return form;
}

/** Without the pairs that Go's url.ParseQuery leaves out: those with a semicolon, and with a % that begins no escape. */
function wellFormed(query: string): string {
  if (!/%(?![0-9a-fA-F]{2})|;/.test(query)) return query;
  return query
    .split('&')
    .filter((pair) => !/%(?![0-9a-fA-F]{2})|;/.test(pair))
    .join('&');
}
