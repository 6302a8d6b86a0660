import {
  applyPatch,
  badRequest,
  conflict,
  isRecord,
  type KubeObject,
  notFound,
  requiredValue,
  type StructSchema,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { readBody } from '../http/body.ts';
import { GO_YAML, goYamlError } from '../http/go-yaml.ts';
import { isValueTooDeep } from '../http/nesting.ts';
import { createObject } from '../operations/create.ts';
import { hasStatus } from '../operations/managed-fields.ts';
import { groupResourceOf, recordsOf, timestampOf } from '../operations/object-identity.ts';
import { guaranteedUpdate, servedCopy, type Updated, updateObject } from '../operations/update.ts';
import { DecodeProblem } from '../resources/decode-problem.ts';
import { invalidOptions, parseWriteQuery, type WriteQuery, writeOptions } from './options.ts';
import { sendWritten } from './send.ts';

type Json = Record<string, unknown>;
type Applied = Updated & { readonly status: number };

/** PATCH as server-side apply: creates the object where it is not there (`handlers.applyPatcher`). */
export async function handleApply(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const query = applyQuery(call);
  const applied = await readConfiguration(call);
  checkName(call, applied);
  checkKind(call, applied);
  const schema = applySchema(call);
  const warned = call.warnings.length;
  const attempt = async (): Promise<Applied> => {
    call.warnings.length = warned;
    const current = recordsOf(context.store, resource).get(info.namespace, info.name);
    const live = current ? servedCopy(resource, current) : undefined;
    // Fields that the kind does not have are found here, for kinds with an open schema too.
    const { warnings } = decodeStrictly(call, applied, query.fieldValidation, live);
    call.warnings.push(...warnings);
    const merged = mergeApplied(call, query, schema, applied, live);
    const options = { ...writeOptions(call, current ? 'UpdateOptions' : 'CreateOptions', query), isApplied: true };
    if (!current) {
      if (info.subresource !== '') throw notFound(groupResourceOf(resource), info.name);
      if (merged.metadata?.uid)
        throw conflict(
          groupResourceOf(resource),
          info.name,
          `uid mismatch: the provided object specified uid ${merged.metadata.uid}, and no existing object was found`,
        );
      const metadata = { ...merged.metadata, name: info.name };
      return {
        ...(await createObject(context, resource, info.namespace, { ...merged, metadata }, options)),
        status: 201,
      };
    }
    const updated = await updateObject(context, resource, current, merged, {
      ...options,
      subresource: info.subresource,
    });
    return { ...updated, status: 200 };
  };
  const written = await guaranteedUpdate(attempt);
  await sendWritten(call, written, written.status);
}

/** The query of an apply, which has to name its manager. */
export function applyQuery(call: ResourceRequest): WriteQuery {
  const query = parseWriteQuery(call.query, 'PatchOptions', '');
  if ((call.query.get('fieldManager') ?? '') === '')
    throw invalidOptions('PatchOptions', [requiredValue('fieldManager', 'is required for apply patch')]);
  return query;
}

/** The schema by which fields are merged and owned. */
export function applySchema({ resource }: ResourceRequest): StructSchema {
  const schema = resource.behavior.schema();
  if (!schema) throw badRequest(`server-side apply is not supported for ${resource.definition.plural}`);
  return schema;
}

/** The object after its manager has applied what it wants of it. */
export function mergeApplied(
  { context, resource, info }: ResourceRequest,
  query: WriteQuery,
  schema: StructSchema,
  applied: Json,
  live: KubeObject | undefined,
): KubeObject {
  return applyPatch({
    schema,
    gvk: resource.definition,
    ...(live ? { live: live as Json } : {}),
    applied,
    manager: query.fieldManager,
    force: query.force ?? false,
    subresource: info.subresource,
    now: timestampOf(context.clock.now()),
    hasStatus: hasStatus(resource),
    applyDefaults: (object) => resource.behavior.setDefaults(object as KubeObject),
  }) as KubeObject;
}

export async function readConfiguration(call: ResourceRequest): Promise<Json> {
  const text = (await readBody(call.request)).toString('utf8');
  let value: unknown;
  try {
    value = await parseYamlOrJson(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${goYamlError(error)}`);
  }
  // Nothing at all is an object without fields.
  if (value === null) return {};
  if (isValueTooDeep(value)) throw badRequest('error decoding YAML: exceeded max depth');
  if (!isRecord(value))
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`,
    );
  return value;
}

async function parseYamlOrJson(text: string): Promise<unknown> {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text);
    } catch {
      // Flow-style YAML begins the same way.
    }
  }
  const { parse } = await import('yaml');
  // YAML 1.1, as sigs.k8s.io/yaml reads it: `y` and `on` are booleans.
  return parse(text, GO_YAML);
}

/** An apply of another kind, or of none, fits no object of this one (`structuredMergeManager.Apply`). */
function checkKind(call: ResourceRequest, applied: Json): void {
  const { kind } = call.resource.definition;
  const { apiVersion } = call.resource;
  if (applied.apiVersion !== apiVersion || applied.kind === kind) return;
  const given = typeof applied.kind === 'string' ? applied.kind : '';
  const type = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  const name = isRecord(applied.metadata) && typeof applied.metadata.name === 'string' ? applied.metadata.name : '';
  throw badRequest(
    `failed to create typed patch object (/${name}; ${type}, Kind=${given}): no corresponding type for ${type}, Kind=${given}`,
  );
}

function checkName(call: ResourceRequest, applied: Json): void {
  const metadata = isRecord(applied.metadata) ? applied.metadata : {};
  const { info } = call;
  if (typeof metadata.name === 'string' && metadata.name !== '' && metadata.name !== info.name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`);
  if (typeof metadata.namespace === 'string' && metadata.namespace !== '' && metadata.namespace !== info.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function decodeStrictly(
  call: ResourceRequest,
  applied: Json,
  validation: 'Ignore' | 'Warn' | 'Strict',
  live: KubeObject | undefined,
): { readonly warnings: readonly string[] } {
  if (!call.resource.isCustom) return { warnings: [] };
  try {
    return call.resource.behavior.decode(applied, validation, live);
  } catch (error) {
    if (error instanceof DecodeProblem) throw badRequest(error.message);
    throw error;
  }
}
