import type { GroupVersionResource } from '@kind-e2e/kube-api';

/** The path of a collection, an object or a subresource: `/apis/apps/v1/namespaces/default/deployments/web/scale`. */
export function resourcePath(
  resource: GroupVersionResource,
  target: { readonly namespace?: string; readonly name?: string; readonly subresource?: string } = {},
): string {
  let path = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (target.namespace !== undefined && target.namespace !== '')
    path += `/namespaces/${encodeURIComponent(target.namespace)}`;
  path += `/${resource.resource}`;
  if (target.name !== undefined) path += `/${encodeURIComponent(target.name)}`;
  if (target.subresource !== undefined) path += `/${target.subresource}`;
  return path;
}

/** `?a=b&c=d` of the parameters that have a value, or nothing. */
export function queryString(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
