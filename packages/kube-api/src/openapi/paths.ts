/** Paths and operations of resources, as far as clients read them: verbs, kinds and the parameters of each action. */
import { apiVersionOf } from '../registry/resource-definition.ts';
import type { JsonRecord } from '../values/json.ts';
import type { OpenApiStyle } from './definitions.ts';

export interface PathResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly group?: string;
    readonly version?: string;
    readonly verbs: readonly string[];
  }[];
  /** Full name of the definition. */
  readonly definition: string;
}

const DRY_RUN =
  'When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive will result in an error response and no further processing of the request. Valid values are: - All: all dry run stages will be processed';
const FIELD_MANAGER =
  'fieldManager is a name associated with the actor or entity that is making these changes. The value must be less than or 128 characters long, and only contain printable characters, as defined by https://golang.org/pkg/unicode/#IsPrint.';
const FIELD_VALIDATION =
  'fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing unknown or duplicate fields. Valid values are: Ignore, Warn, Strict.';
const FORCE =
  'Force is going to "force" Apply requests. It means user will re-acquire conflicting fields owned by other people. Force flag must be unset for non-apply patch requests.';

function parameter(name: string, description: string, type: string, style: OpenApiStyle): JsonRecord {
  return style === 'v3'
    ? { name, in: 'query', description, schema: { type, uniqueItems: true } }
    : { name, in: 'query', description, type, uniqueItems: true };
}

function writeParameters(style: OpenApiStyle): JsonRecord[] {
  return [
    parameter('dryRun', DRY_RUN, 'string', style),
    parameter('fieldManager', FIELD_MANAGER, 'string', style),
    parameter('fieldValidation', FIELD_VALIDATION, 'string', style),
  ];
}

const ACTIONS: Readonly<
  Record<string, { readonly method: string; readonly action: string; readonly onItem: boolean }>
> = {
  list: { method: 'get', action: 'list', onItem: false },
  create: { method: 'post', action: 'post', onItem: false },
  deletecollection: { method: 'delete', action: 'deletecollection', onItem: false },
  get: { method: 'get', action: 'get', onItem: true },
  update: { method: 'put', action: 'put', onItem: true },
  patch: { method: 'patch', action: 'patch', onItem: true },
  delete: { method: 'delete', action: 'delete', onItem: true },
};

const CUSTOM_PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
];
/** kubectl reads here whether it may send a strategic merge patch, which custom resources do not take. */
const PATCH_TYPES = [...CUSTOM_PATCH_TYPES, 'application/strategic-merge-patch+json'];

function patchTypesOf(definition: string): readonly string[] {
  return definition.startsWith('io.k8s.') ? PATCH_TYPES : CUSTOM_PATCH_TYPES;
}

interface Target {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function operation(verb: string, target: Target, definition: string, style: OpenApiStyle): JsonRecord {
  const { action } = ACTIONS[verb] ?? { action: verb };
  const parameters: JsonRecord[] = [];
  if (verb === 'create' || verb === 'update') parameters.push(...writeParameters(style));
  if (verb === 'patch') parameters.push(...writeParameters(style), parameter('force', FORCE, 'boolean', style));
  if (verb === 'delete' || verb === 'deletecollection') parameters.push(parameter('dryRun', DRY_RUN, 'string', style));
  const reference = `#/${style === 'v2' ? 'definitions' : 'components/schemas'}/${definition}`;
  const response =
    style === 'v3'
      ? { description: 'OK', content: { 'application/json': { schema: { $ref: reference } } } }
      : { description: 'OK', schema: { $ref: reference } };
  const body =
    style === 'v3' && (verb === 'create' || verb === 'update' || verb === 'patch')
      ? {
          requestBody: {
            content: Object.fromEntries(
              (verb === 'patch' ? patchTypesOf(definition) : ['*/*']).map((type) => [
                type,
                { schema: { $ref: reference } },
              ]),
            ),
          },
        }
      : {};
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    ...body,
    responses: { '200': response },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': target,
  };
}

/** The paths of some resources, by path. */
export function pathsOf(resources: readonly PathResource[], style: OpenApiStyle): Record<string, JsonRecord> {
  const out: Record<string, JsonRecord> = {};
  for (const resource of resources) {
    const { group, version, kind, plural, definition } = resource;
    const root = group === '' ? `/api/${version}` : `/apis/${apiVersionOf(resource)}`;
    const collection = resource.namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    const item = `${collection}/{name}`;
    for (const verb of resource.verbs) {
      const how = ACTIONS[verb];
      if (how === undefined) continue;
      const path = how.onItem ? item : collection;
      out[path] ??= {};
      out[path][how.method] = operation(verb, { group, version, kind }, definition, style);
    }
    for (const sub of resource.subresources)
      for (const verb of sub.verbs) {
        const how = ACTIONS[verb];
        if (how === undefined) continue;
        const path = `${item}/${sub.name}`;
        out[path] ??= {};
        const target = { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind };
        out[path][how.method] = operation(verb, target, definition, style);
      }
  }
  return out;
}
