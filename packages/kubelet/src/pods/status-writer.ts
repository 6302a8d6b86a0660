import { isStatusError } from '@kind-e2e/kube-api';
import { RESOURCES } from '@kind-e2e/kube-client';
import type { Pod, PodCondition, PodStatus } from 'kubernetes-types/core/v1.d.ts';
import type { NodeContext } from '../node/node-context.ts';

const RETRY_MS = 500;

/** Sends a pod's status when it changed, one request at a time, the latest wins (kubernetes pkg/kubelet/status). */
export class StatusWriter {
  readonly #node: NodeContext;
  #sent = '';
  #wanted: { readonly pod: Pod; readonly status: PodStatus } | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /** Resolves when this status, or a later one, is with the API server or the pod is gone. */
  write(pod: Pod, status: PodStatus): Promise<void> {
    if (JSON.stringify(status) === this.#sent && !this.#wanted) return this.#running ?? Promise.resolve();
    this.#wanted = { pod, status };
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#isStopped) {
      const { pod, status } = this.#wanted;
      this.#wanted = undefined;
      const text = JSON.stringify(status);
      if (text === this.#sent) continue;
      try {
        await this.#node.client.patch(
          RESOURCES.pods,
          { name: pod.metadata?.name ?? '', namespace: pod.metadata?.namespace ?? '' },
          'strategic',
          {
            metadata: { uid: pod.metadata?.uid },
            status: { reason: null, message: null, ...status, conditions: status.conditions?.map(withCleared) },
          },
          { subresource: 'status' },
        );
        this.#sent = text;
      } catch (error) {
        if (isStatusError(error, 404) || isStatusError(error, 409)) return;
        if (this.#isStopped) return;
        this.#node.logger.warn('a pod status was not written', { pod: pod.metadata?.name, error });
        this.#wanted ??= { pod, status };
        await this.#node.clock.sleep(RETRY_MS);
      }
    }
  }
}

/** A strategic merge patch keeps what it does not name: the reason of a condition that is true again must be named. */
function withCleared(condition: PodCondition): object {
  return { reason: null, message: null, ...condition };
}
