import type { HashKey } from '../snapshot/clusters.ts';
import { randomId } from '../telemetry/ids.ts';
import { getHeader, getJoinedHeader } from './headers.ts';
import { queryParameter } from './route-table.ts';
import type { RequestHead } from './stream.ts';

/** The value that decides on the endpoint; a cookie that is to be made comes with the field that sets it. */
export function hashKeyOf(
  key: HashKey,
  head: RequestHead,
  remoteAddress: string,
): { readonly value: string | undefined; readonly setCookie?: string } {
  if ('header' in key) return { value: getJoinedHeader(head.headers, key.header.toLowerCase()) };
  if ('query' in key) return { value: queryParameter(head.path, key.query) };
  if ('sourceIp' in key) {
    const forwarded = getHeader(head.headers, 'x-forwarded-for')?.split(',')[0]?.trim();
    return { value: forwarded || remoteAddress };
  }
  const value = cookieOf(head, key.cookie);
  if (value !== undefined || key.ttlSeconds === undefined) return { value };
  const made = randomId(8);
  const age = key.ttlSeconds > 0 ? `; Max-Age=${key.ttlSeconds}` : '';
  const path = key.path ? `; Path=${key.path}` : '';
  return { value: made, setCookie: `${key.cookie}="${made}"${age}${path}; HttpOnly` };
}

export function cookieOf(head: RequestHead, name: string): string | undefined {
  for (const pair of getJoinedHeader(head.headers, 'cookie')?.split(/[;,]/) ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name)
      return pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}
