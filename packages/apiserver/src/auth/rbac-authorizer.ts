import { isRecord, type KubeObject, type LabelSelector, labelSelectorOf, matchesLabels } from '@kind-e2e/kube-api';
import type { User } from '../options.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { NODE_RULES } from './node-rules.ts';
import { type AccessRequest, type PolicyRule, parseRules, ruleAllows } from './rbac-rules.ts';

const GROUP = 'rbac.authorization.k8s.io';
const SUPERUSERS = 'system:masters';
const NODES = 'system:nodes';

interface Grant {
  /** `clusterrole/<name>` or `role/<namespace>/<name>` */
  readonly role: string;
  /** Undefined for a ClusterRoleBinding: everywhere. */
  readonly namespace: string | undefined;
  readonly missing: string;
  /** `RBAC: allowed by …`, as access reviews show it. */
  readonly reason: string;
}

interface Policy {
  readonly roles: ReadonlyMap<string, readonly PolicyRule[]>;
  readonly grants: ReadonlyMap<string, readonly Grant[]>;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/**
 * RBAC from the stored roles and bindings, with two rules of its own: `system:masters` may do anything, and nodes what
 * kubelets need (the Node authorizer's part). The policy is compiled when it is first needed after a change.
 */
export class RbacAuthorizer {
  readonly #store: ObjectStore;
  #policy: Policy | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
    store.onChange(({ resource }) => {
      if (resource.startsWith(`${GROUP}/`)) this.#policy = undefined;
    });
  }

  authorize(user: User, request: AccessRequest): Decision {
    if (user.groups.includes(SUPERUSERS)) return { allowed: true, reason: '' };
    if (user.groups.includes(NODES) && NODE_RULES.some((rule) => ruleAllows(rule, request)))
      return { allowed: true, reason: '' };
    const problems: string[] = [];
    for (const { grant, rules } of this.#grantsOf(user, request.namespace)) {
      if (rules === undefined) problems.push(grant.missing);
      else if (rules.some((rule) => ruleAllows(rule, request))) return { allowed: true, reason: grant.reason };
    }
    return { allowed: false, reason: problems.length > 0 ? `RBAC: ${problemText(problems)}` : '' };
  }

  /** All rules that a user has in a namespace ('' for those of the cluster only). */
  rulesOf(user: User, namespace: string): PolicyRule[] {
    const own = user.groups.includes(SUPERUSERS)
      ? [
          { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
          { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
        ]
      : user.groups.includes(NODES)
        ? [...NODE_RULES]
        : [];
    return [...own, ...this.#grantsOf(user, namespace).flatMap(({ rules }) => rules ?? [])];
  }

  /** The rules of a role that a binding names; undefined where it does not exist. */
  rulesOfRole(kind: string, namespace: string, name: string): readonly PolicyRule[] | undefined {
    return this.#current().roles.get(roleKey(kind, namespace, name));
  }

  #grantsOf(user: User, namespace: string): { grant: Grant; rules: readonly PolicyRule[] | undefined }[] {
    const { grants, roles } = this.#current();
    const out: { grant: Grant; rules: readonly PolicyRule[] | undefined }[] = [];
    for (const subject of [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)])
      for (const grant of grants.get(subject) ?? [])
        if (grant.namespace === undefined || grant.namespace === namespace)
          out.push({ grant, rules: roles.get(grant.role) });
    return out;
  }

  #current(): Policy {
    this.#policy ??= compilePolicy(this.#store);
    return this.#policy;
  }
}

function problemText(problems: readonly string[]): string {
  const unique = [...new Set(problems)];
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
}

function roleKey(kind: string, namespace: string, name: string): string {
  return kind === 'ClusterRole' ? `clusterrole/${name}` : `role/${namespace}/${name}`;
}

/** Which roles a role takes its rules from as well. */
function aggregationSelectors(role: KubeObject): LabelSelector[] {
  const { aggregationRule } = role as Record<string, unknown>;
  const selectors = isRecord(aggregationRule) ? aggregationRule.clusterRoleSelectors : undefined;
  if (!Array.isArray(selectors)) return [];
  return selectors
    .filter(isRecord)
    .map((selector) => labelSelectorOf(selector) ?? [])
    .filter((selector) => selector.length > 0);
}

/** `describeSubject` */
function subjectText(subject: Readonly<Record<string, unknown>>, namespace: string): string {
  const place = subject.kind === 'ServiceAccount' ? `/${String(subject.namespace || namespace)}` : '';
  return `${String(subject.kind)} "${String(subject.name)}${place}"`;
}

function compilePolicy(store: ObjectStore): Policy {
  const roles = new Map<string, readonly PolicyRule[]>();
  const grants = new Map<string, Grant[]>();
  const rulesIn = (object: KubeObject): PolicyRule[] => parseRules((object as Record<string, unknown>).rules);
  const clusterRoles = [...store.collection(`${GROUP}/clusterroles`).records()];
  for (const record of clusterRoles) {
    const selectors = aggregationSelectors(record.object);
    const added = clusterRoles.filter(
      (other) => other !== record && selectors.some((selector) => matchesLabels(selector, other.labels)),
    );
    roles.set(
      roleKey('ClusterRole', '', record.name),
      [record, ...added].flatMap(({ object }) => rulesIn(object)),
    );
  }
  for (const record of store.collection(`${GROUP}/roles`).records())
    roles.set(roleKey('Role', record.namespace, record.name), rulesIn(record.object));
  const bind = (object: KubeObject, bindingName: string, namespace: string | undefined): void => {
    const { roleRef, subjects } = object as Record<string, unknown>;
    if (!isRecord(roleRef) || !Array.isArray(subjects)) return;
    const kind = String(roleRef.kind);
    const name = String(roleRef.name);
    const binding =
      namespace === undefined ? `ClusterRoleBinding "${bindingName}"` : `RoleBinding "${bindingName}/${namespace}"`;
    for (const subject of subjects.filter(isRecord)) {
      const grant: Grant = {
        role: roleKey(kind, namespace ?? '', name),
        namespace,
        missing: `${kind.toLowerCase()}.${GROUP} "${name}" not found`,
        reason: `RBAC: allowed by ${binding} of ${kind} "${name}" to ${subjectText(subject, namespace ?? '')}`,
      };
      const key =
        subject.kind === 'ServiceAccount'
          ? `User:system:serviceaccount:${String(subject.namespace ?? namespace ?? '')}:${String(subject.name)}`
          : `${String(subject.kind)}:${String(subject.name)}`;
      const known = grants.get(key);
      if (known) known.push(grant);
      else grants.set(key, [grant]);
    }
  };
  for (const record of store.collection(`${GROUP}/clusterrolebindings`).records())
    bind(record.object, record.name, undefined);
  for (const record of store.collection(`${GROUP}/rolebindings`).records())
    bind(record.object, record.name, record.namespace);
  return { roles, grants };
}
