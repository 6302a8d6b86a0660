import { badRequest, isRecord, type KubeObject, unsupportedMediaType } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { readBody } from '../http/body.ts';
import { parseDocument } from '../http/documents.ts';
import type { Decoded, FieldValidation } from '../resources/served-resource.ts';

/** Reads the body of a create or update as an object of the resource. */
export async function readObject(
  call: ResourceRequest,
  validation: FieldValidation,
  old?: KubeObject,
): Promise<Decoded> {
  const bytes = await readBody(call.request);
  const { kind } = call.resource.definition;
  const raw = await parseDocument(bytes, call.request.headers['content-type'], kind);
  if (!isRecord(raw)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  return call.resource.behavior.decode(raw, validation, old);
}

export const OBJECT_MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

export function unknownBodyType(): Error {
  return unsupportedMediaType(OBJECT_MEDIA_TYPES);
}
