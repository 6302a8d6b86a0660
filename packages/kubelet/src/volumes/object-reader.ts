import type { Clock } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { ConfigMap, Secret } from 'kubernetes-types/core/v1.d.ts';

/** The content of a ConfigMap or Secret by key. */
export interface KeyedData {
  readonly kind: 'configmap' | 'secret';
  readonly data: ReadonlyMap<string, Buffer>;
}

interface Cached {
  readonly at: number;
  readonly value: Promise<KeyedData | undefined>;
}

/**
 * ConfigMaps and Secrets, read when pods need them and again at most every `maxAgeMs`, however many pods and kubelets
 * of the process ask (kubelet's TTL-based manager: no watch for each object).
 */
export class ObjectReader {
  readonly #clock: Clock;
  readonly maxAgeMs: number;
  readonly #cache = new Map<string, Cached>();

  constructor(clock: Clock, maxAgeMs: number) {
    this.#clock = clock;
    this.maxAgeMs = maxAgeMs;
  }

  /** Undefined when it is not there. `maxAgeMs` 0 asks anew. */
  get(
    client: KubeClient,
    kind: KeyedData['kind'],
    namespace: string,
    name: string,
    maxAgeMs = this.maxAgeMs,
  ): Promise<KeyedData | undefined> {
    const key = `${kind}/${namespace}/${name}`;
    const now = this.#clock.monotonic();
    const known = this.#cache.get(key);
    if (known && now - known.at < maxAgeMs) return known.value;
    const value = read(client, kind, namespace, name);
    this.#cache.set(key, { at: now, value });
    value.catch(() => this.#cache.delete(key));
    if (this.#cache.size > 1_000) this.#forget(now);
    return value;
  }

  #forget(now: number): void {
    for (const [key, entry] of this.#cache) if (now - entry.at > 60_000) this.#cache.delete(key);
  }
}

async function read(
  client: KubeClient,
  kind: KeyedData['kind'],
  namespace: string,
  name: string,
): Promise<KeyedData | undefined> {
  try {
    const data = new Map<string, Buffer>();
    if (kind === 'configmap') {
      const object = await client.get<ConfigMap>(RESOURCES.configmaps, name, namespace);
      for (const [key, text] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(text));
      for (const [key, text] of Object.entries(object.binaryData ?? {})) data.set(key, Buffer.from(text, 'base64'));
    } else {
      const object = await client.get<Secret>(RESOURCES.secrets, name, namespace);
      for (const [key, text] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(text, 'base64'));
    }
    return { kind, data };
  } catch (error) {
    if (isStatusError(error, 404)) return undefined;
    throw error;
  }
}
