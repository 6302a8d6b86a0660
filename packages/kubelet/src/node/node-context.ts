import type { Clock, Logger } from '@kind-e2e/base';
import type { EventRecorder, KubeClient } from '@kind-e2e/kube-client';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Allocatable } from '../env/pod-fields.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { KubeletShared } from '../shared.ts';
import type { TokenCache } from '../volumes/token-cache.ts';
import type { AddressPool } from './address-pool.ts';

/** What the parts of one node's kubelet know of the node. */
export interface NodeContext {
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly client: KubeClient;
  readonly shared: KubeletShared;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  readonly addresses: AddressPool;
  readonly puller: ImagePuller;
  readonly tokens: TokenCache;
  readonly allocatable: Allocatable;
}

/** Tells an event about a pod, or about one of its containers. */
export function podEvent(
  node: NodeContext,
  pod: Pod,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  container?: { readonly name: string; readonly isInit: boolean },
): void {
  const fieldPath = container && `spec.${container.isInit ? 'initContainers' : 'containers'}{${container.name}}`;
  node.events.event(
    { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata ?? {} },
    type,
    reason,
    message,
    fieldPath === undefined ? {} : { fieldPath },
  );
}
