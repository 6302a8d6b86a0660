import { jsonEquals, type KubeObject } from '@kind-e2e/kube-api';

/** Equal as JSON, but for the times of managedFields: those alone are no change (`fieldmanager.IgnoreManagedFieldsTimestampsTransformer`). */
export function isSameObject(a: KubeObject, b: KubeObject): boolean {
  const { managedFields: fieldsA, ...metadataA } = a.metadata ?? {};
  const { managedFields: fieldsB, ...metadataB } = b.metadata ?? {};
  if (!jsonEquals(metadataA, metadataB)) return false;
  if (!jsonEquals({ ...a, metadata: undefined }, { ...b, metadata: undefined })) return false;
  return jsonEquals((fieldsA ?? []).map(withoutTime), (fieldsB ?? []).map(withoutTime));
}

function withoutTime<T extends { time?: string }>(entry: T): Omit<T, 'time'> {
  const { time: _time, ...rest } = entry;
  return rest;
}
