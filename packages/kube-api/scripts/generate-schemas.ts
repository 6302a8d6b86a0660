/**
 * Writes src/schema/generated: the structure of every built-in type, and its descriptions, from the models of
 * @kubernetes/client-node (Kubernetes 1.36), the wire table in `generated/protobuf-fields.json` (order of fields,
 * integer widths, quantities) and the hand tables beside this file.
 *
 *   node packages/kube-api/scripts/generate-schemas.ts
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RESOURCES } from '../src/registry/resources.ts';
import { ALWAYS, ATOMIC_STRUCTS, LIST_TABLE, POINTER_STRUCTS, POINTERS } from './schema-tables.ts';
import { writeGenerated } from './write-generated.ts';

interface Attribute {
  name: string;
  baseName: string;
  type: string;
  format: string;
}
type WireField = [number, string, string];

const require = createRequire(import.meta.url);
const models = join(dirname(require.resolve('@kubernetes/client-node')), 'gen/models');
const wire = JSON.parse(readFileSync(new URL('./generated/protobuf-fields.json', import.meta.url), 'utf8')) as Record<
  string,
  WireField[]
>;
const out = new URL('../src/schema/generated/', import.meta.url);

const classes = new Map<string, Attribute[]>();
for (const file of readdirSync(models)) {
  if (!file.endsWith('.js') || file === 'ObjectSerializer.js' || file === 'all.js') continue;
  const loaded = (await import(pathToFileURL(join(models, file)).href)) as Record<
    string,
    { attributeTypeMap?: Attribute[] }
  >;
  for (const [name, value] of Object.entries(loaded))
    if (value.attributeTypeMap !== undefined) classes.set(name, value.attributeTypeMap);
}

// ---- names: client class -> OpenAPI definition -------------------------------------------------------------------
const GROUP_PACKAGE: Record<string, string> = {
  '': 'api.core',
  'rbac.authorization.k8s.io': 'api.rbac',
  'apiextensions.k8s.io': 'apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'kube-aggregator.pkg.apis.apiregistration',
  'metrics.k8s.io': 'metrics.pkg.apis.metrics',
  'flowcontrol.apiserver.k8s.io': 'api.flowcontrol',
};
const packageOf = (group: string, version: string): string =>
  `${GROUP_PACKAGE[group] ?? `api.${group.replace(/\.k8s\.io$/, '')}`}.${version}`;
const META = 'apimachinery.pkg.apis.meta.v1';
const META_TYPES = new Set(
  (
    'ObjectMeta ListMeta ManagedFieldsEntry OwnerReference LabelSelector LabelSelectorRequirement Status StatusDetails ' +
    'StatusCause DeleteOptions Preconditions APIResource APIResourceList APIGroup APIGroupList APIVersions ' +
    'GroupVersionForDiscovery ServerAddressByClientCIDR Condition WatchEvent FieldSelectorRequirement'
  ).split(' '),
);
const PREFIX: Record<string, string> = {
  Core: 'api.core',
  Events: 'api.events',
  Discovery: 'api.discovery',
  Authentication: 'api.authentication',
  Storage: 'api.storage',
  Flowcontrol: 'api.flowcontrol',
  Rbac: 'api.rbac',
  Admissionregistration: 'api.admissionregistration',
  Apiextensions: 'apiextensions-apiserver.pkg.apis.apiextensions',
  Apiregistration: 'kube-aggregator.pkg.apis.apiregistration',
  Resource: 'api.resource',
};

const definitionOf = new Map<string, string>();
const order: string[] = [];

function classOf(kind: string, group: string, version: string): string | undefined {
  const V = `V${version.slice(1)}`.replace(/^V(\d+)(alpha|beta)/, 'V$1$2');
  for (const [prefix, pack] of Object.entries(PREFIX))
    if (packageOf(group, version) === `${pack}.${version}` && classes.has(`${prefix}${V}${kind}`))
      return `${prefix}${V}${kind}`;
  return classes.has(`${V}${kind}`) ? `${V}${kind}` : undefined;
}

function nameOf(className: string, referrer: string): string {
  const known = definitionOf.get(className);
  if (known !== undefined) return known;
  const match = /^([A-Za-z]*?)V(\d+(?:alpha\d+|beta\d+)?)([A-Z].*)$/.exec(className);
  if (match === null) throw new Error(`no version in ${className}`);
  const [, prefix = '', number = '', short = ''] = match;
  const version = `v${number}`;
  if (prefix !== '') return `${PREFIX[prefix] ?? prefix}.${version}.${short}`;
  if (version === 'v1' && META_TYPES.has(short)) return `${META}.${short}`;
  const candidates = Object.keys(wire).filter((name) => name.endsWith(`.${version}.${short}`));
  const own = referrer.slice(0, referrer.lastIndexOf('.'));
  const toDefinition = (name: string): string =>
    name.replace(/^k8s\.io\./, '').replace('apiextensions_apiserver', 'apiextensions-apiserver');
  if (candidates.some((name) => toDefinition(name) === `${own}.${short}`)) return `${own}.${short}`;
  if (candidates.length === 1) return toDefinition(candidates[0] ?? '');
  if (candidates.length === 0)
    return own.includes('.meta.') ? `${own}.${short}` : `${own.replace(/v\d.*$/, version)}.${short}`;
  const core = candidates.find((name) => name.startsWith('k8s.io.api.core.'));
  return toDefinition(core ?? candidates[0] ?? '');
}

function visit(className: string, referrer: string): string {
  const definition = nameOf(className, referrer);
  if (definitionOf.has(className)) return definition;
  definitionOf.set(className, definition);
  order.push(className);
  for (const attribute of classes.get(className) ?? []) {
    const inner = innerType(attribute.type);
    if (classes.has(inner)) visit(inner, definition);
  }
  return definition;
}
function innerType(type: string): string {
  return type.replace(/^\{ \[key: string\]: (.*); \}$/, '$1').replace(/^Array<(.*)>$/, '$1');
}

for (const resource of RESOURCES) {
  for (const kind of [resource.kind, resource.listKind, ...resource.subresources.map((sub) => sub.kind)]) {
    const sub = resource.subresources.find((entry) => entry.kind === kind);
    const name = classOf(kind, sub?.group ?? resource.group, sub?.version ?? resource.version);
    if (name === undefined) {
      if (!kind.endsWith('Options') && resource.verbs.length > 1 && resource.group !== 'metrics.k8s.io')
        process.stderr.write(`${`no model of ${resource.group} ${kind}`}\n`);
      continue;
    }
    definitionOf.delete(name);
    const root = `${packageOf(sub?.group ?? resource.group, sub?.version ?? resource.version)}.${kind}`;
    if (order.includes(name)) {
      definitionOf.set(name, root);
      continue;
    }
    definitionOf.set(name, root);
    order.push(name);
  }
}
for (const name of ['V1DeleteOptions', 'V1Status', 'V1Scale', 'V1Eviction', 'V1Condition']) visit(name, `${META}.x`);
for (const name of [...order]) {
  const definition = definitionOf.get(name) ?? '';
  for (const attribute of classes.get(name) ?? []) {
    const inner = innerType(attribute.type);
    if (classes.has(inner)) visit(inner, definition);
  }
}

// ---- flags -------------------------------------------------------------------------------------------------------
const short = (definition: string): string => definition.slice(definition.lastIndexOf('.') + 1);
const matchesType = (pattern: string, definition: string): boolean =>
  pattern === short(definition) || definition.endsWith(`.${pattern}`);
function table(text: string): Map<string, { type: string; flags: string[] }[]> {
  const map = new Map<string, { type: string; flags: string[] }[]>();
  for (const line of text.trim().split('\n')) {
    if (line.trim() === '') continue;
    const [path = '', ...flags] = line.trim().split(/\s+/);
    const dot = path.lastIndexOf('.');
    const field = path.slice(dot + 1);
    map.set(field, [...(map.get(field) ?? []), { type: path.slice(0, dot), flags }]);
  }
  return map;
}
const lists = table(LIST_TABLE);
/** `Type: a b c` lines to a set of `Type.field`. */
function fieldSet(text: string): { has(definition: string, field: string): boolean } {
  const entries = text
    .trim()
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => {
      const [type = '', fields = ''] = line.split(':');
      return { type: type.trim(), fields: new Set(fields.trim().split(/\s+/)) };
    });
  return {
    has: (definition, field) => entries.some((entry) => matchesType(entry.type, definition) && entry.fields.has(field)),
  };
}
const pointers = fieldSet(POINTERS);
const always = fieldSet(ALWAYS);
const pointerStructs = fieldSet(POINTER_STRUCTS);
const atomicStructs = new Set(ATOMIC_STRUCTS.trim().split(/\s+/));

