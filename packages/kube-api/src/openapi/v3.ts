/** `/openapi/v3`: the index and a document for each group and version (kube-openapi `handler3`). */
import { apiVersionOf } from '../registry/resource-definition.ts';
import { RESOURCES } from '../registry/resources.ts';
import { builtinType, definitionName } from '../schema/builtin.ts';
import type { JsonRecord } from '../values/json.ts';
import {
  type CustomKind,
  customDefinitionName,
  customDefinitions,
  definitionsFor,
  loadDescriptions,
} from './definitions.ts';
import { type PathResource, pathsOf } from './paths.ts';

export interface OpenApiV3Group {
  readonly group: string;
  readonly version: string;
  /** Changes when the document does; clients cache by it. */
  readonly hash?: string;
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const STATUS_VERBS = ['get', 'patch', 'update'];

/** The key of a document: `api/v1`, `apis/apps/v1`. */
function documentKey(group: { readonly group: string; readonly version: string }): string {
  return group.group === '' ? `api/${group.version}` : `apis/${apiVersionOf(group)}`;
}

/** The index of all documents. */
export function openApiV3Index(groups: readonly OpenApiV3Group[]): JsonRecord {
  return {
    paths: Object.fromEntries(
      groups.map((group) => {
        const key = documentKey(group);
        const hash = group.hash ?? fnv1a(`${key} 1.36`);
        return [key, { serverRelativeURL: `/openapi/v3/${key}?hash=${hash.toUpperCase()}` }];
      }),
    ),
  };
}

/** FNV-1a over the text, eight hex digits twice; enough to tell documents apart. */
export function fnv1a(text: string): string {
  let left = 0x811c9dc5;
  let right = 0xcbf29ce4;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    left = Math.imul(left ^ code, 0x01000193);
    right = Math.imul(right ^ (code + index), 0x01000193);
  }
  return `${(left >>> 0).toString(16).padStart(8, '0')}${(right >>> 0).toString(16).padStart(8, '0')}`;
}

export function builtinPathResources(filter: (group: string, version: string) => boolean): PathResource[] {
  return RESOURCES.filter((resource) => filter(resource.group, resource.version))
    .filter((resource) => builtinType(definitionName(resource)) !== undefined)
    .map((resource) => ({ ...resource, definition: `io.k8s.${definitionName(resource)}` }));
}

export function customPathResource(kind: CustomKind): PathResource {
  return {
    ...kind,
    verbs: VERBS,
    subresources: [
      ...(kind.hasStatus === true ? [{ name: 'status', kind: kind.kind, verbs: STATUS_VERBS }] : []),
      ...(kind.hasScale === true
        ? [{ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: STATUS_VERBS }]
        : []),
    ],
    definition: customDefinitionName(kind),
  };
}

/**
 * The document of one group and version, custom kinds of that version included. Made anew at each call, since it is
 * asked for seldom and is big.
 */
export async function openApiV3Document(
  groupVersion: { readonly group: string; readonly version: string },
  customKinds: readonly CustomKind[] = [],
): Promise<JsonRecord> {
  const descriptions = await loadDescriptions();
  const resources = builtinPathResources(
    (group, version) => group === groupVersion.group && version === groupVersion.version,
  );
  const custom = customKinds.filter(
    (kind) => kind.group === groupVersion.group && kind.version === groupVersion.version,
  );
  const roots = [
    ...resources.map((resource) => resource.definition.slice('io.k8s.'.length)),
    ...RESOURCES.filter(
      (resource) =>
        resource.group === groupVersion.group &&
        resource.version === groupVersion.version &&
        resource.verbs.includes('list'),
    )
      .map((resource) => definitionName({ ...resource, kind: resource.listKind }))
      .filter((name) => builtinType(name) !== undefined),
    'apimachinery.pkg.apis.meta.v1.DeleteOptions',
    'apimachinery.pkg.apis.meta.v1.Status',
    ...(custom.length > 0
      ? ['apimachinery.pkg.apis.meta.v1.ObjectMeta', 'apimachinery.pkg.apis.meta.v1.ListMeta']
      : []),
  ];
  const schemas = definitionsFor(roots, descriptions, 'v3');
  for (const kind of custom) Object.assign(schemas, customDefinitions(kind, 'v3'));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.2' },
    paths: pathsOf([...resources, ...custom.map(customPathResource)], 'v3'),
    components: { schemas },
  };
}
