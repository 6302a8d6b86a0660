import { messageOf } from '@kind-e2e/base';
import type { LocalImage } from '@kind-e2e/oci';
import { ContainerConfigError } from '../env/container-env.ts';
import { ImageError } from '../images/image-puller.ts';
import { podEvent } from '../node/node-context.ts';
import { StartError } from '../runtime/start-container.ts';
import { BackoffTable } from './backoff-table.ts';
import type { ContainerSlot } from './container-slot.ts';
import type { PodHandle } from './pod-handle.ts';
import { defaultPullPolicy, formatPod, isPauseImage } from './pod-model.ts';
import type { PodVolumeSet } from './pod-volume-set.ts';

/** A container that ran this long starts over with the shortest back-off (kubelet: 10 minutes). */
const STABLE_AFTER_MS = 600_000;
const CONFIG_RETRY_MS = 2_000;

/** Starts the containers of a pod: crash back-off, image, configuration, program, with the events of each step. */
export class ContainerStarter {
  readonly #pod: PodHandle;
  readonly #volumes: PodVolumeSet;
  readonly #crashes: BackoffTable;

  constructor(pod: PodHandle, volumes: PodVolumeSet) {
    this.#pod = pod;
    this.#volumes = volumes;
    const { clock, shared } = pod.node;
    this.#crashes = new BackoffTable(clock, shared.options.crashBackoff ?? { initialMs: 1_000, maxMs: 60_000 });
  }

  /** A container whose image was changed in the spec is made anew. */
  async restartChanged(slot: ContainerSlot): Promise<void> {
    if (!slot.isRunning || slot.isStopping || slot.record?.image === slot.spec.image) return;
    const { clock } = this.#pod.node;
    const deadline = clock.monotonic() + (this.#pod.pod().spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    await slot.stop(() => deadline, `Container ${slot.spec.name} definition changed, will be restarted`, 'changed');
  }

  /** Starts a container, unless its back-off or its image says to wait. */
  async start(slot: ContainerSlot): Promise<void> {
    const key = slot.spec.name;
    const { record } = slot;
    if (record?.finishedAt !== undefined && record.stopCause !== 'changed') {
      // A run that never came to start has the start time 0.
      if (record.finishedAt - (record.startedAt || record.finishedAt) > STABLE_AFTER_MS) this.#crashes.reset(key);
      const left = this.#crashes.remainingMs(key, record.finishedAt);
      if (left > 0) {
        this.#backOff(slot, left);
        return;
      }
    }
    const image = await this.#image(slot);
    if (image === undefined && !isPauseImage(slot.spec.image ?? '')) return;
    this.#pod.signal.throwIfAborted();
    if (record?.finishedAt !== undefined) this.#crashes.next(key);
    try {
      await slot.start(image, this.#volumes.ready);
    } catch (error) {
      if (error instanceof StartError) {
        slot.waiting = { reason: 'RunContainerError', message: error.message };
        this.#pod.schedule();
        return;
      }
      const reason = error instanceof ContainerConfigError ? 'CreateContainerConfigError' : 'CreateContainerError';
      const message = messageOf(error);
      this.#event(slot, 'Warning', 'Failed', `Error: ${message}`);
      slot.waiting = { reason, message };
      this.#pod.wakeIn(CONFIG_RETRY_MS);
    }
    this.#pod.publish();
  }

  #backOff(slot: ContainerSlot, leftMs: number): void {
    const delay = this.#crashes.delayMs(slot.spec.name);
    const seconds = delay % 1000 === 0 ? `${delay / 1000}s` : `${delay}ms`;
    const text = delay >= 60_000 ? `${Math.floor(delay / 60_000)}m${(delay % 60_000) / 1000}s` : seconds;
    const message = `back-off ${text} restarting failed container=${slot.spec.name} pod=${formatPod(this.#pod.pod())}`;
    if (slot.waiting?.reason !== 'CrashLoopBackOff')
      this.#event(
        slot,
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${slot.spec.name} in pod ${formatPod(this.#pod.pod())}`,
      );
    slot.waiting = { reason: 'CrashLoopBackOff', message };
    this.#pod.wakeIn(leftMs);
  }

  async #image(slot: ContainerSlot): Promise<LocalImage | undefined> {
    const { spec } = slot;
    const image = spec.image ?? '';
    const event = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
      this.#event(slot, type, reason, message);
    if (isPauseImage(image)) {
      event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
      return undefined;
    }
    try {
      return await this.#pod.node.puller.ensure({
        podUid: this.#pod.uid,
        image,
        policy: defaultPullPolicy(spec),
        event,
        signal: this.#pod.signal,
      });
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      slot.waiting = { reason: error.reason, message: error.message };
      event('Warning', 'Failed', `Error: ${error.reason}`);
      this.#pod.publish();
      if (error.reason === 'ErrImagePull') {
        await this.#pod.node.clock.sleep(50);
        this.#pod.schedule();
      } else this.#pod.wakeIn(this.#pod.node.puller.retryInMs(this.#pod.uid, image) || CONFIG_RETRY_MS * 5);
      return undefined;
    }
  }

  #event(slot: ContainerSlot, type: 'Normal' | 'Warning', reason: string, message: string): void {
    podEvent(this.#pod.node, this.#pod.pod(), type, reason, message, {
      name: slot.spec.name,
      isInit: slot.kind !== 'app',
    });
  }
}
