import { isRecord } from '@kind-e2e/kube-api';

/** rbac/v1 PolicyRule with all lists in place. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** What somebody wants to do, to a resource or to a path. */
export interface AccessRequest {
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** '' for the cluster. */
  readonly namespace: string;
  readonly path: string;
}

export function parseRules(rules: unknown): PolicyRule[] {
  if (!Array.isArray(rules)) return [];
  return rules.filter(isRecord).map((rule) => ({
    verbs: strings(rule.verbs),
    apiGroups: strings(rule.apiGroups),
    resources: strings(rule.resources),
    resourceNames: strings(rule.resourceNames),
    nonResourceURLs: strings(rule.nonResourceURLs),
  }));
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** Whether a rule allows a request (`rbac.RuleAllows`). */
export function ruleAllows(rule: PolicyRule, request: AccessRequest): boolean {
  if (!rule.verbs.includes(request.verb) && !rule.verbs.includes('*')) return false;
  if (!request.isResource) return rule.nonResourceURLs.some((url) => pathMatches(url, request.path));
  if (!rule.apiGroups.includes(request.group) && !rule.apiGroups.includes('*')) return false;
  if (!resourceMatches(rule.resources, request.resource, request.subresource)) return false;
  return rule.resourceNames.length === 0 || rule.resourceNames.includes(request.name);
}

export function resourceMatches(allowed: readonly string[], resource: string, subresource: string): boolean {
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return allowed.some((one) => one === '*' || one === combined || (subresource !== '' && one === `*/${subresource}`));
}

function pathMatches(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1));
}
