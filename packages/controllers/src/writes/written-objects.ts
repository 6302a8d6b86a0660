import type { Clock } from '@kind-e2e/base';
import type { ApiObject, Informer } from '@kind-e2e/kube-client';

const EXPIRY_MS = 10_000;

interface Written {
  /** undefined: deleted. */
  readonly version: bigint | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly at: number;
}

/**
 * What a controller wrote and its cache may not show yet. A controller that makes objects with generated names asks
 * `isCurrent` first, or it would make them twice (upstream endpointslice/util EndpointSliceTracker).
 */
export class WrittenObjects<T extends ApiObject> {
  readonly #informer: Informer<T>;
  readonly #clock: Clock;
  readonly #written = new Map<string, Map<string, Written>>();

  constructor(informer: Informer<T>, clock: Clock) {
    this.#informer = informer;
    this.#clock = clock;
  }

  wrote(key: string, object: ApiObject): void {
    this.#note(key, object, BigInt(object.metadata?.resourceVersion ?? '0'));
  }

  deleted(key: string, object: ApiObject): void {
    this.#note(key, object, undefined);
  }

  /** Whether the cache shows all that was written for the key; what is older than ten seconds counts as shown. */
  isCurrent(key: string): boolean {
    const written = this.#written.get(key);
    if (!written) return true;
    for (const [uid, entry] of written) if (this.#isShown(entry)) written.delete(uid);
    if (written.size > 0) return false;
    this.#written.delete(key);
    return true;
  }

  #isShown({ version, namespace, name, uid, at }: Written): boolean {
    if (this.#clock.monotonic() - at > EXPIRY_MS) return true;
    const cached = this.#informer.get(name, namespace);
    if (version === undefined) return cached?.metadata?.uid !== uid;
    return cached?.metadata?.uid === uid && BigInt(cached.metadata.resourceVersion ?? '0') >= version;
  }

  #note(key: string, object: ApiObject, version: bigint | undefined): void {
    const { name = '', namespace, uid = '' } = object.metadata ?? {};
    const written = this.#written.get(key) ?? new Map<string, Written>();
    written.set(uid, { version, namespace, name, uid, at: this.#clock.monotonic() });
    this.#written.set(key, written);
  }
}
