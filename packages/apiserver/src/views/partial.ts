import type { KubeObject } from '@kind-e2e/kube-api';
import type { ListMeta } from './record-encoder.ts';

/** meta.k8s.io PartialObjectMetadata of an object. */
export function partialObject(object: KubeObject, version: string): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata ?? {} };
}

export function partialObjectList(items: readonly KubeObject[], metadata: ListMeta, version: string): unknown {
  return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata, items };
}
