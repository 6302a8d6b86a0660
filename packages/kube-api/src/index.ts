export type { GroupVersionResource, KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from './object.ts';
export { isStatusError, type Status, type StatusCause, type StatusDetails, StatusError } from './status.ts';
