import { type Clock, type Logger, systemClock, WorkQueue } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { parseKey } from './objects.ts';
import type { ApiObject, Informer } from './types.ts';

/** What is to be reconciled: never the event, only the name (controller-runtime's reconcile.Request). */
export interface ReconcileRequest {
  /** '' for an object of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
  /** `namespace/name`, as `keyOf` makes it. */
  readonly key: string;
  /** Aborted when the controller is disposed. */
  readonly signal: AbortSignal;
}

export type ReconcileResult = { readonly requeueAfterMs?: number } | undefined;

/** Where keys come from: each change of an object in the informer adds the keys that `keys` gives for it. */
export interface ControllerSource {
  readonly informer: { readonly synced: Promise<void> };
  readonly attach: (add: (key: string) => void) => Disposable;
}

export interface ControllerOptions {
  readonly name: string;
  readonly sources: readonly ControllerSource[];
  readonly reconcile: (request: ReconcileRequest) => Promise<ReconcileResult>;
  readonly logger: Logger;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Keys worked on at once. Default 4. */
  readonly concurrency?: number;
  /** Informers that reconcile reads but that add no keys: the first reconcile waits for them too. */
  readonly reads?: readonly { readonly synced: Promise<void> }[];
}

export interface Controller extends AsyncDisposable {
  readonly name: string;
  /** Keys waiting or worked on. */
  readonly size: number;
  enqueue(key: string): void;
  enqueueAfter(key: string, ms: number): void;
}

/** The delay after a write that lost against a newer version: the cache needs a moment to see the winner. */
const CONFLICT_RETRY_MS = 10;

/** A source for `createController`: `keys` is asked for the state before and after a change. */
export function source<T extends ApiObject>(
  informer: Informer<T>,
  keys: (object: T) => Iterable<string>,
): ControllerSource {
  return {
    informer,
    attach: (add) => {
      const addAll = (object: T): void => {
        for (const key of keys(object)) add(key);
      };
      return informer.addHandler({
        added: addAll,
        updated: (before, after) => {
          addAll(before);
          addAll(after);
        },
        deleted: addAll,
      });
    },
  };
}

/**
 * A level-triggered reconcile loop: changes in the informers become keys, each key is reconciled by one worker at a
 * time, what throws is tried again with back-off. Starts when all informers have synced.
 */
export function createController(options: ControllerOptions): Controller {
  const logger = options.logger.child({ controller: options.name });
  const abort = new AbortController();
  const early = new Set<string>();
  let started = false;
  const queue = new WorkQueue(
    async (key) => {
      try {
        return await options.reconcile({ ...parseKey(key), key, signal: abort.signal });
      } catch (error) {
        if (abort.signal.aborted) return undefined;
        if (!isStatusError(error, 409) || error.reason !== 'Conflict') throw error;
        logger.debug('lost against a newer version, will be tried again', { key });
        return { requeueAfterMs: CONFLICT_RETRY_MS };
      }
    },
    { clock: options.clock ?? systemClock, logger, concurrency: options.concurrency ?? 4 },
  );
  const enqueue = (key: string): void => {
    if (started) queue.add(key);
    else early.add(key);
  };
  const attached = options.sources.map((from) => from.attach(enqueue));
  const start = Promise.all(
    [...options.sources.map((from) => from.informer), ...(options.reads ?? [])].map((i) => i.synced),
  )
    .then(() => {
      started = true;
      for (const key of early) queue.add(key);
      early.clear();
    })
    .catch(() => {});
  let done: Promise<void> | undefined;
  return {
    name: options.name,
    get size() {
      return queue.size + early.size;
    },
    enqueue,
    enqueueAfter: (key, ms) => queue.addAfter(key, ms),
    [Symbol.asyncDispose]() {
      done ??= (async () => {
        abort.abort(new Error('the controller was disposed'));
        for (const handle of attached) handle[Symbol.dispose]();
        await queue[Symbol.asyncDispose]();
        if (started) await start;
      })();
      return done;
    },
  };
}
