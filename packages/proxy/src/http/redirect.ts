import type { RouteAction } from '../snapshot/routes.ts';
import type { LocalReply } from './respond.ts';
import { withoutPort } from './route-table.ts';
import type { RequestHead } from './stream.ts';

type Redirect = Extract<RouteAction, { kind: 'redirect' }>;
type Direct = Extract<RouteAction, { kind: 'direct' }>;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Where the client is to go instead. A change of scheme drops the default port of the old one, as in Envoy. */
export function redirectReply(
  at: { readonly head: RequestHead },
  redirect: Redirect,
  prefix: string | undefined,
): LocalReply {
  const { head } = at;
  const scheme = redirect.scheme ?? head.scheme;
  let authority = redirect.authority ?? head.authority;
  if (redirect.port !== undefined) {
    authority = withoutPort(authority);
    if (DEFAULT_PORTS[scheme] !== redirect.port) authority = `${authority}:${redirect.port}`;
  } else if (redirect.scheme !== undefined && authority.endsWith(`:${DEFAULT_PORTS[head.scheme]}`))
    authority = withoutPort(authority);
  const question = head.path.indexOf('?');
  const path = question < 0 ? head.path : head.path.slice(0, question);
  const query = question < 0 ? '' : head.path.slice(question);
  const target =
    redirect.path === undefined
      ? head.path
      : redirect.path.includes('%PREFIX()%')
        ? redirect.path.replace('%PREFIX()%', path.slice((prefix ?? '').length)) + query
        : redirect.path + (redirect.path.includes('?') ? '' : query);
  return {
    status: redirect.status,
    body: '',
    details: 'direct_response',
    headers: ['location', `${scheme}://${authority}${target}`],
  };
}

export function directReply(direct: Direct): LocalReply {
  const body =
    direct.bodyBase64 === undefined ? (direct.body ?? '') : Buffer.from(direct.bodyBase64, 'base64').toString('utf8');
  return { status: direct.status, body, details: 'direct_response' };
}
