import type { OwnerReference } from '@kind-e2e/kube-api';
import type { ApiObject } from '@kind-e2e/kube-client';
import type { ServedResource } from '../discovery/served-resources.ts';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/** What the collector knows of one object. */
export interface GraphNode {
  readonly resource: ServedResource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly owners: readonly OwnerReference[];
  readonly isDeleting: boolean;
  /** Has the finalizer `foregroundDeletion` while it is being deleted: its dependents go first. */
  readonly isForeground: boolean;
  /** Has the finalizer `orphan` while it is being deleted: its dependents are let go. */
  readonly isOrphaning: boolean;
}

export function graphNodeOf(object: ApiObject, resource: ServedResource): GraphNode {
  const {
    namespace,
    name = '',
    uid = '',
    ownerReferences = [],
    finalizers = [],
    deletionTimestamp,
  } = object.metadata ?? {};
  const isDeleting = deletionTimestamp !== undefined;
  return {
    resource,
    namespace,
    name,
    uid,
    owners: ownerReferences,
    isDeleting,
    isForeground: isDeleting && finalizers.includes(FOREGROUND),
    isOrphaning: isDeleting && finalizers.includes(ORPHAN),
  };
}

/** Who owns whom, by uid (upstream garbagecollector/graph.go). */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** Puts a node in and gives back what was there. */
  set(node: GraphNode): GraphNode | undefined {
    const before = this.#nodes.get(node.uid);
    if (before) this.#unlink(before);
    this.#nodes.set(node.uid, node);
    for (const owner of node.owners) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set<string>();
      dependents.add(node.uid);
      this.#dependents.set(owner.uid, dependents);
    }
    return before;
  }

  delete(uid: string): GraphNode | undefined {
    const node = this.#nodes.get(uid);
    if (!node) return undefined;
    this.#unlink(node);
    this.#nodes.delete(uid);
    return node;
  }

  dependentsOf(uid: string): readonly GraphNode[] {
    const uids = this.#dependents.get(uid);
    return uids ? [...uids].flatMap((dependent) => this.#nodes.get(dependent) ?? []) : [];
  }

  /** Dependents that an owner's foreground deletion waits for. */
  blockingDependentsOf(uid: string): readonly GraphNode[] {
    return this.dependentsOf(uid).filter((node) =>
      node.owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    );
  }

  #unlink(node: GraphNode): void {
    for (const owner of node.owners) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(node.uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}
