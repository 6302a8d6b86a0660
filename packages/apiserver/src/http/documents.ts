import { badRequest, decodeProtobuf, duplicateFields, ProtobufError, unsupportedMediaType } from '@kind-e2e/kube-api';
import { goJsonError } from './go-json-error.ts';
import { GO_YAML, goYamlError } from './go-yaml.ts';
import { isNestedTooDeep, isValueTooDeep } from './nesting.ts';

const SUMMARY_BYTES = 30;
const OBJECT_MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** The media type of a header without its parameters; '' where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** A body as read, and what a strict reader has against its text: members named twice. */
export interface ParsedDocument {
  readonly value: unknown;
  /** Called only where the client wants to know: the text is read once more for it. */
  duplicates(): Promise<string[]>;
}

/** Parses a body and keeps its text for `duplicates`. Throws as `parseDocument` does. */
export async function parseWithDuplicates(
  bytes: Buffer,
  contentType: string | undefined,
  kind: string,
): Promise<ParsedDocument> {
  const value = await parseDocument(bytes, contentType, kind);
  return {
    value,
    duplicates: async () => {
      switch (mediaTypeOf(contentType)) {
        case 'application/yaml':
          return yamlDuplicates(bytes.toString('utf8'));
        case '':
        case 'application/json':
          return duplicateFields(bytes.toString('utf8'));
      }
      return [];
    },
  };
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
      unrecognized(kind, `couldn't get version/kind; json parse error: ${goJsonError(text) ?? 'invalid JSON'}`, text),
    );
  }
}

/** The 400 of a body of which not even the kind can be read (`transformDecodeError`). */
export function unrecognized(kind: string, problem: string, text: string): string {
  return `the object provided is unrecognized (must be of type ${kind}): ${problem} (${summary(text)})`;
}

/** A body in short (`summarizeData`): JSON objects as they are, everything else in hex. */
function summary(text: string): string {
  if (text === '') return '<empty>';
  const bytes = Buffer.from(text);
  const start = bytes.subarray(0, SUMMARY_BYTES);
  const shown = text.startsWith('{') ? start.toString('utf8') : start.toString('hex');
  return bytes.length > SUMMARY_BYTES ? `${shown} ...` : shown;
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
    // An empty document is null, as JSON has it.
    const value: unknown = parse(text, GO_YAML);
    if (isValueTooDeep(value)) throw new Error('exceeded max depth');
    return value;
  } catch (error) {
    throw badRequest(unrecognized(kind, `yaml: ${goYamlError(error)}`, text));
  }
}

/** Keys that a mapping has twice, in the words of go-yaml's strict mode: one error for the whole document. */
async function yamlDuplicates(text: string): Promise<string[]> {
  const { isMap, isScalar, LineCounter, parseDocument: parseNodes, visit } = await import('yaml');
  const lines = new LineCounter();
  const document = parseNodes(text, { ...GO_YAML, lineCounter: lines });
  const found: string[] = [];
  visit(document, {
    Map(_key, node) {
      if (!isMap(node)) return;
      const keys = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (keys.has(name))
          found.push(
            `  line ${lines.linePos(key.range?.[0] ?? 0).line}: key ${JSON.stringify(name)} already set in map`,
          );
        keys.add(name);
      }
    },
  });
  return found.length === 0 ? [] : [`yaml: unmarshal errors:\n${found.join('\n')}`];
}
