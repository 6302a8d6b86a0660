import { isRecord, type KubeObject, labelSelectorOf, matchesLabels } from '@kind-e2e/kube-api';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { AdmissionAttributes } from '../admission-chain.ts';
import { type Json, recordsIn } from '../pod-parts.ts';

const POLICY_KINDS = /^admissionregistration\.k8s\.io\/(validating|mutating)admissionpolic(ies|ybindings)$/;

/** Kinds that policies say nothing of, so that nobody locks themselves out (`policy.isPolicyResource`). */
export function isPolicyKind({ resource }: AdmissionAttributes): boolean {
  return POLICY_KINDS.test(resource.collection);
}

/** True where a policy or binding speaks of a write (`plugin/policy/matching`). */
export function matchesResources(store: ObjectStore, match: Json, attributes: AdmissionAttributes): boolean {
  const rules = recordsIn(match, 'resourceRules');
  if (rules.length > 0 && !rules.some((rule) => matchesRule(rule, attributes))) return false;
  if (recordsIn(match, 'excludeResourceRules').some((rule) => matchesRule(rule, attributes))) return false;
  return (
    matchesNamespace(store, match.namespaceSelector, attributes) && matchesObject(match.objectSelector, attributes)
  );
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

export function matchesRule(
  rule: Json,
  { resource, operation, subresource, object, old }: AdmissionAttributes,
): boolean {
  const { group, plural, namespaced } = resource.definition;
  const accepts = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);
  if (!accepts(strings(rule.operations), operation) || !accepts(strings(rule.apiGroups), group)) return false;
  // Versions of one object are the same object to a policy (matchPolicy Equivalent), and ours differ in little else.
  if (rule.scope === 'Cluster' && namespaced) return false;
  if (rule.scope === 'Namespaced' && !namespaced) return false;
  const names = strings(rule.resourceNames);
  const name = object.metadata?.name ?? old?.metadata?.name ?? '';
  if (names.length > 0 && !names.includes(name)) return false;
  return strings(rule.resources).some((entry) => {
    const [wanted = '', part = ''] = entry.split('/');
    const fits = wanted === '*' || wanted === plural;
    return fits && (part === '*' || part === subresource);
  });
}

export function matchesNamespace(
  store: ObjectStore,
  selector: unknown,
  { resource, object }: AdmissionAttributes,
): boolean {
  if (!isRecord(selector)) return true;
  const { namespaced, group, plural } = resource.definition;
  if (!namespaced && !(group === '' && plural === 'namespaces')) return true;
  const labels = namespaced
    ? store.collection('namespaces').get('', object.metadata?.namespace ?? '')?.labels
    : object.metadata?.labels;
  return matchesLabels(labelSelectorOf(selector), labels ?? {});
}

export function matchesObject(selector: unknown, { object, old }: AdmissionAttributes): boolean {
  if (!isRecord(selector)) return true;
  const wanted = labelSelectorOf(selector);
  const fits = (one: KubeObject | undefined): boolean =>
    one !== undefined && matchesLabels(wanted, one.metadata?.labels ?? {});
  return fits(object) || fits(old);
}
