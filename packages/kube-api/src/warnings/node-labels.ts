/** Labels of nodes that are no longer used, where selectors name them (`pkg/api/node/util.go`). */
import { isLabelValue } from '../validation/names.ts';
import { listAt, recordAt, recordsAt, stringAt, stringMapAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';

const DEPRECATED: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

/** What to use instead of a node's label; undefined where it is good. */
export function nodeLabelProblem(key: string): string | undefined {
  return Object.hasOwn(DEPRECATED, key) ? DEPRECATED[key] : undefined;
}

/** The keys of a map of labels that are deprecated, with what is said of them. */
export function deprecatedKeys(labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.keys(labels).flatMap((key) => {
    const problem = nodeLabelProblem(key);
    return problem === undefined ? [] : [[key, problem] as const];
  });
}

/** `GetWarningsForNodeSelectorTerm`. */
export function nodeTermWarnings(term: JsonRecord | undefined, field: string, checksValues: boolean): string[] {
  const out: string[] = [];
  for (const [index, expression] of recordsAt(term, 'matchExpressions').entries()) {
    const path = `${field}.matchExpressions[${index}]`;
    const key = stringAt(expression, 'key');
    const problem = nodeLabelProblem(key);
    if (problem !== undefined) out.push(`${path}.key: ${key} is ${problem}`);
    if (!checksValues) continue;
    for (const [at, value] of listAt(expression, 'values').entries())
      for (const text of isLabelValue(String(value)))
        out.push(`${path}.values[${at}]: ${String(value)} is invalid, ${text}`);
  }
  return out;
}

/** `GetWarningsForNodeSelector`, of a label selector. */
export function nodeSelectorWarnings(selector: JsonRecord | undefined, field: string): string[] {
  return [
    ...nodeTermWarnings(selector, field, false),
    ...deprecatedKeys(stringMapAt(selector, 'matchLabels')).map(
      ([key, problem]) => `${field}.matchLabels.${key}: ${problem}`,
    ),
  ];
}

/** Node affinity of a pod. */
export function nodeAffinityWarnings(spec: JsonRecord, field: string): string[] {
  const affinity = recordAt(recordAt(spec, 'affinity'), 'nodeAffinity');
  const path = `${field}.affinity.nodeAffinity`;
  const required = recordsAt(recordAt(affinity, 'requiredDuringSchedulingIgnoredDuringExecution'), 'nodeSelectorTerms');
  const preferred = recordsAt(affinity, 'preferredDuringSchedulingIgnoredDuringExecution');
  return [
    ...required.flatMap((term, index) =>
      nodeTermWarnings(
        term,
        `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`,
        false,
      ),
    ),
    ...preferred.flatMap((term, index) =>
      nodeTermWarnings(
        recordAt(term, 'preference'),
        `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`,
        true,
      ),
    ),
  ];
}
