import { parseQuantity, quantityValue } from '@kind-e2e/kube-api';
import type { PersistentVolume, PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import { selects } from '../ownership/selectors.ts';

function bytesOf(text: string | undefined): number {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity ? quantityValue(quantity) : 0;
}

/** Whether a volume is meant for the claim by its claimRef. */
export function isReservedFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  if (!reference) return false;
  return (
    reference.name === claim.metadata?.name &&
    reference.namespace === claim.metadata?.namespace &&
    (!reference.uid || reference.uid === claim.metadata?.uid)
  );
}

/**
 * The volume that fits a claim best: the one reserved for it, else the smallest free one with its class, access modes,
 * volume mode, size and labels (component-helpers volume.FindMatchingVolume).
 */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
): PersistentVolume | undefined {
  const wanted = bytesOf(claim.spec?.resources?.requests?.storage);
  const mode = claim.spec?.volumeMode ?? 'Filesystem';
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (volume.metadata?.deletionTimestamp || (volume.spec?.volumeMode ?? 'Filesystem') !== mode) continue;
    const size = bytesOf(volume.spec?.capacity?.storage);
    if (isReservedFor(volume, claim)) {
      if (size >= wanted) return volume;
      continue;
    }
    if (volume.spec?.claimRef || size < wanted) continue;
    const phase = volume.status?.phase;
    if (phase !== undefined && phase !== 'Available' && phase !== 'Pending') continue;
    if ((volume.spec?.storageClassName ?? '') !== (claim.spec?.storageClassName ?? '')) continue;
    if (claim.spec?.selector && !selects(claim.spec.selector, volume.metadata?.labels)) continue;
    const modes = volume.spec?.accessModes ?? [];
    if (!(claim.spec?.accessModes ?? []).every((accessMode) => modes.includes(accessMode))) continue;
    if (!best || size < bytesOf(best.spec?.capacity?.storage)) best = volume;
  }
  return best;
}
