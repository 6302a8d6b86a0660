import { messageOf } from '@kind-e2e/base';
import { badRequest, decodeProtobuf, ProtobufError, unsupportedMediaType } from '@kind-e2e/kube-api';
import { goJsonError } from './go-json-error.ts';
import { isNestedTooDeep, isValueTooDeep } from './nesting.ts';

const OBJECT_MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** The media type of a header without its parameters; '' where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Parses a body as its media type says: JSON where the client says nothing, YAML. Throws 400 and 415 in apiserver's words. */
export async function parseDocument(bytes: Buffer, contentType: string | undefined, kind: string): Promise<unknown> {
  const type = mediaTypeOf(contentType);
  switch (type) {
    case '':
    case 'application/json':
      return parseJson(bytes.toString('utf8'), kind);
    case 'application/yaml':
      return parseYaml(bytes.toString('utf8'), kind);
    case 'application/vnd.kubernetes.protobuf':
      return parseProtobuf(bytes, kind);
    default:
      throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
  }
}

export function parseJson(text: string, kind: string): unknown {
  if (isNestedTooDeep(text)) throw tooDeep(kind);
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${goJsonError(text) ?? 'invalid JSON'} (${shown(text)})`,
    );
  }
}

function tooDeep(kind: string): Error {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): exceeded max depth`);
}

function parseProtobuf(bytes: Buffer, kind: string): unknown {
  try {
    return decodeProtobuf(bytes);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${error.message}`);
  }
}

async function parseYaml(text: string, kind: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    const value: unknown = parse(text, { maxAliasCount: 100, uniqueKeys: false });
    if (isValueTooDeep(value)) throw new Error('exceeded max depth');
    return value;
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; yaml: ${messageOf(error).split('\n')[0]}`,
    );
  }
}

/** A body as Go's `%s` of what it could not read, kept short. */
function shown(text: string): string {
  return text.length > 1024 ? `${text.slice(0, 1024)}...` : text;
}
