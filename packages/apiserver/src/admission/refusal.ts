import { forbidden, type KubeObject, type StatusError } from '@kind-e2e/kube-api';
import { groupResourceOf } from '../operations/object-identity.ts';
import type { ServedResource } from '../resources/served-resource.ts';

/** The 403 of an admission plugin (`admission.NewForbidden`). */
export function forbiddenBy(resource: ServedResource, object: KubeObject, problem: string): StatusError {
  return forbidden(groupResourceOf(resource), nameOf(object), problem);
}

function nameOf(object: KubeObject): string {
  return object.metadata?.name || object.metadata?.generateName || 'Unknown';
}
