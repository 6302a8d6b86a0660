import type { GroupVersionResource } from '../object.ts';
import { apiVersionOf, type GroupVersionKind, type ResourceDefinition } from './resource-definition.ts';
import { RESOURCES } from './resources.ts';

const byResource = new Map(RESOURCES.map((entry) => [`${apiVersionOf(entry)}/${entry.plural}`, entry]));
const byKind = new Map(RESOURCES.map((entry) => [`${apiVersionOf(entry)}/${entry.kind}`, entry]));

/** The built-in resource of that name; custom resources are the API server's. */
export function findResource(gvr: GroupVersionResource): ResourceDefinition | undefined {
  return byResource.get(`${apiVersionOf(gvr)}/${gvr.resource}`);
}

export function findKind(gvk: GroupVersionKind): ResourceDefinition | undefined {
  return byKind.get(`${apiVersionOf(gvk)}/${gvk.kind}`);
}
