import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PersistentVolume, PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';

/** The provisioner of the class `standard`, as kind has it. */
export const LOCAL_PROVISIONER = 'rancher.io/local-path';

/** Where a claim asks for its volume's folder, by annotations that kind's provisioner sets too. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

/** The folder of a volume that the provisioner made. */
function folderOf(directory: string, name: string): string {
  return join(directory, name);
}

/** Makes the folder and gives the volume for a claim, bound to the node that the scheduler chose. */
export async function provisionLocalVolume(
  directory: string,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  nodeName: string | undefined,
): Promise<PersistentVolume> {
  const name = `pvc-${claim.metadata?.uid}`;
  const path = folderOf(directory, name);
  await mkdir(path, { recursive: true, mode: 0o777 });
  const { accessModes = ['ReadWriteOnce'], volumeMode = 'Filesystem', resources } = claim.spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER } },
    spec: {
      accessModes,
      capacity: { storage: resources?.requests?.storage ?? '1Gi' },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        ...(claim.metadata?.name ? { name: claim.metadata.name } : {}),
        ...(claim.metadata?.namespace ? { namespace: claim.metadata.namespace } : {}),
        ...(claim.metadata?.uid ? { uid: claim.metadata.uid } : {}),
        ...(claim.metadata?.resourceVersion ? { resourceVersion: claim.metadata.resourceVersion } : {}),
      },
      hostPath: { path, type: 'DirectoryOrCreate' },
      ...(nodeName
        ? {
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] },
                ],
              },
            },
          }
        : {}),
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      ...(storageClass.metadata?.name ? { storageClassName: storageClass.metadata.name } : {}),
      volumeMode,
    },
  };
}

/** Deletes the folder of a volume that this provisioner made. */
export async function deleteLocalVolume(directory: string, volume: PersistentVolume): Promise<void> {
  const { name } = volume.metadata ?? {};
  // Only our own folder: the path in the object may have been written by anybody.
  if (name && volume.spec?.hostPath?.path === folderOf(directory, name))
    await rm(folderOf(directory, name), { recursive: true, force: true });
}
