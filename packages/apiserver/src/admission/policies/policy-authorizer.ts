import type { CelAccess, CelAuthorizer } from '@kind-e2e/kube-api';
import type { RbacAuthorizer } from '../../auth/rbac-authorizer.ts';
import type { User } from '../../options.ts';

/** `authorizer` in an expression: asks RBAC for one user (`apiserver/pkg/cel/library/authz.go`). */
export function authorizerFor(authorizer: RbacAuthorizer, user: User): CelAuthorizer {
  return {
    decide: ({ path, ...resource }: CelAccess, verb) =>
      authorizer.authorize(user, { ...resource, verb, isResource: path === undefined, path: path ?? '' }),
    serviceAccount: (namespace, name) =>
      authorizerFor(authorizer, {
        name: `system:serviceaccount:${namespace}:${name}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      }),
  };
}
