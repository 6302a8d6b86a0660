import { invalid, type KubeObject } from '@kind-e2e/kube-api';
import type { ApiContext } from '../api-context.ts';
import type { ServedResource } from '../resources/served-resource.ts';

/** Gives a Service its addresses and ports, in place. Throws 422 where it cannot have what it asks for. */
export function allocate(
  context: ApiContext,
  resource: ServedResource,
  object: KubeObject,
  old: KubeObject | undefined,
): void {
  if (resource.collection !== 'services') return;
  const errors = context.services.allocate(object, old);
  if (errors.length > 0) throw invalid(resource.definition, object.metadata?.name ?? '', errors);
}
