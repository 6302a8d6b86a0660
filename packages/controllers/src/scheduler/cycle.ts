import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import {
  filterNodeAffinity,
  filterPorts,
  filterResources,
  filterTaints,
  filterUnschedulable,
} from './filters/node-filters.ts';
import { type NamespaceLabels, PodAffinityFilter } from './filters/pod-affinity.ts';
import { TopologySpreadFilter } from './filters/topology-spread.ts';
import { VolumeFilter, type VolumeView } from './filters/volumes.ts';
import type { NodeState } from './node-state.ts';
import type { Rejection } from './rejection.ts';

export interface CycleOptions {
  readonly pod: Pod;
  readonly nodes: readonly NodeState[];
  readonly volumes: VolumeView;
  readonly namespaceLabels: NamespaceLabels;
  /** Pods with a higher or equal priority that will run on a node once its victims are gone. */
  readonly nominatedTo?: (node: NodeState) => readonly Pod[];
}

/** One try to place one pod: which nodes can take it, and why the others cannot. */
export class Cycle {
  readonly volumes: VolumeFilter;
  readonly #options: CycleOptions;
  readonly #affinity: PodAffinityFilter;
  readonly #spread: TopologySpreadFilter;

  constructor(options: CycleOptions) {
    this.#options = options;
    this.volumes = new VolumeFilter(options.pod, options.volumes);
    this.#affinity = new PodAffinityFilter(options.pod, options.nodes, options.namespaceLabels);
    this.#spread = new TopologySpreadFilter(options.pod, options.nodes);
  }

  /** Why the node cannot take the pod, by the first filter that says no, in upstream's order. */
  reject(node: NodeState): Rejection | undefined {
    const { pod, nominatedTo } = this.#options;
    const nominated = nominatedTo?.(node) ?? [];
    if (nominated.length > 0) {
      const fuller = node.copy();
      for (const other of nominated) fuller.add(other);
      const rejection = this.#reject(pod, fuller);
      if (rejection) return rejection;
    }
    return this.#reject(pod, node);
  }

  #reject(pod: Pod, node: NodeState): Rejection | undefined {
    return (
      filterUnschedulable(pod, node) ??
      filterTaints(pod, node) ??
      filterNodeAffinity(pod, node) ??
      filterPorts(pod, node) ??
      filterResources(pod, node) ??
      this.volumes.filter(node) ??
      this.#spread.filter(node) ??
      this.#affinity.filter(node)
    );
  }

  /** The same question with other pods on one node, as preemption asks it. */
  with(node: NodeState): Cycle {
    const nodes = this.#options.nodes.map((other) => (other.name === node.name ? node : other));
    return new Cycle({ ...this.#options, nodes });
  }
}
