import { getHeader, type HeaderList, setHeader } from './headers.ts';
import type { LocalReply } from './respond.ts';
import type { CompiledRoute } from './route-table.ts';
import type { RequestHead } from './stream.ts';

/** What the CORS filter does with a request: answers a preflight, or adds fields to the answer (Envoy's cors filter). */
export function corsOf(
  compiled: CompiledRoute,
  head: RequestHead,
): { readonly reply?: LocalReply; readonly responseHeaders?: HeaderList } | undefined {
  const policy = compiled.route.cors;
  const origin = policy ? getHeader(head.headers, 'origin') : undefined;
  if (policy === undefined || origin === undefined) return undefined;
  const allowed = compiled.corsOrigins.some((matches) => matches(origin));
  const isPreflight =
    head.method === 'OPTIONS' && getHeader(head.headers, 'access-control-request-method') !== undefined;
  if (!allowed) {
    if (isPreflight && policy.forwardUnmatchedPreflights === false)
      return { reply: { status: 200, body: '', details: 'cors_response' } };
    return undefined;
  }
  const headers: HeaderList = ['access-control-allow-origin', origin];
  if (policy.allowCredentials) headers.push('access-control-allow-credentials', 'true');
  if (!isPreflight) {
    if (policy.exposeHeaders?.length) headers.push('access-control-expose-headers', policy.exposeHeaders.join(','));
    return { responseHeaders: headers };
  }
  if (policy.allowMethods?.length) headers.push('access-control-allow-methods', policy.allowMethods.join(','));
  if (policy.allowHeaders?.length) headers.push('access-control-allow-headers', policy.allowHeaders.join(','));
  if (policy.maxAgeSeconds !== undefined) headers.push('access-control-max-age', String(policy.maxAgeSeconds));
  return { reply: { status: 200, body: '', details: 'cors_response', headers } };
}

export function addCorsHeaders(headers: HeaderList, cors: HeaderList): void {
  for (let i = 0; i < cors.length; i += 2) setHeader(headers, cors[i] as string, cors[i + 1] as string);
}
