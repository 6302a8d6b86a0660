import type { Node, Pod } from 'kubernetes-types/core/v1.d.ts';
import { type Amounts, allocatableOf, requestsOf } from './requests.ts';

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** The ports of the node itself that a pod takes. */
export function hostPortsOf(pod: Pod): HostPort[] {
  const ports: HostPort[] = [];
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
    for (const { hostPort, hostIP, protocol } of container.ports ?? [])
      if (hostPort) ports.push({ port: hostPort, ip: hostIP ?? '0.0.0.0', protocol: protocol ?? 'TCP' });
  return ports;
}

/** A node with the pods on it, those included that are only assumed to be there because their binding is under way. */
export class NodeState {
  readonly node: Node;
  readonly #pods: Map<string, Pod>;
  readonly #requested = new Map<string, number>();
  nonZeroCpu = 0;
  nonZeroMemory = 0;

  constructor(node: Node, pods: Iterable<Pod> = []) {
    this.node = node;
    this.#pods = new Map();
    for (const pod of pods) this.add(pod);
  }

  get name(): string {
    return this.node.metadata?.name ?? '';
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node.metadata?.labels ?? {};
  }

  get pods(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  get podCount(): number {
    return this.#pods.size;
  }

  get allocatable(): Amounts {
    return allocatableOf(this.node);
  }

  requested(resource: string): number {
    return this.#requested.get(resource) ?? 0;
  }

  has(uid: string): boolean {
    return this.#pods.has(uid);
  }

  add(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    this.remove(uid);
    this.#pods.set(uid, pod);
    this.#count(pod, 1);
  }

  remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (!pod) return;
    this.#pods.delete(uid);
    this.#count(pod, -1);
  }

  /** The same pods on a newer version of the node, or fewer of them. */
  copy(node: Node = this.node, without: ReadonlySet<Pod> = new Set()): NodeState {
    return new NodeState(
      node,
      this.pods.filter((pod) => !without.has(pod)),
    );
  }

  #count(pod: Pod, sign: 1 | -1): void {
    const requests = requestsOf(pod);
    for (const [resource, amount] of requests.amounts)
      this.#requested.set(resource, (this.#requested.get(resource) ?? 0) + sign * amount);
    this.nonZeroCpu += sign * requests.nonZeroCpu;
    this.nonZeroMemory += sign * requests.nonZeroMemory;
  }
}
