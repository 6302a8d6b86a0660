import type { Clock, Logger } from '@kind-e2e/base';
import type { GroupVersionResource, ObjectMeta } from '@kind-e2e/kube-api';

/** Any object that the client carries: `KubeObject`, and what the interfaces of `kubernetes-types` describe. */
export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata?: Omit<ObjectMeta, 'managedFields'> & { managedFields?: object[] };
}

/** Where the API server is and who asks. */
export interface KubeConnection {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. Without it the system's authorities count. */
  readonly caPem?: string;
  readonly token?: string;
  /** A file that holds the token and is read anew each minute (tokens of service accounts rotate). Wins over `token`. */
  readonly tokenFile?: string;
  readonly clientCertPem?: string;
  readonly clientKeyPem?: string;
  /** The certificate is checked against this name instead of the server's host name. */
  readonly tlsServerName?: string;
  /** Takes any certificate; only where the kubeconfig says so. */
  readonly insecureSkipTlsVerify?: boolean;
  /** A Unix socket to connect to in place of the host of `server`. */
  readonly socketPath?: string;
  /** The namespace of the kubeconfig's context or of the service account. */
  readonly namespace?: string;
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
  /** Asks for PartialObjectMetadata: objects without spec, status and data. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends ListOptions {
  /** Default true. */
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

/** A failed watch (`ERROR` on the wire) is thrown as a `StatusError`. */
export type WatchEvent<T extends ApiObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: T };

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

export interface ResourceList<T extends ApiObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

/** One client of the API server. Every failed answer is a `StatusError` of `@kind-e2e/kube-api`. */
export interface KubeClient extends AsyncDisposable {
  readonly connection: KubeConnection;
  get<T extends ApiObject>(
    resource: GroupVersionResource,
    name: string,
    namespace?: string,
    signal?: AbortSignal,
  ): Promise<T>;
  /** Items get the `apiVersion` and `kind` that lists leave out. */
  list<T extends ApiObject>(resource: GroupVersionResource, options?: ListOptions): Promise<ResourceList<T>>;
  /** With `subresource`, `name` names the object that the subresource belongs to. */
  create<T extends ApiObject>(
    resource: GroupVersionResource,
    object: T,
    options?: WriteOptions & { name?: string },
  ): Promise<T>;
  /** Optimistic: a `Conflict` where metadata.resourceVersion is set and old. */
  update<T extends ApiObject>(resource: GroupVersionResource, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends ApiObject>(
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
  ): Promise<ApiObject>;
  deleteCollection(resource: GroupVersionResource, options?: ListOptions & DeleteOptions): Promise<void>;
  /** Events until the server ends the watch or the signal aborts. Expired versions throw a `StatusError` with code 410. */
  watch<T extends ApiObject>(resource: GroupVersionResource, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Any other request: `path` with its query; a body that is no string or bytes is sent as JSON. Gives any status back. */
  request(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>;
}

export interface KubeClientOptions {
  readonly clock?: Clock;
  /** Connections for requests that are no watches. Default 8. */
  readonly maxConnections?: number;
}

export interface InformerOptions<T extends ApiObject> {
  readonly client: KubeClient;
  readonly resource: GroupVersionResource;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly logger: Logger;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Keeps only apiVersion, kind and metadata of objects, and has only these sent. */
  readonly metadataOnly?: boolean;
  /** Index functions by name: an object is found under each key that its function gives. */
  readonly indexers?: Readonly<Record<string, (object: T) => readonly string[]>>;
  /**
   * What the cache keeps of an object, to save memory; may change its argument. Default `dropManagedFields`: an update
   * without managedFields keeps those that the server has.
   */
  readonly transform?: (object: T) => T;
}

export interface InformerHandler<T extends ApiObject> {
  added?(object: T): void;
  updated?(before: T, after: T): void;
  deleted?(last: T): void;
}

/**
 * A cache of one resource kept true by list and watch (client-go's SharedIndexInformer): resumes after a lost
 * connection, lists anew after 410, never forgets a deletion. Cached objects must not be changed.
 * An object that was deleted and made anew under its name while the watch was away is told as `deleted`, then `added`.
 */
export interface Informer<T extends ApiObject> extends AsyncDisposable {
  readonly resource: GroupVersionResource;
  /** Resolves when the first list is in the cache; rejects when disposed before. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  get(name: string, namespace?: string): T | undefined;
  list(namespace?: string): readonly T[];
  byIndex(index: string, key: string): readonly T[];
  /** Calls `added` for what is there already, then for each change. Dispose to stop. */
  addHandler(handler: InformerHandler<T>): Disposable;
}
