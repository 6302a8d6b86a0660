import type { Clock } from '@kind-e2e/base';
import type { CollectionChange } from './collection.ts';

/** Turns changes into the bytes that one kind of watcher gets; '' where none of them concerns it. */
export type ChangeEncoder = (changes: readonly CollectionChange[]) => string;

/** Who watches. */
export interface WatchSink {
  /** Takes text that is complete frames. */
  send(frames: Buffer): void;
  /** The watched resource is gone. */
  end(): void;
}

interface Group {
  readonly encode: ChangeEncoder;
  readonly sinks: Set<WatchSink>;
}

/** From the start of one round to the next: so much for each watcher (what a write to one costs, twice and a bit). */
const ROUND_MS_PER_WATCHER = 0.02;
const MAX_ROUND_MS = 20;
/** What is due within this time is sent at once: timers are not finer. */
const TIMER_MS = 0.5;

/**
 * Hands the changes of one resource to its watchers. Watchers that want the same (namespace, selectors, version, form)
 * share one encoding of each batch. With many watchers the writes to their sockets cost the most: then changes wait
 * for each other, so that no more than half of the time goes there, on either side of the sockets.
 */
export class WatchHub {
  readonly #groups = new Map<string, Group>();
  readonly #clock: Clock;
  #held: CollectionChange[] = [];
  #timer: Disposable | undefined;
  #nextRoundMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.sinks.size;
    return count;
  }

  /** From now on: changes that were published before go to those who were here before. */
  subscribe(key: string, encode: ChangeEncoder, sink: WatchSink): Disposable {
    this.flush();
    let group = this.#groups.get(key);
    if (!group) {
      group = { encode, sinks: new Set() };
      this.#groups.set(key, group);
    }
    const joined = group;
    joined.sinks.add(sink);
    return {
      [Symbol.dispose]: () => {
        joined.sinks.delete(sink);
        if (joined.sinks.size === 0 && this.#groups.get(key) === joined) this.#groups.delete(key);
      },
    };
  }

  publish(changes: readonly CollectionChange[]): void {
    if (this.#groups.size === 0) return;
    if (this.#held.length > 0) {
      this.#held.push(...changes);
      return;
    }
    const waitMs = this.#nextRoundMs - this.#clock.monotonic();
    if (waitMs < TIMER_MS) {
      this.#send(changes);
      return;
    }
    this.#held = [...changes];
    this.#timer = this.#clock.after(waitMs, () => this.flush());
  }

  /** Sends what is held back. */
  flush(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const changes = this.#held;
    this.#held = [];
    if (changes.length > 0) this.#send(changes);
  }

  endAll(): void {
    this.flush();
    for (const group of this.#groups.values()) for (const sink of [...group.sinks]) sink.end();
    this.#groups.clear();
  }

  #send(changes: readonly CollectionChange[]): void {
    const startMs = this.#clock.monotonic();
    let watchers = 0;
    for (const group of this.#groups.values()) {
      const text = group.encode(changes);
      if (text === '') continue;
      const frames = chunkOf(text);
      for (const sink of [...group.sinks]) sink.send(frames);
      watchers += group.sinks.size;
    }
    this.#nextRoundMs = startMs + Math.min(watchers * ROUND_MS_PER_WATCHER, MAX_ROUND_MS);
  }
}

/** One chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1). */
export function chunkOf(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const head = `${bytes.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(head.length + bytes + 2);
  chunk.write(head, 0, 'latin1');
  chunk.write(text, head.length, 'utf8');
  chunk.write('\r\n', head.length + bytes, 'latin1');
  return chunk;
}
