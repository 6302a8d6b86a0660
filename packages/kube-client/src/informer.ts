import { Backoff, messageOf, systemClock } from '@kind-e2e/base';
import { type GroupVersionResource, isStatusError } from '@kind-e2e/kube-api';
import { ObjectCache } from './cache.ts';
import { dropManagedFields, keyOf } from './objects.ts';
import type { ApiObject, Informer, InformerHandler, InformerOptions, WatchEvent } from './types.ts';

/** Objects per page of the first list, so that a big collection is never one big string. */
const PAGE_SIZE = 500;

/** A watch that ended sooner than this counts as failed, so that a server that ends all watches is not asked in a loop. */
const SHORT_WATCH_MS = 1000;

/** Starts an informer: it lists at once and then watches until it is disposed. */
export function createInformer<T extends ApiObject>(options: InformerOptions<T>): Informer<T> {
  return new ListWatchInformer(options);
}

class ListWatchInformer<T extends ApiObject> implements Informer<T> {
  readonly resource: GroupVersionResource;
  readonly synced: Promise<void>;
  readonly #options: InformerOptions<T>;
  readonly #cache: ObjectCache<T>;
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;
  readonly #settle: { readonly resolve: () => void; readonly reject: (reason: unknown) => void };
  #hasSynced = false;

  constructor(options: InformerOptions<T>) {
    this.resource = options.resource;
    this.#options = options;
    this.#cache = new ObjectCache(options.indexers);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#settle = { resolve, reject };
    promise.catch(() => {});
    this.#loop = this.#run();
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#cache.get(name, namespace);
  }

  list(namespace?: string): readonly T[] {
    return this.#cache.list(namespace);
  }

  byIndex(index: string, key: string): readonly T[] {
    return this.#cache.byIndex(index, key);
  }

  addHandler(handler: InformerHandler<T>): Disposable {
    this.#handlers.add(handler);
    for (const object of this.#cache.list()) this.#call(() => handler.added?.(object));
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handlers.clear();
    this.#abort.abort(new Error('the informer was disposed'));
    this.#settle.reject(new Error(`the informer of ${this.resource.resource} was disposed`));
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { logger, clock = systemClock } = this.#options;
    const { signal } = this.#abort;
    const backoff = new Backoff({ initialMs: 50, maxMs: 10_000, jitter: 0.5 });
    let resourceVersion = '';
    while (!signal.aborted) {
      const startedAt = clock.monotonic();
      try {
        if (resourceVersion === '') resourceVersion = await this.#list(signal);
        for await (const event of this.#options.client.watch<T>(this.resource, {
          ...this.#selection(),
          resourceVersion,
          allowWatchBookmarks: true,
          signal,
        })) {
          backoff.reset();
          resourceVersion = event.object.metadata?.resourceVersion ?? resourceVersion;
          this.#take(event);
        }
        if (clock.monotonic() - startedAt >= SHORT_WATCH_MS) {
          backoff.reset();
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (isStatusError(error, 410) && resourceVersion !== '') {
          logger.debug('watch expired, listing anew', { resource: this.resource.resource });
          resourceVersion = '';
          continue;
        }
        if (isStatusError(error)) resourceVersion = '';
        logger.debug('list or watch failed, will be tried again', {
          resource: this.resource.resource,
          error: messageOf(error),
        });
      }
      await clock.sleep(backoff.next(), signal).catch(() => {});
    }
  }

  #selection(): { namespace?: string; labelSelector?: string; fieldSelector?: string; metadataOnly?: boolean } {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    return { namespace, labelSelector, fieldSelector, metadataOnly };
  }

  /** Lists all pages, tells what changed since the last list, and gives the version to watch from. */
  async #list(signal: AbortSignal): Promise<string> {
    const gone = new Set(this.#cache.keys());
    let resourceVersion = '';
    let next: string | undefined;
    do {
      const page = await this.#options.client.list<T>(this.resource, {
        ...this.#selection(),
        limit: PAGE_SIZE,
        continue: next,
        signal,
      });
      for (const item of page.items) {
        gone.delete(keyOf(item));
        this.#put(item);
      }
      resourceVersion = page.resourceVersion;
      next = page.continue;
    } while (next !== undefined);
    for (const key of gone) this.#remove(key);
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      this.#settle.resolve();
    }
    return resourceVersion;
  }

  #take(event: WatchEvent<T>): void {
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#put(event.object);
        return;
      case 'DELETED':
        // The last state comes with the event and is newer than the cached one (deletionTimestamp, final status).
        if (this.#cache.getByKey(keyOf(event.object))) this.#remove(keyOf(event.object), event.object);
        return;
      case 'BOOKMARK':
        return;
    }
  }

  #put(raw: T): void {
    const object = (this.#options.transform ?? dropManagedFields)(raw);
    const before = this.#cache.getByKey(keyOf(object));
    if (before && before.metadata?.resourceVersion === object.metadata?.resourceVersion) return;
    if (before && before.metadata?.uid !== object.metadata?.uid) {
      this.#remove(keyOf(object));
      this.#put(object);
      return;
    }
    this.#cache.set(object);
    for (const handler of this.#handlers)
      this.#call(() => (before ? handler.updated?.(before, object) : handler.added?.(object)));
  }

  #remove(key: string, last?: T): void {
    const before = this.#cache.delete(key);
    if (!before) return;
    const told = last ? (this.#options.transform ?? dropManagedFields)(last) : before;
    for (const handler of this.#handlers) this.#call(() => handler.deleted?.(told));
  }

  #call(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#options.logger.error('a handler of an informer failed', { resource: this.resource.resource, error });
    }
  }
}
