import { keyFor, keyOf } from './objects.ts';
import type { ApiObject } from './types.ts';

type Bucket<T> = Map<string, T>;

/** Objects by namespace and name, and by the keys of index functions (client-go's ThreadSafeStore). */
export class ObjectCache<T extends ApiObject> {
  readonly #objects = new Map<string, T>();
  readonly #byNamespace = new Map<string, Bucket<T>>();
  readonly #indexers: Readonly<Record<string, (object: T) => readonly string[]>>;
  readonly #indices = new Map<string, Map<string, Bucket<T>>>();

  constructor(indexers: Readonly<Record<string, (object: T) => readonly string[]>> = {}) {
    this.#indexers = indexers;
    for (const name of Object.keys(indexers)) this.#indices.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#objects.get(keyFor(name, namespace));
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    const objects = namespace === undefined ? this.#objects : this.#byNamespace.get(namespace);
    return objects ? [...objects.values()] : [];
  }

  byIndex(index: string, key: string): readonly T[] {
    const buckets = this.#indices.get(index);
    if (!buckets) throw new RangeError(`the informer has no index "${index}"`);
    const bucket = buckets.get(key);
    return bucket ? [...bucket.values()] : [];
  }

  /** Puts the object in and gives back what was there. */
  set(object: T): T | undefined {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (before) this.#unindex(key, before);
    this.#objects.set(key, object);
    addTo(this.#byNamespace, object.metadata?.namespace ?? '', key, object);
    for (const [name, keysOf] of Object.entries(this.#indexers)) {
      const buckets = this.#indices.get(name);
      if (buckets) for (const indexKey of keysOf(object)) addTo(buckets, indexKey, key, object);
    }
    return before;
  }

  delete(key: string): T | undefined {
    const before = this.#objects.get(key);
    if (!before) return undefined;
    this.#objects.delete(key);
    this.#unindex(key, before);
    return before;
  }

  #unindex(key: string, object: T): void {
    removeFrom(this.#byNamespace, object.metadata?.namespace ?? '', key);
    for (const [name, keysOf] of Object.entries(this.#indexers)) {
      const buckets = this.#indices.get(name);
      if (buckets) for (const indexKey of keysOf(object)) removeFrom(buckets, indexKey, key);
    }
  }
}

function addTo<T>(buckets: Map<string, Bucket<T>>, bucketKey: string, key: string, object: T): void {
  let bucket = buckets.get(bucketKey);
  if (!bucket) {
    bucket = new Map();
    buckets.set(bucketKey, bucket);
  }
  bucket.set(key, object);
}

function removeFrom<T>(buckets: Map<string, Bucket<T>>, bucketKey: string, key: string): void {
  const bucket = buckets.get(bucketKey);
  if (!bucket) return;
  bucket.delete(key);
  if (bucket.size === 0) buckets.delete(bucketKey);
}
