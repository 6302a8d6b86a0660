import type { NodeSelector, NodeSelectorTerm, Pod, Taint, Toleration } from 'kubernetes-types/core/v1.d.ts';
import type { NodeState } from './node-state.ts';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Whether `spec.nodeSelector` and the required node affinity allow the node (component-helpers nodeaffinity). */
export function matchesNodeAffinity(pod: Pod, node: NodeState): boolean {
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) if (node.labels[key] !== value) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
}

/** One term is enough; a selector without terms matches nothing. */
export function matchesNodeSelector(selector: NodeSelector, node: NodeState): boolean {
  return (selector.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node));
}

/** All expressions of a term must hold; an empty term matches nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: NodeState): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((expression) => matchesRequirement(expression, node.labels[expression.key])) &&
    fields.every((field) => field.key === 'metadata.name' && matchesRequirement(field, node.name))
  );
}

function matchesRequirement({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return isInteger(value) && isInteger(values[0]) && Number(value) > Number(values[0]);
    case 'Lt':
      return isInteger(value) && isInteger(values[0]) && Number(value) < Number(values[0]);
  }
  return false;
}

function isInteger(text: string | undefined): boolean {
  return text !== undefined && /^-?\d+$/.test(text);
}

/** Whether one of the tolerations takes the taint (v1helper.ToleratesTaint). */
export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some((toleration) => {
    if (toleration.effect && toleration.effect !== taint.effect) return false;
    if (toleration.key && toleration.key !== taint.key) return false;
    const operator = toleration.operator || 'Equal';
    if (operator === 'Exists') return true;
    return operator === 'Equal' && !!toleration.key && (toleration.value ?? '') === (taint.value ?? '');
  });
}

/** The first taint that keeps the pod away. */
export function untoleratedTaint(pod: Pod, taints: readonly Taint[] | undefined): Taint | undefined {
  return (taints ?? []).find(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerates(pod.spec?.tolerations, taint),
  );
}
