import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  badRequest,
  type FieldError,
  forbiddenValue,
  goFormat,
  inGoOrder,
  invalid,
  invalidValue,
  isRecord,
  type KubeObject,
  PatchError,
  requestEntityTooLarge,
  type StructSchema,
  unclassified,
  unprocessablePatch,
  unsupportedMediaType,
  unsupportedPatchType,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { readBody } from '../http/body.ts';
import { mediaTypeOf } from '../http/documents.ts';
import { goJsonError } from '../http/go-json-error.ts';
import { isNestedTooDeep } from '../http/nesting.ts';
import { currentRecord, guaranteedUpdate, servedCopy, updateObject } from '../operations/update.ts';
import { DecodeProblem } from '../resources/decode-problem.ts';
import type { FieldValidation } from '../resources/served-resource.ts';
import { handleApply } from './apply.ts';
import { invalidOptions, parseWriteQuery, writeOptions } from './options.ts';
import { patchedText } from './patched-text.ts';
import { sendWritten } from './send.ts';
import { unstructuredProblem } from './unstructured-problem.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';
const ALL_PATCHES: ReadonlySet<string> = new Set([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH]);

/** PATCH of an object, or of a part of it, in each of the four forms. */
export async function handlePatch(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  if (patchType(call) === APPLY_PATCH) {
    await handleApply(call);
    return;
  }
  const query = parseWriteQuery(call.query, 'PatchOptions', call.request.headers['user-agent'] ?? '');
  if (query.force !== undefined)
    throw invalidOptions('PatchOptions', [forbiddenValue('force', 'may not be specified for non-apply patch')]);
  const patch = await readPatch(call);
  const written = await guaranteedUpdate(() => {
    const current = currentRecord(context, resource, info.namespace, info.name);
    const old = servedCopy(resource, current);
    const object = decodePatched(call, patch, old, query.fieldValidation);
    const name = object.metadata?.name ?? '';
    if (name !== info.name)
      throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
    return updateObject(context, resource, current, object, {
      ...writeOptions(call, 'UpdateOptions', query),
      subresource: info.subresource,
    });
  });
  await sendWritten(call, written);
}

/** A patch as it came, read but not yet applied. */
export interface ReadPatch {
  readonly type: string;
  readonly patch: unknown;
}

/** The form of a PATCH. Throws 415 for one that the resource does not know. */
function patchType(call: ResourceRequest): string {
  const type = mediaTypeOf(call.request.headers['content-type']);
  const accepted = call.resource.isCustom
    ? [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
    : [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH];
  if (!accepted.includes(type)) throw ALL_PATCHES.has(type) ? unsupportedMediaType(accepted) : unsupportedPatchType();
  return type;
}

export async function readPatch(call: ResourceRequest): Promise<ReadPatch> {
  const type = patchType(call);
  const text = (await readBody(call.request)).toString('utf8');
  if (isNestedTooDeep(text)) throw badRequest('error decoding patch: exceeded max depth');
  try {
    return { type, patch: JSON.parse(text) };
  } catch {
    throw badRequest(`error decoding patch: ${goJsonError(text) ?? 'invalid JSON'}`);
  }
}

/** The object that a patch (not an apply) makes of another; `schema` says how lists merge. */
export function patchDocument({ type, patch }: ReadPatch, old: KubeObject, schema: StructSchema | undefined): unknown {
  try {
    if (type === STRATEGIC_PATCH && schema)
      return applyStrategicMergePatch(old as Record<string, unknown>, patch, schema);
    // These two work on the encoded object; what fails to be read again is shown with the fields in that order.
    const encoded = schema ? inGoOrder(schema, old as Record<string, unknown>) : old;
    return type === JSON_PATCH ? applyJsonPatch(encoded, patch) : applyMergePatch(encoded, patch);
  } catch (error) {
    if (error instanceof PatchError) throw patchStatus(error, patch);
    throw error;
  }
}

function decodePatched(
  call: ResourceRequest,
  patch: ReadPatch,
  old: KubeObject,
  validation: FieldValidation,
): KubeObject {
  const { behavior } = call.resource;
  const patched = patchDocument(patch, old, behavior.schema());
  const shown = (): string =>
    patch.type === STRATEGIC_PATCH ? goFormat(patch.patch) : patchedText(patched, patch.patch);
  try {
    const { object, warnings } = behavior.decode(patched, validation, old);
    call.warnings.push(...warnings);
    behavior.setDefaults(object);
    return object;
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    const schema = behavior.schema();
    const problem = patch.type === STRATEGIC_PATCH && schema ? unstructuredProblem(schema, patched) : undefined;
    throw invalidPatch([invalidValue('patch', shown(), problem ?? error.message)]);
  }
}

function invalidPatch(errors: readonly FieldError[]): Error {
  return invalid({ group: '', kind: '' }, '', errors);
}

export function patchStatus(error: PatchError, patch: unknown): Error {
  switch (error.problem) {
    case 'too-many':
      return requestEntityTooLarge(error.message);
    case 'malformed':
      return badRequest(error.message);
    case 'inapplicable':
      return unprocessablePatch();
    case 'internal':
      return unclassified(error.message);
    case 'invalid':
      return invalidPatch([
        invalidValue('patch', isRecord(patch) ? goFormat(patch) : JSON.stringify(patch), error.message),
      ]);
  }
}
