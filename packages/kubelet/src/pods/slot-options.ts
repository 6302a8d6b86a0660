import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { NodeContext } from '../node/node-context.ts';
import type { ContainerKind } from './pod-model.ts';
import type { PodState } from './pod-state.ts';

export interface SlotOptions {
  readonly node: NodeContext;
  readonly kind: ContainerKind;
  readonly podFolder: string;
  readonly logFolder: string;
  /** The pod as it is now. */
  readonly pod: () => Pod;
  readonly state: () => PodState;
  /** The kubelet has let go of the pod: what it waits for goes on without it. */
  readonly isReleased: () => boolean;
  /** Something happened that the pod's next sync must look at. */
  readonly onChange: () => void;
}

export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}
