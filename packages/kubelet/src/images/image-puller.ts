import { type Clock, messageOf } from '@kind-e2e/base';
import { type ImageStore, InvalidReferenceError, type LocalImage, PullError, parseReference } from '@kind-e2e/oci';
import { BackoffTable } from '../pods/backoff-table.ts';

/** Why a container waits for its image, in the kubelet's words. */
export type ImageReason = 'ErrImagePull' | 'ImagePullBackOff' | 'InvalidImageName' | 'ErrImageNeverPull';

export class ImageError extends Error {
  readonly reason: ImageReason;

  constructor(reason: ImageReason, message: string) {
    super(message);
    this.name = 'ImageError';
    this.reason = reason;
  }
}

export interface PullRequest {
  readonly podUid: string;
  readonly image: string;
  readonly policy: string;
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly signal: AbortSignal;
}

/** Brings images to the node by pull policy, with back-off for each pod and image (kubernetes pkg/kubelet/images). */
export class ImagePuller {
  readonly #images: ImageStore;
  readonly #clock: Clock;
  readonly #backoff: BackoffTable;
  readonly #lastError = new Map<string, string>();

  constructor(images: ImageStore, clock: Clock, backoff: { readonly initialMs: number; readonly maxMs: number }) {
    this.#images = images;
    this.#clock = clock;
    this.#backoff = new BackoffTable(clock, backoff);
  }

  /** Throws ImageError, after it told the events that go with it. */
  async ensure(request: PullRequest): Promise<LocalImage> {
    const { image, policy, event } = request;
    const key = `${request.podUid}_${image}`;
    let present: LocalImage | undefined;
    try {
      parseReference(image);
      if (policy !== 'Always') present = await this.#images.find(image);
    } catch (error) {
      if (!(error instanceof InvalidReferenceError)) throw error;
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${error.message}`;
      event('Warning', 'InspectFailed', message);
      throw new ImageError('InvalidImageName', message);
    }
    if (present) {
      event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', message);
      throw new ImageError('ErrImageNeverPull', message);
    }
    if (this.#backoff.remainingMs(key) > 0) {
      const message = `Back-off pulling image "${image}"`;
      event('Normal', 'BackOff', message);
      const last = this.#lastError.get(key);
      throw new ImageError('ImagePullBackOff', last === undefined ? message : `${message}: ErrImagePull: ${last}`);
    }
    event('Normal', 'Pulling', `Pulling image "${image}"`);
    const startedAt = this.#clock.monotonic();
    try {
      const pulled = await this.#images.pull(image, request.signal);
      const took = formatMs(this.#clock.monotonic() - startedAt);
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${pulled.sizeBytes} bytes.`,
      );
      this.#backoff.reset(key);
      this.#lastError.delete(key);
      return pulled;
    } catch (error) {
      request.signal.throwIfAborted();
      const code = error instanceof PullError ? error.grpcCode : 'Unknown';
      const message = `rpc error: code = ${code} desc = ${messageOf(error)}`;
      event('Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      this.#backoff.next(key);
      this.#lastError.set(key, message);
      throw new ImageError('ErrImagePull', message);
    }
  }

  /** When a pull that failed may be tried again. */
  retryInMs(podUid: string, image: string): number {
    return this.#backoff.remainingMs(`${podUid}_${image}`);
  }

  forget(podUid: string): void {
    this.#backoff.forget(`${podUid}_`);
    for (const key of this.#lastError.keys()) if (key.startsWith(`${podUid}_`)) this.#lastError.delete(key);
  }
}

function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(3).replace(/\.?0+$/, '')}s`;
}
