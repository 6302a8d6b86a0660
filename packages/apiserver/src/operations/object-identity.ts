import { type GroupResource, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { ServedResource } from '../resources/served-resource.ts';
import type { Collection } from '../storage/collection.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export function groupResourceOf(resource: ServedResource): GroupResource {
  return { group: resource.definition.group, resource: resource.definition.plural };
}

export function recordsOf(store: ObjectStore, resource: ServedResource): Collection {
  return store.collection(resource.collection);
}

/** RFC 3339 to the second, as metav1.Time is written. */
export function timestampOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** A field of a spec or status, where objects are only known to be objects. */
export function sectionOf(object: KubeObject, name: 'spec' | 'status'): Record<string, unknown> {
  const section = (object as Record<string, unknown>)[name];
  return isRecord(section) ? section : {};
}
