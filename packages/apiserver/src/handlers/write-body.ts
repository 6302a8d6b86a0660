import { badRequest, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { readBody } from '../http/body.ts';
import { parseDocument } from '../http/documents.ts';
import { DecodeProblem } from '../resources/decode-problem.ts';
import type { Decoded, FieldValidation, ServedResource } from '../resources/served-resource.ts';

/** Reads the body of a create or update as an object of the resource, with its defaults. */
export async function readObject(
  call: ResourceRequest,
  validation: FieldValidation,
  old?: KubeObject,
): Promise<Decoded> {
  const bytes = await readBody(call.request);
  const { kind } = call.resource.definition;
  const raw = await parseDocument(bytes, call.request.headers['content-type'], kind);
  if (!isRecord(raw)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  return decodeBody(call.resource, raw, validation, old);
}

/** Decodes and defaults a document; throws 400 where it is none of its kind. */
export function decodeBody(
  resource: ServedResource,
  raw: Record<string, unknown>,
  validation: FieldValidation,
  old?: KubeObject,
): Decoded {
  try {
    const decoded = resource.behavior.decode(raw, validation, old);
    resource.behavior.setDefaults(decoded.object);
    return decoded;
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    const version = typeof raw.apiVersion === 'string' ? (raw.apiVersion.split('/').at(-1) ?? '') : '';
    throw error.toStatus(resource.definition, { kind: typeof raw.kind === 'string' ? raw.kind : '', version });
  }
}
