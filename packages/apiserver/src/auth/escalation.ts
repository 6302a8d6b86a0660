import { forbidden, isRecord, type KubeObject, notFound } from '@kind-e2e/kube-api';
import type { AdmissionPlugin } from '../admission/admission-chain.ts';
import { groupResourceOf } from '../operations/object-identity.ts';
import type { User } from '../options.ts';
import type { RbacAuthorizer } from './rbac-authorizer.ts';
import { type PolicyRule, parseRules } from './rbac-rules.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES: ReadonlySet<string> = new Set([`${GROUP}/roles`, `${GROUP}/clusterroles`]);
const BINDINGS: ReadonlySet<string> = new Set([`${GROUP}/rolebindings`, `${GROUP}/clusterrolebindings`]);

/** Nobody gives others what he has not himself, unless he may `escalate` or `bind` (registry/rbac `policybased`). */
export function escalationCheck(authorizer: RbacAuthorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    validate({ resource, operation, object, user }) {
      if (operation === 'DELETE' || user.groups.includes('system:masters')) return;
      const namespace = object.metadata?.namespace ?? '';
      const may = (verb: string, plural: string, name: string): boolean =>
        authorizer.authorize(user, {
          verb,
          isResource: true,
          group: GROUP,
          resource: plural,
          subresource: '',
          name,
          namespace,
          path: '',
        }).allowed;
      let granted: readonly PolicyRule[] | undefined;
      if (ROLES.has(resource.collection)) {
        if (may('escalate', resource.definition.plural, object.metadata?.name ?? '')) return;
        granted = parseRules((object as Record<string, unknown>).rules);
      } else if (BINDINGS.has(resource.collection)) {
        const { kind, name } = roleOf(object);
        if (may('bind', kind === 'ClusterRole' ? 'clusterroles' : 'roles', name)) return;
        granted = authorizer.rulesOfRole(kind, namespace, name);
        if (!granted)
          throw notFound({ group: GROUP, resource: kind === 'ClusterRole' ? 'clusterroles' : 'roles' }, name);
      } else return;
      const missing = granted.flatMap(singles).filter((rule) => !covered(authorizer.rulesOf(user, namespace), rule));
      if (missing.length === 0) return;
      throw forbidden(groupResourceOf(resource), object.metadata?.name ?? '', problemText(user, missing));
    },
  };
}

function roleOf(binding: KubeObject): { kind: string; name: string } {
  const { roleRef } = binding as Record<string, unknown>;
  return isRecord(roleRef) ? { kind: String(roleRef.kind), name: String(roleRef.name) } : { kind: '', name: '' };
}

/** A rule as rules of one verb on one thing each. */
function singles(rule: PolicyRule): PolicyRule[] {
  const one: PolicyRule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };
  return rule.verbs.flatMap((verb) => [
    ...rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) =>
        (rule.resourceNames.length > 0 ? rule.resourceNames : [undefined]).map((name) => ({
          ...one,
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          resourceNames: name === undefined ? [] : [name],
        })),
      ),
    ),
    ...rule.nonResourceURLs.map((url) => ({ ...one, verbs: [verb], nonResourceURLs: [url] })),
  ]);
}

function covered(own: readonly PolicyRule[], wanted: PolicyRule): boolean {
  const has = (list: readonly string[], value: string | undefined): boolean =>
    value === undefined || list.includes('*') || list.includes(value);
  return own.some((rule) => {
    if (!has(rule.verbs, wanted.verbs[0])) return false;
    const [url] = wanted.nonResourceURLs;
    if (url !== undefined)
      return rule.nonResourceURLs.some(
        (mine) => mine === '*' || mine === url || (mine.endsWith('*') && url.startsWith(mine.slice(0, -1))),
      );
    const [resource = ''] = wanted.resources;
    const [, subresource] = resource.split('/');
    const hasResource =
      has(rule.resources, resource) || (subresource !== undefined && rule.resources.includes(`*/${subresource}`));
    const [name] = wanted.resourceNames;
    const hasName = rule.resourceNames.length === 0 || (name !== undefined && rule.resourceNames.includes(name));
    return has(rule.apiGroups, wanted.apiGroups[0]) && hasResource && hasName;
  });
}

function problemText(user: User, missing: readonly PolicyRule[]): string {
  const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
  const rules = missing.map((rule) => {
    const parts = [
      ...(rule.apiGroups.length > 0 ? [`APIGroups:${list(rule.apiGroups)}`] : []),
      ...(rule.resources.length > 0 ? [`Resources:${list(rule.resources)}`] : []),
      ...(rule.resourceNames.length > 0 ? [`ResourceNames:${list(rule.resourceNames)}`] : []),
      ...(rule.nonResourceURLs.length > 0 ? [`NonResourceURLs:${list(rule.nonResourceURLs)}`] : []),
      `Verbs:${list(rule.verbs)}`,
    ];
    return `{${parts.join(', ')}}`;
  });
  return `user ${JSON.stringify(user.name)} (groups=${list(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${rules.join('\n')}`;
}
