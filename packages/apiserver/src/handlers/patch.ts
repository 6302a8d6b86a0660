import { messageOf } from '@kind-e2e/base';
import {
  applyJsonPatch,
  applyMergePatch,
  badRequest,
  isRecord,
  type KubeObject,
  PatchError,
  statusError,
  unclassified,
  unprocessablePatch,
  unsupportedMediaType,
} from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { readBody } from '../http/body.ts';
import { goJsonError, mediaTypeOf } from '../http/documents.ts';
import { currentRecord, servedCopy, updateObject } from '../operations/update.ts';
import { parseWriteQuery } from './options.ts';
import { sendWritten } from './send.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
const APPLY_PATCH = 'application/apply-patch+yaml';

/** PATCH of an object, or of a part of it, in each of the four forms. */
export async function handlePatch(call: ResourceRequest): Promise<void> {
  const { context, resource, info } = call;
  const type = mediaTypeOf(call.request.headers['content-type']);
  const accepted = resource.isCustom
    ? [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
    : [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH];
  if (!accepted.includes(type)) throw unsupportedMediaType(accepted);
  const query = parseWriteQuery(call.query, 'PatchOptions', call.request.headers['user-agent'] ?? '');
  const bytes = await readBody(call.request);
  const patch = parsePatch(bytes);
  const current = currentRecord(context, resource, info.namespace, info.name);
  const old = servedCopy(resource, current);
  const patched = applyPatch(type, old, patch);
  if (!isRecord(patched)) throw badRequest('the patch makes the object no object');
  const { object, warnings } = resource.behavior.decode(patched, query.fieldValidation, old);
  call.warnings.push(...warnings);
  const written = updateObject(context, resource, current, object as KubeObject, {
    user: call.user,
    dryRun: query.dryRun,
    fieldManager: query.fieldManager,
    warnings: call.warnings,
    subresource: info.subresource,
  });
  await sendWritten(call, written);
}

function parsePatch(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(goJsonError(text, messageOf(error)));
  }
}

function applyPatch(type: string, old: KubeObject, patch: unknown): unknown {
  try {
    return type === JSON_PATCH ? applyJsonPatch(old, patch) : applyMergePatch(old, patch);
  } catch (error) {
    if (error instanceof PatchError) throw patchStatus(error);
    throw error;
  }
}

export function patchStatus(error: PatchError): Error {
  switch (error.problem) {
    case 'malformed':
      return badRequest(error.message);
    case 'inapplicable':
      return unprocessablePatch();
    case 'internal':
      return unclassified(error.message);
    case 'invalid':
      return statusError(422, 'Invalid', error.message, {});
  }
}
