import type { Clock } from '@kind-e2e/base';
import type { KubeObject } from '@kind-e2e/kube-api';
import type { ServedResource } from '../resources/served-resource.ts';

/** Writes who set which field by a create or update (fieldmanager.UpdateNoErrors). */
export function trackUpdate(
  _resource: ServedResource,
  _old: KubeObject | undefined,
  object: KubeObject,
  _manager: string,
  _subresource: string,
  _clock: Clock,
): KubeObject {
  return object;
}
