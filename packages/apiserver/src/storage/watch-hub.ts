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

/**
 * Hands the changes of one resource to its watchers. Watchers that want the same (namespace, selectors, version, form)
 * share one encoding of each batch.
 */
export class WatchHub {
  readonly #groups = new Map<string, Group>();

  get size(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.sinks.size;
    return count;
  }

  subscribe(key: string, encode: ChangeEncoder, sink: WatchSink): Disposable {
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
    for (const group of this.#groups.values()) {
      const text = group.encode(changes);
      if (text === '') continue;
      const frames = chunkOf(text);
      for (const sink of [...group.sinks]) sink.send(frames);
    }
  }

  endAll(): void {
    for (const group of this.#groups.values()) for (const sink of [...group.sinks]) sink.end();
    this.#groups.clear();
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
