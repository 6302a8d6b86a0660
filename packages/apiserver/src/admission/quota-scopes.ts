import { isRecord, type KubeObject, qosClassOf } from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import { type Json, recordsIn } from './pod-parts.ts';

/** Whether a quota with scopes counts an object (quota/v1/evaluator/core). Scopes are about pods only. */
export function inScopes(quotaSpec: Json, collection: string, object: KubeObject): boolean {
  const scopes = Array.isArray(quotaSpec.scopes) ? quotaSpec.scopes : [];
  const selector = isRecord(quotaSpec.scopeSelector) ? recordsIn(quotaSpec.scopeSelector, 'matchExpressions') : [];
  if (scopes.length === 0 && selector.length === 0) return true;
  if (collection !== 'pods') return false;
  return (
    scopes.every((scope) => podInScope(object, { scopeName: scope, operator: 'Exists' })) &&
    selector.every((expression) => podInScope(object, expression))
  );
}

function podInScope(pod: KubeObject, { scopeName, operator, values }: Json): boolean {
  const spec = sectionOf(pod, 'spec');
  const isTerminating = typeof spec.activeDeadlineSeconds === 'number' && spec.activeDeadlineSeconds >= 0;
  const isBestEffort = qosClassOf(pod as Json) === 'BestEffort';
  switch (scopeName) {
    case 'Terminating':
      return isTerminating;
    case 'NotTerminating':
      return !isTerminating;
    case 'BestEffort':
      return isBestEffort;
    case 'NotBestEffort':
      return !isBestEffort;
    case 'PriorityClass':
      return classMatches(spec.priorityClassName, operator, values);
    case 'CrossNamespacePodAffinity':
      return JSON.stringify(spec.affinity ?? {}).includes('"namespace');
    default:
      return false;
  }
}

function classMatches(name: unknown, operator: unknown, values: unknown): boolean {
  const isNamed = typeof name === 'string' && name !== '';
  const listed = Array.isArray(values) && values.includes(name);
  switch (operator) {
    case 'In':
      return isNamed && listed;
    case 'NotIn':
      return !listed;
    case 'DoesNotExist':
      return !isNamed;
    default:
      return isNamed;
  }
}
