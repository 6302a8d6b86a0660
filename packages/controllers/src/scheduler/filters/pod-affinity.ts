import type { Pod, PodAffinityTerm } from 'kubernetes-types/core/v1.d.ts';
import { selects } from '../../ownership/selectors.ts';
import type { NodeState } from '../node-state.ts';
import { type Rejection, resolvable, unresolvable } from '../rejection.ts';

export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** Whether a term, written in a pod of `namespace`, means `other` (framework.AffinityTerm.Matches). */
export function termMatches(
  term: PodAffinityTerm,
  namespace: string,
  other: Pod,
  namespaceLabels: NamespaceLabels,
): boolean {
  const otherNamespace = other.metadata?.namespace ?? '';
  const isListed = (term.namespaces ?? []).includes(otherNamespace);
  const isOwn = !term.namespaces?.length && !term.namespaceSelector && otherNamespace === namespace;
  const isSelected =
    term.namespaceSelector !== undefined && selects(term.namespaceSelector, namespaceLabels(otherNamespace));
  return (isListed || isOwn || isSelected) && selects(term.labelSelector, other.metadata?.labels);
}

export function requiredAffinity(pod: Pod): readonly PodAffinityTerm[] {
  return pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

export function requiredAntiAffinity(pod: Pod): readonly PodAffinityTerm[] {
  return pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

/** What one pod's required affinities mean, counted over the cluster once and asked for each node. */
export class PodAffinityFilter {
  readonly #pod: Pod;
  readonly #affinity: readonly PodAffinityTerm[];
  readonly #antiAffinity: readonly PodAffinityTerm[];
  /** Topology values (`key=value`) with a pod that matches all affinity terms, per term's key. */
  readonly #affine = new Set<string>();
  readonly #hostile = new Set<string>();
  readonly #hostileToUs = new Set<string>();

  constructor(pod: Pod, nodes: readonly NodeState[], namespaceLabels: NamespaceLabels) {
    this.#pod = pod;
    this.#affinity = requiredAffinity(pod);
    this.#antiAffinity = requiredAntiAffinity(pod);
    const namespace = pod.metadata?.namespace ?? '';
    for (const node of nodes)
      for (const other of node.pods) {
        if (this.#affinity.length > 0 && this.#affinity.every((t) => termMatches(t, namespace, other, namespaceLabels)))
          for (const term of this.#affinity) note(this.#affine, term, node);
        for (const term of this.#antiAffinity)
          if (termMatches(term, namespace, other, namespaceLabels)) note(this.#hostile, term, node);
        for (const term of requiredAntiAffinity(other))
          if (termMatches(term, other.metadata?.namespace ?? '', pod, namespaceLabels))
            note(this.#hostileToUs, term, node);
      }
    const matchesItself = this.#affinity.every((term) => termMatches(term, namespace, pod, namespaceLabels));
    this.#isFirstOfItsKind = this.#affine.size === 0 && matchesItself;
  }

  readonly #isFirstOfItsKind: boolean;

  /** Upstream plugin InterPodAffinity. */
  filter(node: NodeState): Rejection | undefined {
    if (!this.#fitsAffinity(node)) return unresolvable("node(s) didn't match pod affinity rules");
    if (this.#antiAffinity.some((term) => this.#hostile.has(topologyOf(term, node) ?? '')))
      return resolvable("node(s) didn't match pod anti-affinity rules");
    for (const entry of this.#hostileToUs) {
      const [key = ''] = entry.split('=', 1);
      if (entry === `${key}=${node.labels[key]}`)
        return resolvable("node(s) didn't satisfy existing pods anti-affinity rules");
    }
    return undefined;
  }

  #fitsAffinity(node: NodeState): boolean {
    if (this.#affinity.length === 0) return true;
    if (this.#affinity.some((term) => topologyOf(term, node) === undefined)) return false;
    if (this.#affinity.every((term) => this.#affine.has(topologyOf(term, node) ?? ''))) return true;
    // The first pod of a group that wants to be together must be allowed somewhere.
    return this.#isFirstOfItsKind && this.#pod.metadata !== undefined;
  }
}

function topologyOf(term: PodAffinityTerm, node: NodeState): string | undefined {
  const value = node.labels[term.topologyKey];
  return value === undefined ? undefined : `${term.topologyKey}=${value}`;
}

function note(set: Set<string>, term: PodAffinityTerm, node: NodeState): void {
  const topology = topologyOf(term, node);
  if (topology !== undefined) set.add(topology);
}
