import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { NodeContext } from '../node/node-context.ts';
import type { PodState } from './pod-state.ts';

/** What the parts of a pod's worker know of the pod. */
export interface PodHandle {
  readonly node: NodeContext;
  readonly uid: string;
  readonly folder: string;
  /** The pod as it is now. */
  readonly pod: () => Pod;
  /** Throws before the pod has an address. */
  readonly state: () => PodState;
  /** Aborted when the pod is deleted or the kubelet stops. */
  readonly signal: AbortSignal;
  /** Syncs the pod again soon, or after a while. */
  readonly schedule: () => void;
  readonly wakeIn: (ms: number) => void;
  /** Tells the API how the pod is. */
  readonly publish: () => void;
}
