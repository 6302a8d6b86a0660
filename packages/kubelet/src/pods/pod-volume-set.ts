import { messageOf } from '@kind-e2e/base';
import { podEvent } from '../node/node-context.ts';
import { isLiveVolume, type PreparedVolume, prepareVolume, VolumeError } from '../volumes/pod-volumes.ts';
import type { PodHandle } from './pod-handle.ts';
import { isPausePod } from './pod-model.ts';

const RETRY_MS = 1_000;
const MAX_RETRY_MS = 15_000;

/** The volumes of a pod: made ready before its containers start, then kept up to date. */
export class PodVolumeSet implements Disposable {
  readonly #pod: PodHandle;
  #volumes: Map<string, PreparedVolume> | undefined;
  #retryMs = RETRY_MS;
  #timer: Disposable | undefined;

  constructor(pod: PodHandle) {
    this.#pod = pod;
  }

  /** Volumes by name; none before they are ready. */
  get ready(): ReadonlyMap<string, PreparedVolume> {
    return this.#volumes ?? new Map();
  }

  /** Makes all volumes ready. False where one is not: it is told, and tried again. */
  async ensure(): Promise<boolean> {
    const { node, pod, signal, wakeIn } = this.#pod;
    if (this.#volumes || isPausePod(pod())) return true;
    const volumes = new Map<string, PreparedVolume>();
    for (const volume of pod().spec?.volumes ?? []) {
      try {
        volumes.set(volume.name, await prepareVolume(pod(), volume, this.#options()));
      } catch (error) {
        if (signal.aborted) return false;
        const message =
          error instanceof VolumeError
            ? error.message
            : `MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(error)}`;
        podEvent(node, pod(), 'Warning', 'FailedMount', message);
        wakeIn(this.#retryMs);
        this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
        return false;
      }
    }
    this.#volumes = volumes;
    this.#refreshLater();
    return true;
  }

  #options(): Parameters<typeof prepareVolume>[2] {
    const { folder, state, node } = this.#pod;
    const { client, shared, tokens, allocatable, nodeAddress } = node;
    return {
      dataDir: shared.options.dataDir,
      podFolder: folder,
      client,
      objects: shared.objects,
      tokens,
      addresses: { podIP: state().podIP, hostIP: nodeAddress },
      allocatable,
    };
  }

  /** Volumes that follow objects of the API are brought up to date as long as the pod runs. */
  #refreshLater(): void {
    const { node, pod, signal } = this.#pod;
    const live = (pod().spec?.volumes ?? []).filter(isLiveVolume);
    if (live.length === 0 || signal.aborted) return;
    this.#timer = node.clock.after(node.shared.objects.maxAgeMs, () => {
      void this.#refresh();
    });
  }

  async #refresh(): Promise<void> {
    const { node, pod, signal } = this.#pod;
    if (signal.aborted) return;
    for (const volume of (pod().spec?.volumes ?? []).filter(isLiveVolume)) {
      await prepareVolume(pod(), volume, this.#options()).catch((error: unknown) =>
        node.logger.debug('a volume was not brought up to date', {
          volume: volume.name,
          error: messageOf(error),
        }),
      );
    }
    this.#refreshLater();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}
