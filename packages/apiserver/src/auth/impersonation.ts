import type { IncomingMessage } from 'node:http';
import { badRequest, forbidden, goQuote, isRecord } from '@kind-e2e/kube-api';
import type { User } from '../options.ts';
import type { RbacAuthorizer } from './rbac-authorizer.ts';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const AUTHENTICATED = 'system:authenticated';

/** The user that a request acts as (`kubectl --as`), where the one who asks may do so (endpoints/filters/impersonation). */
export function impersonatedUser(authorizer: RbacAuthorizer, user: User, request: IncomingMessage): User {
  const { headers } = request;
  const name = headers['impersonate-user'];
  const groups = listOf(headers['impersonate-group']);
  const extra = extraOf(headers);
  if (name === undefined || name === '') {
    if (groups.length > 0 || Object.keys(extra).length > 0 || headers['impersonate-uid'] !== undefined)
      throw badRequest(`requested ${JSON.stringify(groups)} without impersonating a user`);
    return user;
  }
  const target = String(name);
  const account = SERVICE_ACCOUNT.exec(target);
  const check = (group: string, resource: string, namespace: string, object: string): void => {
    const { allowed } = authorizer.authorize(user, {
      verb: 'impersonate',
      isResource: true,
      group,
      resource,
      subresource: '',
      name: object,
      namespace,
      path: '',
    });
    if (allowed) return;
    const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${goQuote(namespace)}`;
    throw forbidden(
      { group, resource },
      object,
      `User ${goQuote(user.name)} cannot impersonate resource ${goQuote(resource)} in API group ${goQuote(group)} ${where}`,
    );
  };
  if (account) check('', 'serviceaccounts', account[1] ?? '', account[2] ?? '');
  else check('', 'users', '', target);
  for (const group of groups) check('', 'groups', '', group);
  const own = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`] : [];
  const isAnonymous = target === 'system:anonymous';
  const all = groups.length > 0 ? groups : own;
  return {
    name: target,
    groups: isAnonymous || all.includes(AUTHENTICATED) ? all : [...all, AUTHENTICATED],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
    ...(typeof headers['impersonate-uid'] === 'string' ? { uid: headers['impersonate-uid'] } : {}),
  };
}

/** Node joins headers that come more than once with commas. */
function listOf(header: string | string[] | undefined): string[] {
  if (header === undefined) return [];
  return (Array.isArray(header) ? header : header.split(',')).map((one) => one.trim()).filter((one) => one !== '');
}

function extraOf(headers: IncomingMessage['headers']): Record<string, string[]> {
  if (!isRecord(headers)) return {};
  const prefix = 'impersonate-extra-';
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [decodeKey(name.slice(prefix.length)), listOf(value as string | string[] | undefined)]),
  );
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
