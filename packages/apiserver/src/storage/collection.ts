import type { Clock } from '@kind-e2e/base';
import { EventHistory } from './event-history.ts';
import type { ObjectRecord } from './object-record.ts';
import { WatchHub } from './watch-hub.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One write: what the object became, and what it was. For a deletion `record` is the last state. */
export interface CollectionChange {
  readonly type: ChangeType;
  readonly record: ObjectRecord;
  readonly previous: ObjectRecord | undefined;
  /** Read back at start: states in between are lost, and `previous` is not known. */
  readonly replayed?: boolean;
}

/** The objects of one resource in one namespace, with their names in order when somebody needs the order. */
interface Bucket {
  readonly records: Map<string, ObjectRecord>;
  names: string[] | undefined;
}

/** The objects of one resource: look-up, ordered lists, the window of past changes, and who watches. */
export class Collection {
  readonly resource: string;
  readonly history: EventHistory;
  readonly hub: WatchHub;
  readonly #buckets = new Map<string, Bucket>();
  #size = 0;
  #lastRevision = 0;

  constructor(resource: string, historyStart: number, clock: Clock) {
    this.resource = resource;
    this.history = new EventHistory(historyStart);
    this.hub = new WatchHub(clock);
  }

  get size(): number {
    return this.#size;
  }

  /** Revision of the last change here. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  get(namespace: string, name: string): ObjectRecord | undefined {
    return this.#buckets.get(namespace)?.records.get(name);
  }

  /** How many objects a namespace has here. */
  sizeOf(namespace: string): number {
    return this.#buckets.get(namespace)?.records.size ?? 0;
  }

  /** Objects by namespace and name, as etcd's key order gives them. */
  list(namespace?: string): ObjectRecord[] {
    const out: ObjectRecord[] = [];
    const namespaces = namespace === undefined ? [...this.#buckets.keys()].sort(byKey) : [namespace];
    for (const key of namespaces) {
      const bucket = this.#buckets.get(key);
      if (!bucket) continue;
      bucket.names ??= [...bucket.records.keys()].sort(byKey);
      for (const name of bucket.names) {
        const record = bucket.records.get(name);
        if (record) out.push(record);
      }
    }
    return out;
  }

  /** In no order, without a copy: for look-ups inside the server. */
  *records(namespace?: string): Iterable<ObjectRecord> {
    if (namespace !== undefined) {
      yield* this.#buckets.get(namespace)?.records.values() ?? [];
      return;
    }
    for (const bucket of this.#buckets.values()) yield* bucket.records.values();
  }

  apply(change: CollectionChange): void {
    this.#lastRevision = Math.max(this.#lastRevision, change.record.revision);
    if (change.type === 'DELETED') this.#delete(change.record);
    else this.#set(change.record);
  }

  /** Puts in place what the data file holds. */
  restore(record: ObjectRecord): void {
    this.#lastRevision = Math.max(this.#lastRevision, record.revision);
    this.#set(record);
  }

  #set(record: ObjectRecord): void {
    let bucket = this.#buckets.get(record.namespace);
    if (!bucket) {
      bucket = { records: new Map(), names: undefined };
      this.#buckets.set(record.namespace, bucket);
    }
    if (!bucket.records.has(record.name)) {
      this.#size++;
      bucket.names = undefined;
    }
    bucket.records.set(record.name, record);
  }

  #delete(record: ObjectRecord): void {
    const bucket = this.#buckets.get(record.namespace);
    if (!bucket?.records.delete(record.name)) return;
    this.#size--;
    bucket.names = undefined;
    if (bucket.records.size === 0) this.#buckets.delete(record.namespace);
  }
}

/** Byte order of keys: `/` parts namespace and name. */
function byKey(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
