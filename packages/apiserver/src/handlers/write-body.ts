import { badRequest, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';
import { readBody } from '../http/body.ts';
import { parseWithDuplicates, unrecognized } from '../http/documents.ts';
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
  const document = await parseWithDuplicates(bytes, call.request.headers['content-type'], kind);
  const raw = document.value ?? {};
  if (!isRecord(raw)) throw badRequest(unrecognized(kind, noTypeIn(raw), bytes.toString('utf8')));
  if (typeof raw.apiVersion === 'string' && raw.apiVersion.split('/').length > 2)
    throw badRequest(unrecognized(kind, `unexpected GroupVersion string: ${raw.apiVersion}`, bytes.toString('utf8')));
  const duplicates = validation === 'Ignore' ? [] : await document.duplicates();
  return decodeBody(call.resource, raw, validation, old, duplicates);
}

/** What encoding/json says where a type was to be read and the document is no object (`SimpleMetaFactory.Interpret`). */
function noTypeIn(value: unknown): string {
  const word = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `couldn't get version/kind; json parse error: json: cannot unmarshal ${word} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
}

/** Decodes and defaults a document; throws 400 where it is none of its kind. */
export function decodeBody(
  resource: ServedResource,
  raw: Record<string, unknown>,
  validation: FieldValidation,
  old?: KubeObject,
  duplicates: readonly string[] = [],
): Decoded {
  try {
    const decoded = resource.behavior.decode(raw, validation, old, duplicates);
    resource.behavior.setDefaults(decoded.object);
    return decoded;
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    const version = typeof raw.apiVersion === 'string' ? (raw.apiVersion.split('/').at(-1) ?? '') : '';
    throw error.toStatus(resource.definition, { kind: typeof raw.kind === 'string' ? raw.kind : '', version });
  }
}
