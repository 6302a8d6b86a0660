import type { Logger } from '@kind-e2e/base';
import type { GroupVersionResource, KubeObject } from '@kind-e2e/kube-api';

/** Where the API server is and who asks. */
export interface KubeConnection {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly caPem?: string;
  readonly token?: string;
  readonly clientCertPem?: string;
  readonly clientKeyPem?: string;
  /** Goes into `User-Agent`. */
  readonly userAgent?: string;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: KubeObject };

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  /** `status`, `scale`, `eviction`, `binding`, `token`, … */
  readonly subresource?: string;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly signal?: AbortSignal;
}

/** One client of the API server. Every failed answer is a `StatusError` of `@kind-e2e/kube-api`. */
export interface KubeClient extends AsyncDisposable {
  readonly connection: KubeConnection;
  get<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    namespace?: string,
    signal?: AbortSignal,
  ): Promise<T>;
  list<T extends KubeObject>(
    resource: GroupVersionResource,
    options?: ListOptions,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string; readonly continue?: string }>;
  create<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options?: WriteOptions & { name?: string },
  ): Promise<T>;
  /** Optimistic: a `Conflict` where metadata.resourceVersion is set and old. */
  update<T extends KubeObject>(resource: GroupVersionResource, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: GroupVersionResource,
    target: { readonly name: string; readonly namespace?: string },
    type: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): Promise<T>;
  delete(
    resource: GroupVersionResource,
    target: { readonly name: string; readonly namespace?: string },
    options?: DeleteOptions,
  ): Promise<KubeObject>;
  /** Events until the server ends the watch or the signal aborts. Expired versions throw a `StatusError` with code 410. */
  watch<T extends KubeObject>(resource: GroupVersionResource, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Any other request: `path` with its query, JSON in and out unless `raw`. */
  request(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>;
}

export interface InformerOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: GroupVersionResource;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly logger: Logger;
  /** Index functions by name: an object is found under each key that its function gives. */
  readonly indexers?: Readonly<Record<string, (object: T) => readonly string[]>>;
}

export interface InformerHandler<T extends KubeObject> {
  added?(object: T): void;
  updated?(before: T, after: T): void;
  deleted?(last: T): void;
}

/**
 * A cache of one resource kept true by list and watch (client-go's SharedIndexInformer): resumes after a lost
 * connection, lists anew after 410, never forgets a deletion. Cached objects must not be changed.
 */
export interface Informer<T extends KubeObject> extends AsyncDisposable {
  /** Resolves when the first list is in the cache. */
  readonly synced: Promise<void>;
  get(name: string, namespace?: string): T | undefined;
  list(namespace?: string): readonly T[];
  byIndex(index: string, key: string): readonly T[];
  /** Calls `added` for what is there already, then for each change. Dispose to stop. */
  addHandler(handler: InformerHandler<T>): Disposable;
}
