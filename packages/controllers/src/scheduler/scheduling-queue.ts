import type { Clock } from '@kind-e2e/base';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { priorityOf } from './preemption.ts';

/** Upstream begins with 1 s; here nodes come and go in milliseconds, and a start-up must not wait. */
const INITIAL_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 10_000;

interface Entry {
  readonly pod: Pod;
  readonly attempts: number;
  /** When the last try failed. */
  readonly failedAt: number;
}

/**
 * Pods that wait for a node: those to be tried now, the most important and then the oldest first, and those that did
 * not fit and are tried again, after a back-off, when something changed (upstream backend/queue).
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #active = new Map<string, Entry>();
  readonly #unschedulable = new Map<string, Entry>();
  #timer: { readonly at: number; readonly handle: Disposable } | undefined;
  #sorted: string[] | undefined;

  constructor(clock: Clock, onReady: () => void) {
    this.#clock = clock;
    this.#onReady = onReady;
  }

  get size(): number {
    return this.#active.size;
  }

  /** Adds a new pod, or a new version of one that waits: a changed spec is tried at once. */
  put(pod: Pod, isChanged: boolean): void {
    const uid = pod.metadata?.uid ?? '';
    const waiting = this.#unschedulable.get(uid);
    if (waiting && !isChanged) {
      this.#unschedulable.set(uid, { ...waiting, pod });
      return;
    }
    this.#unschedulable.delete(uid);
    const known = this.#active.get(uid);
    this.#active.set(uid, { attempts: waiting?.attempts ?? 0, failedAt: 0, ...known, pod });
    if (!known) this.#sorted = undefined;
    this.#onReady();
  }

  drop(uid: string): void {
    this.#active.delete(uid);
    this.#unschedulable.delete(uid);
  }

  /** The next pod to try, taken out of the queue. */
  take(): { readonly pod: Pod; readonly attempts: number } | undefined {
    for (;;) {
      this.#sorted ??= [...this.#active]
        .toSorted(([, a], [, b]) => compareEntries(a, b))
        .map(([uid]) => uid)
        .reverse();
      const uid = this.#sorted.pop();
      if (uid === undefined) return undefined;
      const entry = this.#active.get(uid);
      if (!entry) continue;
      this.#active.delete(uid);
      return { pod: entry.pod, attempts: entry.attempts };
    }
  }

  /** Puts back a pod that did not fit. */
  failed(pod: Pod, attempts: number): void {
    this.#unschedulable.set(pod.metadata?.uid ?? '', { pod, attempts: attempts + 1, failedAt: this.#clock.now() });
  }

  /** Something changed: all pods that did not fit are tried again when their back-off is over. */
  retryAll(): void {
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    let isReady = false;
    for (const [uid, entry] of this.#unschedulable) {
      const backoff = Math.min(MAX_BACKOFF_MS, INITIAL_BACKOFF_MS * 2 ** (entry.attempts - 1));
      const at = entry.failedAt + backoff;
      if (at > now) {
        next = Math.min(next, at);
        continue;
      }
      this.#unschedulable.delete(uid);
      this.#active.set(uid, entry);
      isReady = true;
    }
    if (isReady) {
      this.#sorted = undefined;
      this.#onReady();
    }
    if (next === Number.POSITIVE_INFINITY || (this.#timer && this.#timer.at <= next)) return;
    this.#timer?.handle[Symbol.dispose]();
    const handle = this.#clock.after(next - now, () => {
      this.#timer = undefined;
      this.retryAll();
    });
    this.#timer = { at: next, handle };
  }

  clear(): void {
    this.#timer?.handle[Symbol.dispose]();
    this.#active.clear();
    this.#unschedulable.clear();
  }
}

function compareEntries(a: Entry, b: Entry): number {
  const age = (entry: Entry): number => Date.parse(entry.pod.metadata?.creationTimestamp ?? '') || 0;
  return priorityOf(b.pod) - priorityOf(a.pod) || age(a) - age(b);
}
