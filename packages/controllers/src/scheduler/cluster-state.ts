import { Disposer } from '@kind-e2e/base';
import type { Informer } from '@kind-e2e/kube-client';
import type { Node, Pod } from 'kubernetes-types/core/v1.d.ts';
import { isSameJson } from '../equality.ts';
import { isPodTerminal } from '../pods/pod-state.ts';
import { NodeState } from './node-state.ts';

/** Nodes and the pods on them, kept up by events and by what the scheduler assumes (upstream scheduler cache). */
export class ClusterState implements AsyncDisposable {
  readonly #nodes = new Map<string, NodeState>();
  /** Pods of nodes that are not known yet, and where every pod is counted. */
  readonly #nodeOfPod = new Map<string, string>();
  readonly #strays = new Map<string, Map<string, Pod>>();
  readonly #disposer = new Disposer();

  /** `onChange` is told what happened, so that pods that did not fit can be tried again. */
  constructor(nodes: Informer<Node>, pods: Informer<Pod>, onChange: () => void) {
    this.#disposer.use(
      nodes.addHandler({
        added: (node) => {
          this.#setNode(node);
          onChange();
        },
        updated: (before, after) => {
          this.#setNode(after);
          if (schedulingFacts(before) !== schedulingFacts(after)) onChange();
        },
        deleted: (node) => {
          this.#dropNode(node);
          onChange();
        },
      }),
    );
    this.#disposer.use(
      pods.addHandler({
        added: (pod) => this.#setPod(pod),
        updated: (before, after) => {
          this.#setPod(after);
          if (!after.spec?.nodeName) return;
          const isFreed = isPodTerminal(after) && !isPodTerminal(before);
          if (isFreed || !before.spec?.nodeName || !isSameJson(before.metadata?.labels, after.metadata?.labels))
            onChange();
        },
        deleted: (pod) => {
          this.#dropPod(pod.metadata?.uid ?? '');
          if (pod.spec?.nodeName) onChange();
        },
      }),
    );
  }

  /** All nodes, by name. */
  get nodes(): readonly NodeState[] {
    return [...this.#nodes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  node(name: string): NodeState | undefined {
    return this.#nodes.get(name);
  }

  /** Counts a pod on a node before the server says so. */
  assume(pod: Pod, nodeName: string): void {
    this.#place({ ...pod, ...(pod.spec ? { spec: { ...pod.spec, nodeName } } : {}) }, nodeName);
  }

  /** Takes back an assumption that did not come true. */
  forget(uid: string): void {
    this.#dropPod(uid);
  }

  isPlaced(uid: string): boolean {
    return this.#nodeOfPod.has(uid);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposer[Symbol.asyncDispose]();
  }

  #setNode(node: Node): void {
    const name = node.metadata?.name ?? '';
    const known = this.#nodes.get(name);
    const state = known ? known.copy(node) : new NodeState(node, this.#strays.get(name)?.values() ?? []);
    this.#strays.delete(name);
    this.#nodes.set(name, state);
  }

  #dropNode(node: Node): void {
    const name = node.metadata?.name ?? '';
    const known = this.#nodes.get(name);
    this.#nodes.delete(name);
    if (known && known.podCount > 0)
      this.#strays.set(name, new Map(known.pods.map((pod) => [pod.metadata?.uid ?? '', pod])));
  }

  #setPod(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    if (isPodTerminal(pod)) this.#dropPod(uid);
    else if (pod.spec?.nodeName) this.#place(pod, pod.spec.nodeName);
  }

  #place(pod: Pod, nodeName: string): void {
    const uid = pod.metadata?.uid ?? '';
    const before = this.#nodeOfPod.get(uid);
    if (before !== undefined && before !== nodeName) this.#dropPod(uid);
    this.#nodeOfPod.set(uid, nodeName);
    const state = this.#nodes.get(nodeName);
    if (state) {
      state.add(pod);
      return;
    }
    const strays = this.#strays.get(nodeName) ?? new Map<string, Pod>();
    strays.set(uid, pod);
    this.#strays.set(nodeName, strays);
  }

  #dropPod(uid: string): void {
    const nodeName = this.#nodeOfPod.get(uid);
    if (nodeName === undefined) return;
    this.#nodeOfPod.delete(uid);
    this.#nodes.get(nodeName)?.remove(uid);
    this.#strays.get(nodeName)?.delete(uid);
  }
}

/** What of a node decides whether a pod fits; heartbeats change nothing of it. */
function schedulingFacts(node: Node): string {
  return JSON.stringify([
    node.spec?.unschedulable,
    node.spec?.taints,
    node.metadata?.labels,
    node.status?.allocatable,
    node.status?.conditions?.map(({ type, status }) => [type, status]),
  ]);
}
