import type { Clock } from '@kind-e2e/base';
import type { Informer } from '@kind-e2e/kube-client';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';

/** After this long an expectation is given up, so that a lost event cannot block an owner for ever. */
const EXPIRY_MS = 30_000;

interface Pending {
  readonly uids: Map<string, 'created' | 'deleted'>;
  since: number;
}

/**
 * Which writes of an owner's pods the cache has not shown yet. While there are some, the cache must not be counted, or
 * pods would be made twice (upstream pkg/controller ControllerExpectations, by uid in place of counts).
 */
export class PodExpectations implements Disposable {
  readonly #pods: Informer<Pod>;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  readonly #owners = new Map<string, string>();
  readonly #handle: Disposable;
  readonly #onMet: (ownerKey: string) => void;

  /** `onMet` is called with the owner's key when the last of its expectations is met. */
  constructor(pods: Informer<Pod>, clock: Clock, onMet: (ownerKey: string) => void = () => {}) {
    this.#pods = pods;
    this.#clock = clock;
    this.#onMet = onMet;
    this.#handle = pods.addHandler({
      added: (pod) => {
        this.#met(pod, 'created');
        if (pod.metadata?.deletionTimestamp !== undefined) this.#met(pod, 'deleted');
      },
      updated: (_, pod) => {
        if (pod.metadata?.deletionTimestamp !== undefined) this.#met(pod, 'deleted');
      },
      deleted: (pod) => {
        this.#met(pod, 'created');
        this.#met(pod, 'deleted');
      },
    });
  }

  created(ownerKey: string, pod: Pod): void {
    const { name = '', namespace, uid = '' } = pod.metadata ?? {};
    if (this.#pods.get(name, namespace)?.metadata?.uid === uid) return;
    this.#expect(ownerKey, uid, 'created');
  }

  deleted(ownerKey: string, pod: Pod): void {
    const { name = '', namespace, uid = '' } = pod.metadata ?? {};
    const cached = this.#pods.get(name, namespace);
    if (cached?.metadata?.uid !== uid || cached.metadata.deletionTimestamp !== undefined) return;
    this.#expect(ownerKey, uid, 'deleted');
  }

  areMet(ownerKey: string): boolean {
    const pending = this.#pending.get(ownerKey);
    if (!pending) return true;
    if (this.#clock.monotonic() - pending.since < EXPIRY_MS) return false;
    this.forget(ownerKey);
    return true;
  }

  forget(ownerKey: string): void {
    for (const uid of this.#pending.get(ownerKey)?.uids.keys() ?? []) this.#owners.delete(uid);
    this.#pending.delete(ownerKey);
  }

  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }

  #expect(ownerKey: string, uid: string, what: 'created' | 'deleted'): void {
    let pending = this.#pending.get(ownerKey);
    if (!pending) {
      pending = { uids: new Map(), since: 0 };
      this.#pending.set(ownerKey, pending);
    }
    pending.since = this.#clock.monotonic();
    pending.uids.set(uid, what);
    this.#owners.set(uid, ownerKey);
  }

  #met(pod: Pod, what: 'created' | 'deleted'): void {
    const uid = pod.metadata?.uid ?? '';
    const ownerKey = this.#owners.get(uid);
    if (ownerKey === undefined) return;
    const pending = this.#pending.get(ownerKey);
    if (pending?.uids.get(uid) !== what) return;
    pending.uids.delete(uid);
    this.#owners.delete(uid);
    if (pending.uids.size > 0) return;
    this.#pending.delete(ownerKey);
    this.#onMet(ownerKey);
  }
}
