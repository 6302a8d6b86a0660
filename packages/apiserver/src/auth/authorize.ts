import { forbidden, goQuote } from '@kind-e2e/kube-api';
import type { RequestInfo } from '../http/request-info.ts';
import type { User } from '../options.ts';
import type { RbacAuthorizer } from './rbac-authorizer.ts';
import type { AccessRequest } from './rbac-rules.ts';

/** Paths that are open to everybody, with and without a name (`--authorization-always-allow-paths` and more). */
const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/livez']);

/** Throws 403 in the words of apiserver's `responsewriters.Forbidden`. */
export function authorizeRequest(authorizer: RbacAuthorizer, user: User, info: RequestInfo): void {
  if (!info.isResource && ALWAYS_ALLOWED.has(info.path)) return;
  const request = accessOf(info);
  const { allowed, reason } = authorizer.authorize(user, request);
  if (allowed) return;
  throw forbiddenError(user, request, reason);
}

export function accessOf(info: RequestInfo): AccessRequest {
  return {
    verb: info.verb,
    isResource: info.isResource,
    group: info.group,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    namespace: info.namespace,
    path: info.path,
  };
}

function forbiddenError(user: User, request: AccessRequest, reason: string): Error {
  const who = goQuote(user.name);
  const why = reason === '' ? '' : `: ${reason}`;
  if (!request.isResource)
    return forbidden(
      { group: '', resource: '' },
      '',
      `User ${who} cannot ${request.verb} path ${goQuote(request.path)}${why}`,
    );
  const what = request.subresource === '' ? request.resource : `${request.resource}/${request.subresource}`;
  const where = request.namespace === '' ? 'at the cluster scope' : `in the namespace ${goQuote(request.namespace)}`;
  return forbidden(
    { group: request.group, resource: request.resource },
    request.name,
    `User ${who} cannot ${request.verb} resource ${goQuote(what)} in API group ${goQuote(request.group)} ${where}${why}`,
  );
}
