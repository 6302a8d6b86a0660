import { type GroupVersionResource, isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, ignoreNotFound, type KubeClient } from '@kind-e2e/kube-client';
import { controllerOf, controllerReference, type OwnerKind } from './owner-references.ts';

export interface ClaimOptions<T extends ApiObject> {
  readonly client: KubeClient;
  /** The would-be owner. */
  readonly owner: ApiObject;
  readonly ownerKind: OwnerKind;
  readonly ownerResource: GroupVersionResource;
  /** The objects' resource. */
  readonly resource: GroupVersionResource;
  /** Objects that the owner controls, and orphans of its namespace. */
  readonly candidates: readonly T[];
  readonly matches: (object: T) => boolean;
  readonly signal?: AbortSignal;
}

/**
 * The objects that belong to the owner: keeps those it controls and that match, lets go of those that do not match any
 * more, adopts orphans that match (upstream pkg/controller/controller_ref_manager.go).
 */
export async function claimObjects<T extends ApiObject>(options: ClaimOptions<T>): Promise<readonly T[]> {
  const { owner, candidates, matches } = options;
  const isDeleting = owner.metadata?.deletionTimestamp !== undefined;
  const claimed: T[] = [];
  let canAdopt: Promise<boolean> | undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller) {
      if (controller.uid !== owner.metadata?.uid) continue;
      if (matches(object)) claimed.push(object);
      else if (!isDeleting) await release(options, object);
      continue;
    }
    if (isDeleting || object.metadata?.deletionTimestamp !== undefined || !matches(object)) continue;
    canAdopt ??= isStillThere(options);
    if ((await canAdopt) && (await adopt(options, object))) claimed.push(object);
  }
  return claimed;
}

/** Asks the server, not the cache: an owner that was deleted meanwhile must not adopt. */
async function isStillThere<T extends ApiObject>(options: ClaimOptions<T>): Promise<boolean> {
  const { name = '', namespace, uid } = options.owner.metadata ?? {};
  const live = await ignoreNotFound(options.client.get(options.ownerResource, name, namespace, options.signal));
  return live !== undefined && live.metadata?.uid === uid && live.metadata?.deletionTimestamp === undefined;
}

async function adopt<T extends ApiObject>(options: ClaimOptions<T>, object: T): Promise<boolean> {
  const patch = {
    metadata: {
      ownerReferences: [controllerReference(options.owner, options.ownerKind)],
      uid: object.metadata?.uid,
    },
  };
  return await patchOwners(options, object, patch);
}

async function release<T extends ApiObject>(options: ClaimOptions<T>, object: T): Promise<void> {
  const patch = {
    metadata: {
      ownerReferences: [{ $patch: 'delete', uid: options.owner.metadata?.uid }],
      uid: object.metadata?.uid,
    },
  };
  await patchOwners(options, object, patch);
}

/** False where the object is gone, or is another one by now, so that there is nothing to do. */
async function patchOwners<T extends ApiObject>(options: ClaimOptions<T>, object: T, patch: unknown): Promise<boolean> {
  const { name = '', namespace } = object.metadata ?? {};
  try {
    await options.client.patch(options.resource, { name, namespace }, 'strategic', patch, { signal: options.signal });
    return true;
  } catch (error) {
    if (isStatusError(error, 404) || isStatusError(error, 422)) return false;
    throw error;
  }
}
