import type { OwnerReference } from '@kind-e2e/kube-api';
import type { ApiObject } from '@kind-e2e/kube-client';

/** A kind of object that owns others. */
export interface OwnerKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The reference of the managing controller, if there is one (metav1.GetControllerOf). */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

/** A reference that makes `owner` the managing controller (metav1.NewControllerRef). */
export function controllerReference(owner: ApiObject, kind: OwnerKind): OwnerReference {
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    name: owner.metadata?.name ?? '',
    uid: owner.metadata?.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The key of the managing controller where it is of this kind: for the sources of a controller. */
export function keysOfController(object: ApiObject, kind: OwnerKind): readonly string[] {
  const owner = controllerOf(object);
  if (!owner || owner.kind !== kind.kind || groupOf(owner.apiVersion) !== groupOf(kind.apiVersion)) return [];
  return [`${object.metadata?.namespace ?? ''}/${owner.name}`];
}

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
