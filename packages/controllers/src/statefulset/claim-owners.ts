import { ignoreNotFound, RESOURCES } from '@kind-e2e/kube-client';
import type { StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { OwnerReference } from 'kubernetes-types/meta/v1.d.ts';
import { isSameJson } from '../equality.ts';
import { controllerReference } from '../ownership/owner-references.ts';
import type { StatefulPass } from './stateful-control.ts';
import { claimsOf, ordinalOf, STATEFULSET_KIND } from './stateful-pods.ts';

const POD_KIND = { apiVersion: 'v1', kind: 'Pod' };

/**
 * Makes the owners of a pod's claims those that the retention policy asks for: the set with `whenDeleted: Delete`, and
 * with `whenScaled: Delete` the pod itself once it goes for good; the garbage collector does the rest
 * (stateful_set_utils.go updateClaimOwnerRefForSetAndPod).
 */
export async function keepClaimOwners(pass: StatefulPass, pod: Pod, isScaledDown: boolean): Promise<void> {
  const { client, set, signal } = pass;
  for (const { metadata } of claimsOf(set, ordinalOf(set, pod))) {
    const { name = '', namespace } = metadata ?? {};
    const claim = pass.claim(name);
    if (!claim) continue;
    const before = claim.metadata?.ownerReferences ?? [];
    const ownerReferences = wantedOwners(before, set, pod, isScaledDown);
    if (isSameJson(before, ownerReferences)) continue;
    const patch = { metadata: { resourceVersion: claim.metadata?.resourceVersion, ownerReferences } };
    await ignoreNotFound(
      client.patch(RESOURCES.persistentvolumeclaims, { name, namespace }, 'merge', patch, { signal }),
    );
  }
}

function wantedOwners(
  before: readonly OwnerReference[],
  set: StatefulSet,
  pod: Pod,
  isScaledDown: boolean,
): OwnerReference[] {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  const goesWithPod = isScaledDown && policy?.whenScaled === 'Delete';
  const goesWithSet = policy?.whenDeleted === 'Delete' && !goesWithPod;
  const keep = (owner: { metadata?: { uid?: string } }, isWanted: boolean, made: OwnerReference): OwnerReference[] => {
    const current = before.filter((reference) => reference.uid === owner.metadata?.uid);
    if (!isWanted) return [];
    return current.length > 0 ? current : [made];
  };
  const others = before.filter(({ uid }) => uid !== set.metadata?.uid && uid !== pod.metadata?.uid);
  return [
    ...others,
    ...keep(set, goesWithSet, controllerReference(set, STATEFULSET_KIND)),
    ...keep(pod, goesWithPod, controllerReference(pod, POD_KIND)),
  ];
}
