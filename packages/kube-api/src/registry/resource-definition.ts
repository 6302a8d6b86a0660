/** A kind as objects name it; the core group is ''. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A resource without its version, as error messages name it. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export interface SubresourceDefinition {
  readonly name: string;
  readonly kind: string;
  /** Set where the body's kind lives in another group than the resource (`scale`: autoscaling/v1). */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** What discovery says of one resource in one version. */
export interface ResourceDefinition {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceDefinition[];
  /** The version objects are kept in; differs from `version` only for autoscaling/v1. */
  readonly storageVersion: string;
}

/** 'v1' or 'apps/v1'. */
export function apiVersionOf(gv: { readonly group: string; readonly version: string }): string {
  return gv.group === '' ? gv.version : `${gv.group}/${gv.version}`;
}

/** The parts of an apiVersion; `undefined` for more than one slash (apimachinery `schema.ParseGroupVersion`). */
export function parseApiVersion(apiVersion: string): { group: string; version: string } | undefined {
  const parts = apiVersion.split('/');
  if (parts.length === 1) return { group: '', version: parts[0] ?? '' };
  if (parts.length === 2) return { group: parts[0] ?? '', version: parts[1] ?? '' };
  return undefined;
}

/** 'pods', 'deployments.apps': how error messages name a resource (apimachinery `GroupResource.String`). */
export function groupResourceName(resource: GroupResource): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

/** 'Pod', 'Deployment.apps' (apimachinery `GroupKind.String`). */
export function groupKindName(kind: { readonly group: string; readonly kind: string }): string {
  return kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
}