function required(className: string): Set<string> {
  const text = readFileSync(join(models, `${className}.d.ts`), 'utf8');
  return new Set([...text.matchAll(/^ {4}'([^']+)': /gm)].map((match) => match[1] ?? ''));
}

/** Wire fields of a definition, with inlined messages spread. */
function wireFields(definition: string): WireField[] | undefined {
  const message =
    wire[`k8s.io.${definition}`] ??
    wire[`k8s.io.${definition.replace('apiextensions-apiserver', 'apiextensions_apiserver')}`];
  return message;
}
const INLINE = new Set(
  'volumeSource handler persistentVolumeSource ephemeralContainerCommon localObjectReference configMapVolumeSource'.split(
    ' ',
  ),
);
function orderedNames(definition: string, own: Set<string>): Map<string, string> {
  const found = new Map<string, string>();
  const add = (message: string): void => {
    for (const [, name, type] of wire[message] ?? []) {
      if (!own.has(name) && wire[type] !== undefined && INLINE.has(name)) add(type);
      else if (!own.has(name) && wire[type] !== undefined && type.startsWith('k8s.io')) add(type);
      else found.set(name, type);
    }
  };
  if (wireFields(definition) !== undefined) add(`k8s.io.${definition}`);
  return found;
}

function scalarCode(type: string, format: string, wireType: string | undefined): string {
  const bare = (wireType ?? '').replace(/^repeated /, '');
  const entry = bare.endsWith('Entry') ? wire[bare]?.find(([, name]) => name === 'value')?.[2] : undefined;
  const value = entry ?? bare;
  if (value.endsWith('api.resource.Quantity')) return 'q';
  if (type === 'IntOrString' || value.endsWith('intstr.IntOrString')) return 'x';
  if (type === 'Date' || format === 'date-time') return 't';
  if (format === 'date-time-micro' || type === 'V1MicroTime') return 'T';
  if (format === 'byte' || value === 'bytes') return 'B';
  switch (type) {
    case 'string':
      return 's';
    case 'boolean':
      return 'b';
    case 'number':
      return format === 'int32' ? 'i' : format === 'double' ? 'd' : 'l';
    case 'any':
      return 'o';
    case 'object':
      return 'o';
  }
  throw new Error(`type ${type} (${format})`);
}

const index = new Map(order.map((name, at) => [name, at]));
const lines: string[] = [];
const descriptions: string[] = [];
const optionalScalars: string[] = [];
const optionalStructs: string[] = [];
const olderFiles = new Map<string, string>();
for (const className of order) {
  const definition = definitionOf.get(className) ?? '';
  const attributes = classes.get(className) ?? [];
  const own = new Set(attributes.map((attribute) => attribute.baseName));
  const must = required(className);
  const names = orderedNames(definition, own);
  const position = new Map([...names.keys()].map((name, at) => [name, at]));
  const sorted = attributes
    .map((attribute, at) => ({ attribute, at }))
    .sort((left, right) => {
      const rank = (entry: { attribute: Attribute; at: number }): number =>
        entry.attribute.baseName === 'kind'
          ? -3
          : entry.attribute.baseName === 'apiVersion' && own.has('kind') && !position.has('apiVersion')
            ? -2
            : entry.attribute.baseName === 'metadata'
              ? -1
              : (position.get(entry.attribute.baseName) ?? 1000 + entry.at);
      return rank(left) - rank(right);
    })
    .map((entry) => entry.attribute);
  const isKind = RESOURCES.some(
    (resource) =>
      `${packageOf(resource.group, resource.version)}.${resource.kind}` === definition ||
      `${packageOf(resource.group, resource.version)}.${resource.listKind}` === definition,
  );
  const fields = sorted.map((attribute) => {
    const { baseName, type, format } = attribute;
    const isMap = type.startsWith('{');
    const element = isMap ? type.replace(/^\{ \[key: string\]: (.*); \}$/, '$1') : type;
    const isList = element.startsWith('Array<');
    const inner = innerType(type);
    let code = inner === 'V1MicroTime' ? 'T' : '';
    if (code === '') {
      const at = index.get(inner);
      code = at === undefined ? scalarCode(inner, format, names.get(baseName)) : `#${at.toString(36)}`;
    }
    const flags: string[] = [];
    if (must.has(attribute.name)) flags.push('!');
    if (!isMap && !isList && !code.startsWith('#') && pointers.has(definition, baseName)) flags.push('*');
    if (pointerStructs.has(definition, baseName)) flags.push('*');
    if (always.has(definition, baseName) || (isKind && baseName === 'metadata')) flags.push('e');
    for (const row of lists.get(baseName) ?? [])
      if (matchesType(row.type, definition)) flags.push(...row.flags.filter((flag) => flag !== 'A=granular'));
    if (!must.has(attribute.name) && !isMap && !isList)
      (code.startsWith('#') ? optionalStructs : optionalScalars).push(`${definition}.${baseName}`);
    return `${baseName}:${isMap ? '{' : ''}${isList ? '[' : ''}${code}${flags.map((flag) => `;${flag}`).join('')}`;
  });
  lines.push(
    `${definition}|${atomicStructs.has(short(definition)) ? 'A' : ''}${isKind ? 'K' : ''}|${fields.join(' ')}`,
  );
  descriptions.push(describe(className, sorted));
}

function clean(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
    .replaceAll("\\'", "'")
    .replaceAll('\\"', '"')
    .replaceAll('\\`', '`')
    .replaceAll('*_/', '*/');
}

/** Whether a field says nothing, or only what its type says. */
function isTypeText(text: string, className: string): boolean {
  if (text === '') return true;
  if (
    /^(IntOrString is a type that|Time is a wrapper around|MicroTime is version of|Quantity is a fixed-point|RawExtension is used)/.test(
      text,
    )
  )
    return true;
  if (!classes.has(className)) return false;
  const model = readFileSync(join(models, `${className}.d.ts`), 'utf8');
  return text === clean(/\/\*\*\n((?:(?!\*\/)[\s\S])*)\*\/\nexport declare class/.exec(model)?.[1] ?? '');
}

/**
 * A field's own text, of kubernetes-types (1.30). The models of client-node give a field that refers to a type no
 * text or the type's, since their generator does not read beside references.
 */
function olderText(className: string, field: string): string | undefined {
  const definition = definitionOf.get(className) ?? '';
  const match = /^(?:api|apimachinery\.pkg\.apis|(apiextensions)-apiserver\.pkg\.apis)\.([^.]+)\.(v[^.]+)\.(\w+)$/.exec(
    definition,
  );
  if (match === null) return undefined;
  const [, , group = '', version = '', type = ''] = match;
  const path = join(dirname(require.resolve('kubernetes-types/package.json')), group, `${version}.d.ts`);
  if (!existsSync(path)) return undefined;
  const text = olderFiles.get(path) ?? readFileSync(path, 'utf8');
  olderFiles.set(path, text);
  const body = new RegExp(`^export interface ${type}(?: extends \\w+)? \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(text)?.[1];
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*"?${field.replace('$', '\\$')}"?\\??:`).exec(
    body ?? '',
  )?.[1];
  return comment === undefined ? undefined : clean(comment);
}

/** The doc comments of a model: the type's, then each field's, one a line, newlines as \n. */
function describe(className: string, attributes: Attribute[]): string {
  const text = readFileSync(join(models, `${className}.d.ts`), 'utf8');
  const own = /\/\*\*\n((?:(?!\*\/)[\s\S])*)\*\/\nexport declare class/.exec(text)?.[1] ?? '';
  const fields = new Map(
    [...text.matchAll(/ {4}\/\*\*\n((?:(?!\*\/)[\s\S])*)\*\/\n {4}'([^']+)'/g)].map((match) => [
      match[2] ?? '',
      clean(match[1] ?? ''),
    ]),
  );
  const fieldText = (attribute: Attribute): string => {
    const text = fields.get(attribute.name) ?? '';
    return isTypeText(text, innerType(attribute.type)) ? (olderText(className, attribute.baseName) ?? text) : text;
  };
  const parts = [clean(own), ...attributes.map(fieldText)];
  return parts.map((part) => part.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', ' ')).join('\t');
}

function emit(file: string, name: string, comment: string, rows: string[]): void {
  const text = rows.join('\n').replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
  writeGenerated(
    new URL(file, out),
    `/** ${comment} Generated by scripts/generate-schemas.ts; do not edit. */\nexport const ${name} = \`${text}\`;\n`,
  );
}
emit('types.generated.ts', 'TYPES', 'One line a type: `definition|flags|field:type;flags …`.', lines);
emit(
  'descriptions.generated.ts',
  'DESCRIPTIONS',
  "One line a type of `TYPES`: the type's description, then each field's, tab separated.",
  descriptions,
);
if (process.argv.includes('--list'))
  process.stdout.write(`${[...optionalStructs, '', ...optionalScalars].join('\n')}\n`);
process.stdout.write(`${`${lines.length} types`}\n`);
