import type { PersistentVolume, PersistentVolumeClaim, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';
import { findMatchingVolume } from '../../volumes/matching.ts';
import { matchesNodeSelector } from '../node-selection.ts';
import type { NodeState } from '../node-state.ts';
import { type Rejection, unresolvable } from '../rejection.ts';

/** The volumes of the cluster, as the scheduler sees them. */
export interface VolumeView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
}

const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

/** Names of the claims that a pod's volumes stand for. */
export function claimNamesOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral ? [`${pod.metadata?.name}-${volume.name}`] : [];
  });
}

/** Upstream plugin VolumeBinding: what the claims of one pod allow. */
export class VolumeFilter {
  readonly #view: VolumeView;
  readonly #bound: PersistentVolume[] = [];
  /** Claims that are bound when the pod's node is known. */
  readonly waiting: PersistentVolumeClaim[] = [];
  /** Why the pod can run nowhere for now. */
  readonly preFilterMessage: string | undefined;

  constructor(pod: Pod, view: VolumeView) {
    this.#view = view;
    this.preFilterMessage = this.#read(pod);
  }

  #read(pod: Pod): string | undefined {
    let hasUnbound = false;
    for (const name of claimNamesOf(pod)) {
      const claim = this.#view.claim(pod.metadata?.namespace ?? '', name);
      if (!claim) return `persistentvolumeclaim "${name}" not found`;
      if (claim.metadata?.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
      if (claim.status?.phase === 'Lost')
        return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName}"`;
      if (claim.spec?.volumeName) {
        const volume = this.#view.volume(claim.spec.volumeName);
        if (volume && claim.status?.phase === 'Bound') {
          this.#bound.push(volume);
          continue;
        }
      }
      const storageClass = this.#view.storageClass(claim.spec?.storageClassName ?? '');
      if (storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && !claim.spec?.volumeName)
        this.waiting.push(claim);
      else hasUnbound = true;
    }
    return hasUnbound ? 'pod has unbound immediate PersistentVolumeClaims' : undefined;
  }

  filter(node: NodeState): Rejection | undefined {
    for (const volume of this.#bound) {
      const required = volume.spec?.nodeAffinity?.required;
      if (required && !matchesNodeSelector(required, node))
        return unresolvable("node(s) didn't match PersistentVolume's node affinity");
    }
    for (const claim of this.waiting) {
      const isAllowed = (volume: PersistentVolume): boolean => {
        const required = volume.spec?.nodeAffinity?.required;
        return !required || matchesNodeSelector(required, node);
      };
      if (findMatchingVolume(claim, this.#view.volumes().filter(isAllowed))) continue;
      const provisioner = this.#view.storageClass(claim.spec?.storageClassName ?? '')?.provisioner;
      if (!provisioner || provisioner === NO_PROVISIONER)
        return unresolvable("node(s) didn't find available persistent volumes to bind");
    }
    return undefined;
  }
}
