import type { AdmissionPlugin } from './admission-chain.ts';

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

/** Storage that is in use is not deleted (plugin/storage/storageobjectinuseprotection); the controllers let it go. */
export const inUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate({ resource, operation, subresource, object }) {
    const finalizer = FINALIZERS[resource.collection];
    if (operation !== 'CREATE' || subresource !== '' || finalizer === undefined) return undefined;
    const present = object.metadata?.finalizers ?? [];
    if (present.includes(finalizer)) return undefined;
    return { ...object, metadata: { ...object.metadata, finalizers: [...present, finalizer] } };
  },
};
