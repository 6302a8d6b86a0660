import type { Clock, Logger } from '@kind-e2e/base';
import type { KubeObject } from '@kind-e2e/kube-api';
import { Collection, type CollectionChange } from './collection.ts';
import type { DataFileContent } from './data-file.ts';
import { ObjectRecord } from './object-record.ts';
import type { BatchWriter, RowChange } from './write-worker.ts';

/** Largest number of changes in one batch: keeps the delay of the first of them small. */
const MAX_BATCH_CHANGES = 1_000;

interface Pending {
  readonly collection: Collection;
  readonly change: CollectionChange;
}

/**
 * All objects, in memory and in the data file, under one revision counter. A write changes memory at once (so that the
 * next write sees it) and becomes durable with a batch that many requests share; readers and watchers see only what is
 * durable. Writes are synchronous: no request comes between reading an object and replacing it.
 */
export class ObjectStore implements AsyncDisposable {
  readonly #collections = new Map<string, Collection>();
  readonly #writer: BatchWriter;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onChange = new Set<(collection: Collection, change: CollectionChange) => void>();
  readonly #historyStart: number;
  #pending: Pending[] = [];
  #inFlight: Promise<void> | undefined;
  #waiters: { revision: number; resolve(): void; reject(error: Error): void }[] = [];
  #revision: number;
  #durable: number;
  #nextId: number;
  #closed = false;

