import { Readable } from 'node:stream';
import { systemClock } from '@kind-e2e/base';
import { type GroupVersionResource, StatusError } from '@kind-e2e/kube-api';
import { isStatus, statusErrorOf } from './answers.ts';
import { readLines } from './lines.ts';
import { queryString, resourcePath } from './paths.ts';
import { createTransport, type Transport } from './transport.ts';
import type {
  ApiObject,
  DeleteOptions,
  KubeClient,
  KubeClientOptions,
  KubeConnection,
  ListOptions,
  PatchType,
  ResourceList,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './types.ts';

const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Times that a request told `429` with `Retry-After` is sent again (client-go's rest.Request does 10). */
const MAX_RETRIES = 10;
/** A server that wants a longer wait says no rather than not yet: an eviction that a budget forbids asks for ten seconds. */
const MAX_RETRY_AFTER_S = 5;

interface WireList<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: T[] | null;
}

/** Makes a client; it connects with the first request. Dispose it to close its connections and watches. */
export function createKubeClient(connection: KubeConnection, options: KubeClientOptions = {}): KubeClient {
  return new HttpKubeClient(connection, options);
}

class HttpKubeClient implements KubeClient {
  readonly connection: KubeConnection;
  readonly #transport: Transport;
  readonly #clock: NonNullable<KubeClientOptions['clock']>;

  constructor(connection: KubeConnection, options: KubeClientOptions) {
    this.connection = connection;
    this.#clock = options.clock ?? systemClock;
    this.#transport = createTransport(connection, { maxConnections: options.maxConnections ?? 8, clock: this.#clock });
  }

  async #json<T>(
    method: string,
    path: string,
    body?: unknown,
    options: { accept?: string; contentType?: string; signal?: AbortSignal } = {},
  ): Promise<T> {
    const headers: Record<string, string> = { accept: options.accept ?? 'application/json' };
    if (body !== undefined) headers['content-type'] = options.contentType ?? 'application/json';
    const payload = body === undefined ? undefined : JSON.stringify(body);
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#transport.send(method, path, { headers, body: payload, signal: options.signal });
      const text = await answer.body.text();
      if (answer.statusCode < 400) return JSON.parse(text) as T;
      const retryAfter = Number(answer.headers['retry-after']);
      if (answer.statusCode !== 429 || !(retryAfter >= 0 && retryAfter <= MAX_RETRY_AFTER_S) || attempt >= MAX_RETRIES)
        throw statusErrorOf(answer.statusCode, text);
      await this.#clock.sleep(retryAfter * 1000, options.signal);
    }
  }

  get<T extends ApiObject>(
    resource: GroupVersionResource,
    name: string,
    namespace?: string,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#json<T>('GET', resourcePath(resource, { namespace, name }), undefined, { signal });
  }

  async list<T extends ApiObject>(resource: GroupVersionResource, options: ListOptions = {}): Promise<ResourceList<T>> {
    const path = resourcePath(resource, { namespace: options.namespace }) + queryString(listParameters(options));
    const list = await this.#json<WireList<T>>('GET', path, undefined, {
      accept: acceptOf(options, 'PartialObjectMetadataList'),
      signal: options.signal,
    });
    const items = list.items ?? [];
    const kind = list.kind?.endsWith('List') ? list.kind.slice(0, -'List'.length) : undefined;
    for (const item of items) {
      item.apiVersion ??= list.apiVersion;
      item.kind ??= kind;
    }
    return {
      items,
      resourceVersion: list.metadata?.resourceVersion ?? '',
      ...(list.metadata?.continue ? { continue: list.metadata.continue } : {}),
    };
  }

  create<T extends ApiObject>(
    resource: GroupVersionResource,
    object: T,
    options: WriteOptions & { name?: string } = {},
  ): Promise<T> {
    const target = {
      namespace: object.metadata?.namespace,
      name: options.subresource === undefined ? undefined : (options.name ?? object.metadata?.name),
      subresource: options.subresource,
    };
    const path = resourcePath(resource, target) + queryString(writeParameters(options));
    return this.#json<T>('POST', path, object, { signal: options.signal });
  }

  update<T extends ApiObject>(resource: GroupVersionResource, object: T, options: WriteOptions = {}): Promise<T> {
    const target = {
      namespace: object.metadata?.namespace,
      name: object.metadata?.name,
      subresource: options.subresource,
    };
    const path = resourcePath(resource, target) + queryString(writeParameters(options));
    return this.#json<T>('PUT', path, object, { signal: options.signal });
  }

  patch<T extends ApiObject>(
    resource: GroupVersionResource,
    target: { readonly name: string; readonly namespace?: string },
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<T> {
    const path =
      resourcePath(resource, { ...target, subresource: options.subresource }) + queryString(writeParameters(options));
    return this.#json<T>('PATCH', path, patch, { contentType: PATCH_TYPES[type], signal: options.signal });
  }

  delete(
    resource: GroupVersionResource,
    target: { readonly name: string; readonly namespace?: string },
    options: DeleteOptions = {},
  ): Promise<ApiObject> {
    return this.#json<ApiObject>('DELETE', resourcePath(resource, target), deleteBody(options), {
      signal: options.signal,
    });
  }

  async deleteCollection(resource: GroupVersionResource, options: ListOptions & DeleteOptions = {}): Promise<void> {
    const path = resourcePath(resource, { namespace: options.namespace }) + queryString(listParameters(options));
    await this.#json<unknown>('DELETE', path, deleteBody(options), { signal: options.signal });
  }

  async *watch<T extends ApiObject>(
    resource: GroupVersionResource,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { signal } = options;
    const path =
      resourcePath(resource, { namespace: options.namespace }) +
      queryString({
        ...listParameters(options),
        watch: true,
        allowWatchBookmarks: options.allowWatchBookmarks ?? true,
        timeoutSeconds: options.timeoutSeconds,
      });
    try {
      const answer = await this.#transport.send('GET', path, {
        headers: { accept: acceptOf(options, 'PartialObjectMetadata') },
        signal,
        stream: true,
      });
      if (answer.statusCode >= 400) throw statusErrorOf(answer.statusCode, await answer.body.text());
      for await (const line of readLines(answer.body)) {
        const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: unknown };
        if (event.type === 'ERROR') throw errorOfEvent(event.object);
        yield event;
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  async request(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const { body } = options;
    const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const headers = { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...options.headers };
    const answer = await this.#transport.send(method, path, {
      headers,
      body: isRaw ? body : JSON.stringify(body),
      signal: options.signal,
      stream: true,
    });
    const answered = new Headers();
    for (const [name, value] of Object.entries(answer.headers))
      if (value !== undefined) answered.set(name, Array.isArray(value) ? value.join(', ') : value);
    const isEmpty = answer.statusCode === 204 || answer.statusCode === 304;
    if (isEmpty) await answer.body.dump();
    const stream = isEmpty ? null : (Readable.toWeb(answer.body) as ReadableStream<Uint8Array>);
    return new Response(stream, { status: answer.statusCode, headers: answered });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

function acceptOf(options: ListOptions, partial: string): string {
  return options.metadataOnly
    ? `application/json;as=${partial};g=meta.k8s.io;v=v1,application/json`
    : 'application/json';
}

function errorOfEvent(object: unknown): StatusError {
  if (isStatus(object)) return new StatusError(object);
  return statusErrorOf(500, `the watch failed: ${JSON.stringify(object)}`);
}

function listParameters(options: ListOptions): Record<string, string | number | undefined> {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  };
}

function writeParameters(options: WriteOptions): Record<string, string | boolean | undefined> {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun ? 'All' : undefined,
    force: options.force,
  };
}

function deleteBody(options: DeleteOptions): unknown {
  const { gracePeriodSeconds, propagationPolicy, preconditions } = options;
  if (gracePeriodSeconds === undefined && propagationPolicy === undefined && preconditions === undefined)
    return undefined;
  return { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds, propagationPolicy, preconditions };
}
