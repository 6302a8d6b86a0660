import { type Clock, type Logger, messageOf, systemClock } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { RESOURCES } from './resources.ts';
import type { ApiObject, KubeClient } from './types.ts';

/** The object that an event is about (core/v1 ObjectReference). */
export interface EventTarget {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** `deployment-controller`, `kubelet`, …: source.component and reportingComponent. */
  readonly component: string;
  /** The node's name, for kubelets. */
  readonly host?: string;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export interface EventOptions {
  readonly annotations?: Readonly<Record<string, string>>;
  /** `spec.containers{main}`: the part of the object. */
  readonly fieldPath?: string;
}

/** Writes Events without making the caller wait; a repeated event raises `count` and `lastTimestamp` of the first. */
export interface EventRecorder extends AsyncDisposable {
  event(target: EventTarget, type: 'Normal' | 'Warning', reason: string, message: string, options?: EventOptions): void;
  /** Resolves when all events so far are written or given up. */
  flush(): Promise<void>;
}

interface EventObject extends ApiObject {
  involvedObject: Record<string, string | undefined>;
  reason: string;
  message: string;
  type: string;
  count: number;
  firstTimestamp: string;
  lastTimestamp: string;
  source: { component: string; host?: string };
  reportingComponent: string;
  reportingInstance: string;
}

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly firstTimestamp: string;
  count: number;
}

interface Similar {
  startedAt: number;
  readonly messages: Set<string>;
}

interface Job {
  readonly identity: string;
  readonly event: EventObject;
}

/** Values of client-go's tools/record/events_cache.go. */
const MAX_CACHE_ENTRIES = 4096;
const MAX_SIMILAR = 10;
const SIMILAR_WINDOW_MS = 600_000;
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;

const MAX_QUEUED = 5000;
const WRITERS = 2;

/** Follows client-go's EventCorrelator: aggregates over ten similar events, counts equal ones, drops a flood per object. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new ApiEventRecorder(options);
}

class ApiEventRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  readonly #similar = new Map<string, Similar>();
  readonly #budget = new Map<string, { tokens: number; at: number }>();
  readonly #queue: Job[] = [];
  readonly #writers = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #serial = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  event(
    target: EventTarget,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options: EventOptions = {},
  ): void {
    if (this.#abort.signal.aborted || this.#queue.length >= MAX_QUEUED) return;
    const subject = [target.kind, target.metadata?.namespace, target.metadata?.name, target.metadata?.uid].join('/');
    const group = [subject, options.fieldPath, type, reason].join('|');
    const combined = this.#isFlood(group, message) ? `(combined from similar events): ${message}` : message;
    if (!this.#hasBudget(subject)) return;
    const identity = combined === message ? `${group}|${message}` : `${group}|(combined)`;
    this.#queue.push({ identity, event: this.#build(target, type, reason, combined, options) });
    if (this.#writers.size < WRITERS) this.#startWriter();
  }

  async flush(): Promise<void> {
    while (this.#writers.size > 0) await Promise.all(this.#writers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.length = 0;
    this.#abort.abort(new Error('the event recorder was disposed'));
    await this.flush();
  }

  #startWriter(): void {
    const writer = this.#write().finally(() => this.#writers.delete(writer));
    this.#writers.add(writer);
  }

  async #write(): Promise<void> {
    await undefined;
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      try {
        await this.#record(job);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        const isGone = isStatusError(error, 403) || isStatusError(error, 404);
        if (!isGone) this.#options.logger.debug('an event was not written', { error: messageOf(error) });
      }
    }
  }

  async #record({ identity, event }: Job): Promise<void> {
    const { client } = this.#options;
    const { signal } = this.#abort;
    const known = this.#known.get(identity);
    if (known) {
      known.count++;
      try {
        const { count } = known;
        const patch = { count, message: event.message, lastTimestamp: event.lastTimestamp };
        await client.patch(RESOURCES.events, known, 'merge', patch, { signal });
        return;
      } catch (error) {
        if (!isStatusError(error, 404)) throw error;
      }
    }
    const { name = '', namespace = '' } = event.metadata ?? {};
    remember(this.#known, identity, { name, namespace, firstTimestamp: event.firstTimestamp, count: 1 });
    await client.create(RESOURCES.events, event, { signal });
  }

  /** More than ten different messages of one kind within ten minutes become one event. */
  #isFlood(group: string, message: string): boolean {
    const now = this.#clock.now();
    let similar = this.#similar.get(group);
    if (!similar || now - similar.startedAt > SIMILAR_WINDOW_MS) {
      similar = { startedAt: now, messages: new Set() };
      remember(this.#similar, group, similar);
    }
    if (similar.messages.size <= MAX_SIMILAR) similar.messages.add(message);
    return similar.messages.size > MAX_SIMILAR;
  }

  #hasBudget(subject: string): boolean {
    const now = this.#clock.now();
    const budget = this.#budget.get(subject) ?? { tokens: SPAM_BURST, at: now };
    const tokens = Math.min(SPAM_BURST, budget.tokens + (now - budget.at) / SPAM_REFILL_MS);
    if (tokens < 1) return false;
    remember(this.#budget, subject, { tokens: tokens - 1, at: now });
    return true;
  }

  #build(target: EventTarget, type: string, reason: string, message: string, options: EventOptions): EventObject {
    const { component, host } = this.#options;
    const now = this.#clock.now();
    const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
    const { metadata } = target;
    const namespace = metadata?.namespace || 'default';
    this.#serial = (this.#serial + 1) % 1_000_000;
    const suffix = (BigInt(now) * 1_000_000n + BigInt(this.#serial)).toString(16);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${metadata?.name ?? 'unknown'}.${suffix}`,
        namespace,
        ...(options.annotations ? { annotations: { ...options.annotations } } : {}),
      },
      involvedObject: {
        apiVersion: target.apiVersion,
        kind: target.kind,
        name: metadata?.name,
        namespace: metadata?.namespace,
        uid: metadata?.uid,
        resourceVersion: metadata?.resourceVersion,
        ...(options.fieldPath === undefined ? {} : { fieldPath: options.fieldPath }),
      },
      reason,
      message: message.length > 1024 ? `${message.slice(0, 1020)} ...` : message,
      type,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? '',
    };
  }
}

/** Sets an entry and forgets the oldest where there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_CACHE_ENTRIES) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
