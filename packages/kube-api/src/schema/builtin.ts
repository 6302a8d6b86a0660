/** The built-in types, unpacked from the generated table one by one as they are asked for. */
import { type GroupVersionKind, parseApiVersion } from '../registry/resource-definition.ts';
import { TYPES } from './generated/types.generated.ts';
import type { FieldSchema, ScalarType, Schema, StructSchema } from './schema.ts';

const PACKAGES: Readonly<Record<string, string>> = {
  '': 'api.core',
  'apiextensions.k8s.io': 'apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'kube-aggregator.pkg.apis.apiregistration',
  'flowcontrol.apiserver.k8s.io': 'api.flowcontrol',
  'meta.k8s.io': 'apimachinery.pkg.apis.meta',
  'metrics.k8s.io': 'metrics.pkg.apis.metrics',
  'rbac.authorization.k8s.io': 'api.rbac',
};

const SCALARS: Readonly<Record<string, ScalarType>> = {
  s: 'string',
  i: 'int32',
  l: 'int64',
  d: 'double',
  b: 'boolean',
  t: 'time',
  T: 'micro-time',
  q: 'quantity',
  x: 'int-or-string',
  B: 'bytes',
};

let lines: readonly string[] | undefined;
let indexByName: Map<string, number> | undefined;
const unpacked = new Map<number, StructSchema>();

function table(): readonly string[] {
  lines ??= TYPES.split('\n');
  return lines;
}

function indexOf(name: string): number | undefined {
  indexByName ??= new Map(table().map((line, index) => [line.slice(0, line.indexOf('|')), index]));
  return indexByName.get(name);
}

/** 'api.apps.v1.Deployment': the OpenAPI definition of a kind without its `io.k8s.`. */
export function definitionName(gvk: GroupVersionKind): string {
  const pack = PACKAGES[gvk.group] ?? `api.${gvk.group.replace(/\.k8s\.io$/, '')}`;
  return `${pack}.${gvk.version}.${gvk.kind}`;
}

/** Names of all known types, in the table's order. */
export function builtinTypeNames(): readonly string[] {
  return table().map((line) => line.slice(0, line.indexOf('|')));
}

/** The schema of a built-in kind; `undefined` where there is none. */
export function builtinSchema(gvk: GroupVersionKind): StructSchema | undefined {
  return builtinType(definitionName(gvk));
}

/** The schema of an object's kind. */
export function builtinSchemaOf(object: { apiVersion?: string; kind?: string }): StructSchema | undefined {
  const gv = parseApiVersion(object.apiVersion ?? '');
  return gv === undefined ? undefined : builtinSchema({ ...gv, kind: object.kind ?? '' });
}

export function builtinType(name: string): StructSchema | undefined {
  const index = indexOf(name);
  return index === undefined ? undefined : typeAt(index);
}

/** A struct whose fields are parsed at first use, so that recursive types end. */
class LazyStruct implements StructSchema {
  readonly kind = 'struct';
  readonly name: string;
  readonly atomic: boolean;
  readonly preserveUnknown = false;
  readonly isObject: boolean;
  readonly #text: string;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;

  constructor(line: string) {
    const [name = '', flags = '', text = ''] = line.split('|');
    this.name = name;
    this.atomic = flags.includes('A');
    this.isObject = flags.includes('K');
    this.#text = text;
  }

  get fields(): ReadonlyMap<string, FieldSchema> {
    this.#fields ??= new Map(
      this.#text === ''
        ? []
        : this.#text.split(' ').map((token) => {
            const field = parseField(token);
            return [field.name, field];
          }),
    );
    return this.#fields;
  }
}

function typeAt(index: number): StructSchema {
  let struct = unpacked.get(index);
  if (struct === undefined) {
    const line = table()[index];
    if (line === undefined) throw new RangeError(`no type ${index} in the table of types`);
    struct = new LazyStruct(line);
    unpacked.set(index, struct);
  }
  return struct;
}

/** `name:code;flag;flag`; the flags are those of scripts/schema-tables.ts. */
function parseField(token: string): FieldSchema {
  const colon = token.indexOf(':');
  const [code = '', ...flags] = token.slice(colon + 1).split(';');
  const value = (prefix: string): string | undefined =>
    flags.find((flag) => flag.startsWith(prefix))?.slice(prefix.length);
  const mergeKey = value('m=');
  const name = token.slice(0, colon);
  return {
    name,
    schema: parseCode(code, flags),
    required: flags.includes('!'),
    pointer: flags.includes('*'),
    always: flags.includes('e'),
    patchStrategy: mergeKey !== undefined || flags.includes('m') ? 'merge' : 'replace',
    retainKeys: flags.includes('r'),
    replaceWhole: flags.includes('replace'),
    ...(mergeKey === undefined ? {} : { mergeKey }),
    ...(name === 'protocol' ? { keyDefault: 'TCP' } : {}),
  };
}

const OPEN: Schema = { kind: 'any', atomic: true };
const scalars = new Map<string, Schema>();

function parseCode(code: string, flags: readonly string[]): Schema {
  if (code.startsWith('{')) return { kind: 'map', values: parseCode(code.slice(1), []), atomic: flags.includes('A') };
  if (code.startsWith('[')) {
    const keys = flags.find((flag) => flag.startsWith('k='))?.slice(2);
    return {
      kind: 'list',
      items: parseCode(code.slice(1), []),
      listType: keys !== undefined ? 'map' : flags.includes('S') ? 'set' : 'atomic',
      mapKeys: keys?.split(',') ?? [],
    };
  }
  if (code.startsWith('#')) return typeAt(Number.parseInt(code.slice(1), 36));
  if (code === 'o') return OPEN;
  let scalar = scalars.get(code);
  if (scalar === undefined) {
    const type = SCALARS[code];
    if (type === undefined) throw new RangeError(`unknown type code ${code}`);
    scalar = { kind: 'scalar', type };
    scalars.set(code, scalar);
  }
  return scalar;
}
