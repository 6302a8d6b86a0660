import type { Clock } from '@kind-e2e/base';
import { type KubeObject, trackUpdate } from '@kind-e2e/kube-api';
import type { ServedResource } from '../resources/served-resource.ts';
import { timestampOf } from './object-identity.ts';

/** Writes into an object who set which field by a create or update; in place. */
export function trackFields(
  resource: ServedResource,
  live: KubeObject | undefined,
  object: KubeObject,
  manager: string,
  subresource: string,
  clock: Clock,
): void {
  const schema = resource.behavior.schema();
  if (!schema) return;
  trackUpdate({
    schema,
    gvk: resource.definition,
    ...(live ? { live: live as Record<string, unknown> } : {}),
    object: object as Record<string, unknown>,
    manager,
    subresource,
    now: timestampOf(clock.now()),
    hasStatus: hasStatus(resource),
  });
}

export function hasStatus(resource: ServedResource): boolean {
  return resource.definition.subresources.some(({ name }) => name === 'status');
}