  constructor(content: DataFileContent, writer: BatchWriter, clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#writer = writer;
    this.#logger = logger;
    this.#revision = Math.max(content.revision, 1);
    this.#durable = this.#revision;
    this.#historyStart = Math.max(content.historyStart, content.revision === 0 ? 1 : 0);
    this.#nextId = 1;
    for (const row of content.objects) {
      this.#nextId = Math.max(this.#nextId, row.id + 1);
      this.collection(row.resource).restore(new ObjectRecord({ ...row, json: row.body }));
    }
    const events = [
      ...content.objects.map((row) => ({ row, type: 'MODIFIED' as const })),
      ...content.deletions.map((row) => ({ row, type: 'DELETED' as const })),
    ]
      .filter(({ row }) => row.revision > this.#historyStart)
      .sort((a, b) => a.row.revision - b.row.revision);
    for (const { row, type } of events) {
      this.#nextId = Math.max(this.#nextId, row.id + 1);
      const collection = this.collection(row.resource);
      const current = type === 'MODIFIED' ? collection.get(row.namespace, row.name) : undefined;
      const record = current ?? new ObjectRecord({ ...row, json: row.body });
      collection.history.push({ type, record, previous: undefined, replayed: true });
    }
  }

  /** The last revision that was given out, durable or not. */
  get revision(): number {
    return this.#revision;
  }

  /** The revision up to which everything is on disk; what lists and bookmarks say. */
  get durableRevision(): number {
    return this.#durable;
  }

  /** Objects of one stored resource, by its name with group: `pods`, `apps/deployments`. */
  collection(resource: string): Collection {
    let collection = this.#collections.get(resource);
    if (!collection) {
      collection = new Collection(resource, this.#historyStart, this.#clock);
      this.#collections.set(resource, collection);
    }
    return collection;
  }

  get collections(): Iterable<Collection> {
    return this.#collections.values();
  }

  /** Forgets a collection without objects, and ends its watches: its CRD is gone. */
  drop(resource: string): void {
    const collection = this.#collections.get(resource);
    if (!collection || collection.size > 0) return;
    collection.hub.endAll();
    this.#collections.delete(resource);
  }

  /** Called at once for each write, before it is durable: for caches that admission and authorization use. */
  onChange(listener: (collection: Collection, change: CollectionChange) => void): void {
    this.#onChange.add(listener);
  }

  /** Adds an object; metadata.resourceVersion is set here. The caller has made sure that the name is free. */
  create(resource: string, object: KubeObject): ObjectRecord {
    const collection = this.collection(resource);
    const record = this.#record(object, this.#nextId++, undefined);
    this.#apply(collection, { type: 'ADDED', record, previous: undefined });
    return record;
  }

  /** Replaces the current state of an object. */
  update(resource: string, current: ObjectRecord, object: KubeObject): ObjectRecord {
    const collection = this.collection(resource);
    const record = this.#record(object, current.id, current.createRevision);
    this.#apply(collection, { type: 'MODIFIED', record, previous: current });
    return record;
  }

  /** Takes an object away; `object` is its last state, as watchers get it with the revision of the deletion. */
  remove(resource: string, current: ObjectRecord, object: KubeObject): ObjectRecord {
    const collection = this.collection(resource);
    const record = this.#record(object, current.id, current.createRevision);
    this.#apply(collection, { type: 'DELETED', record, previous: current });
    return record;
  }

  /** Resolves when everything up to a revision (default: all there is) is on disk. */
  durable(revision: number = this.#revision): Promise<void> {
    if (revision <= this.#durable) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ revision, resolve, reject });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#pending.length > 0 || this.#inFlight) {
      if (!this.#inFlight) this.#flush();
      await this.#inFlight;
    }
    for (const collection of this.#collections.values()) collection.hub.endAll();
    await this.#writer[Symbol.asyncDispose]();
  }

  #record(object: KubeObject, id: number, createRevision: number | undefined): ObjectRecord {
    const revision = ++this.#revision;
    const { kind, apiVersion, metadata, ...rest } = object;
    const withRevision = { kind, apiVersion, metadata: { ...metadata, resourceVersion: String(revision) }, ...rest };
    return new ObjectRecord(
      {
        id,
        namespace: metadata?.namespace ?? '',
        name: metadata?.name ?? '',
        revision,
        createRevision: createRevision ?? revision,
        json: JSON.stringify(withRevision),
      },
      withRevision,
    );
  }

  #apply(collection: Collection, change: CollectionChange): void {
    if (this.#closed) throw new Error('the object store is closed');
    collection.apply(change);
    this.#pending.push({ collection, change });
    for (const listener of this.#onChange) listener(collection, change);
    if (!this.#inFlight && this.#pending.length === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#inFlight || this.#pending.length === 0) return;
    const batch = this.#pending.splice(0, MAX_BATCH_CHANGES);
    const revision = batch.at(-1)?.change.record.revision ?? this.#revision;
    this.#inFlight = this.#writer
      .write({ changes: batch.map(rowChange) })
      .then(
        () => this.#committed(batch, revision),
        (error: unknown) => this.#failed(batch, error instanceof Error ? error : new Error(String(error))),
      )
      .then(() => {
        this.#inFlight = undefined;
        this.#flush();
      });
  }

  #committed(batch: readonly Pending[], revision: number): void {
    this.#durable = revision;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.revision <= revision) waiter.resolve();
      else this.#waiters.push(waiter);
    }
    const byCollection = new Map<Collection, CollectionChange[]>();
    for (const { collection, change } of batch) {
      collection.history.push(change);
      const changes = byCollection.get(collection);
      if (changes) changes.push(change);
      else byCollection.set(collection, [change]);
    }
    for (const [collection, changes] of byCollection) collection.hub.publish(changes);
  }

  /** Nothing of the batch is on disk: memory goes back to before it, with all that was built on it. */
  #failed(batch: readonly Pending[], error: Error): void {
    this.#logger.error('objects could not be written', { error, changes: batch.length });
    const undone = [...batch, ...this.#pending];
    this.#pending = [];
    for (const { collection, change } of undone.toReversed()) {
      const back: CollectionChange = change.previous
        ? { type: change.type === 'DELETED' ? 'ADDED' : 'MODIFIED', record: change.previous, previous: change.record }
        : { type: 'DELETED', record: change.record, previous: change.record };
      collection.apply(back);
      for (const listener of this.#onChange) listener(collection, back);
    }
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}

function rowChange({ collection, change: { type, record } }: Pending): RowChange {
  return {
    type: type === 'DELETED' ? 'delete' : 'put',
    row: {
      id: record.id,
      resource: collection.resource,
      namespace: record.namespace,
      name: record.name,
      revision: record.revision,
      createRevision: record.createRevision,
      body: record.json,
    },
  };
}
