import type { DaemonSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Node, NodeSelectorTerm, Pod, Toleration } from 'kubernetes-types/core/v1.d.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import { CONTROLLER_REVISION_HASH } from '../revisions/controller-revisions.ts';
import { matchesNodeAffinity, tolerates, untoleratedTaint } from '../scheduler/node-selection.ts';
import { NodeState } from '../scheduler/node-state.ts';

export const DAEMONSET_KIND = { apiVersion: 'apps/v1', kind: 'DaemonSet' };

export const TEMPLATE_GENERATION = 'pod-template-generation';

/** What daemon pods tolerate without being told (daemon_controller_utils AddOrUpdateDaemonPodTolerations). */
const TOLERATIONS: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const NETWORK_TOLERATION: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

/** The pod of a node, bound to it by affinity so that the scheduler places it there. */
export function daemonPod(set: DaemonSet, nodeName: string, hash: string): Pod {
  const pod = podFromTemplate(set.spec?.template ?? {}, set, DAEMONSET_KIND);
  if (!pod.spec) return pod;
  const affinity = pod.spec.affinity ?? {};
  const field = { key: 'metadata.name', operator: 'In', values: [nodeName] };
  const required = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms: NodeSelectorTerm[] = required
    ? required.nodeSelectorTerms.map((term) => ({ ...term, matchFields: [field] }))
    : [{ matchFields: [field] }];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata?.labels,
        [CONTROLLER_REVISION_HASH]: hash,
        [TEMPLATE_GENERATION]: templateGeneration(set),
      },
    },
    spec: {
      ...pod.spec,
      affinity: {
        ...affinity,
        nodeAffinity: {
          ...affinity.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
        },
      },
      tolerations: tolerationsOf(pod),
    },
  };
}

export function templateGeneration(set: DaemonSet): string {
  return set.metadata?.annotations?.['deprecated.daemonset.template.generation'] ?? '1';
}

function tolerationsOf(pod: Pod): Toleration[] {
  const added = pod.spec?.hostNetwork ? [...TOLERATIONS, NETWORK_TOLERATION] : TOLERATIONS;
  const own = (pod.spec?.tolerations ?? []).filter(
    (toleration) =>
      !added.some(
        (other) =>
          other.key === toleration.key && other.effect === toleration.effect && toleration.operator === 'Exists',
      ),
  );
  return [...own, ...added];
}

/** The node that a pod of a DaemonSet is on or bound to. */
export function nodeNameOf(pod: Pod): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  for (const term of terms ?? [])
    for (const field of term.matchFields ?? [])
      if (field.key === 'metadata.name' && field.operator === 'In' && field.values?.[0]) return field.values[0];
  return '';
}

/** Whether a node should have a pod of the set, and whether one that is there may stay (NodeShouldRunDaemonPod). */
export function nodeFits(set: DaemonSet, node: Node): { readonly shouldRun: boolean; readonly mayStay: boolean } {
  const template: Pod = { ...(set.spec?.template.spec ? { spec: set.spec.template.spec } : {}) };
  const nodeName = template.spec?.nodeName;
  if (nodeName && nodeName !== node.metadata?.name) return { shouldRun: false, mayStay: false };
  const state = new NodeState(node);
  if (!matchesNodeAffinity(template, state)) return { shouldRun: false, mayStay: false };
  const tolerations = tolerationsOf(template);
  const tolerant: Pod = template.spec ? { spec: { ...template.spec, tolerations } } : {};
  if (!untoleratedTaint(tolerant, node.spec?.taints)) return { shouldRun: true, mayStay: true };
  const mustGo = (node.spec?.taints ?? []).some(
    (taint) => taint.effect === 'NoExecute' && !tolerates(tolerations, taint),
  );
  return { shouldRun: false, mayStay: !mustGo };
}
