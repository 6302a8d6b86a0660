import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { specOf } from './pod-parts.ts';

const STORAGE_DEFAULT = 'storageclass.kubernetes.io/is-default-class';
const INGRESS_DEFAULT = 'ingressclass.kubernetes.io/is-default-class';

/** Claims get the default storage class, ingresses the default ingress class (plugin/storage, plugin/network). */
export function defaultClasses(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass,DefaultIngressClass',
    mutate({ resource, operation, subresource, object }) {
      if (operation !== 'CREATE' || subresource !== '') return undefined;
      if (resource.collection === 'persistentvolumeclaims') {
        const spec = specOf(object);
        const named = object.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'];
        if (spec.storageClassName === undefined && named === undefined) {
          const name = defaultNamed(store, 'storage.k8s.io/storageclasses', STORAGE_DEFAULT);
          if (name !== undefined) spec.storageClassName = name;
        }
      } else if (resource.collection === 'networking.k8s.io/ingresses') {
        const spec = specOf(object);
        const named = object.metadata?.annotations?.['kubernetes.io/ingress.class'];
        if (spec.ingressClassName === undefined && named === undefined) {
          const name = defaultNamed(store, 'networking.k8s.io/ingressclasses', INGRESS_DEFAULT);
          if (name !== undefined) spec.ingressClassName = name;
        }
      }
      return undefined;
    },
  };
}

/** The newest of those that are marked; by name where they are of an age. */
function defaultNamed(store: ObjectStore, collection: string, annotation: string): string | undefined {
  const marked = [...store.collection(collection).records()]
    .filter(({ object }) => object.metadata?.annotations?.[annotation] === 'true')
    .sort((a, b) => b.createRevision - a.createRevision);
  return marked[0]?.name;
}
