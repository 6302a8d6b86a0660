/**
 * Makes `src/crds/schemas.generated.ts`: structural schemas of Istio's kinds, read from the type declarations of
 * `@kubernetes-models/istio` (which are themselves made from Istio's CRDs). Run with `--check` to compare only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema;
  enum?: string[];
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-int-or-string'?: true;
}

const KINDS: readonly [file: string, kind: string][] = [
  ['networking.istio.io/v1', 'DestinationRule'],
  ['networking.istio.io/v1alpha3', 'EnvoyFilter'],
  ['networking.istio.io/v1', 'Gateway'],
  ['networking.istio.io/v1beta1', 'ProxyConfig'],
  ['networking.istio.io/v1', 'ServiceEntry'],
  ['networking.istio.io/v1', 'Sidecar'],
  ['networking.istio.io/v1', 'VirtualService'],
  ['networking.istio.io/v1', 'WorkloadEntry'],
  ['networking.istio.io/v1', 'WorkloadGroup'],
  ['security.istio.io/v1', 'AuthorizationPolicy'],
  ['security.istio.io/v1', 'PeerAuthentication'],
  ['security.istio.io/v1', 'RequestAuthentication'],
  ['telemetry.istio.io/v1', 'Telemetry'],
  ['extensions.istio.io/v1alpha1', 'WasmPlugin'],
];
/** The declarations say `number` for both; these are not whole. */
const FRACTIONS = new Set(['value', 'randomSamplingPercentage', 'aggression']);

/** Reads the small part of TypeScript that the declarations use. */
class DeclarationParser {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  object(): Schema {
    this.#expect('{');
    const schema: Schema = { type: 'object' };
    const required: string[] = [];
    for (;;) {
      const description = this.#comment();
      if (this.#take('}')) break;
      if (this.#take('[')) {
        this.#at = this.#text.indexOf(':', this.#text.indexOf(']', this.#at)) + 1;
        schema.additionalProperties = this.type('');
        this.#take(';');
        continue;
      }
      const name = this.#match(/"([^"]+)"/y)[1] as string;
      const optional = this.#take('?');
      this.#expect(':');
      const property = this.type(name);
      this.#take(';');
      if (description !== '') property.description = description;
      schema.properties ??= {};
      schema.properties[name] = property;
      if (!optional) required.push(name);
    }
    if (required.length > 0) schema.required = required;
    if (schema.properties === undefined && schema.additionalProperties === undefined)
      schema['x-kubernetes-preserve-unknown-fields'] = true;
    return schema;
  }

  /** Alternatives of one-of types (`X & (… | …)`) only restrict what is in X: that is checked by validation. */
  type(name: string): Schema {
    this.#space();
    let schema: Schema;
    if (this.#text[this.#at] === '{') schema = this.object();
    else if (this.#text[this.#at] === '"') schema = this.#enumeration();
    else {
      const word = this.#match(/[A-Za-z]+/y)[0] as string;
      if (word === 'Array') {
        this.#expect('<');
        schema = { type: 'array', items: this.type(name) };
        this.#expect('>');
      } else if (word === 'string') schema = { type: 'string' };
      else if (word === 'boolean') schema = { type: 'boolean' };
      else if (word === 'number') schema = { type: FRACTIONS.has(name) ? 'number' : 'integer' };
      else if (word === 'IObjectMeta') schema = { type: 'object' };
      else throw new Error(`unknown type ${word}`);
    }
    this.#skipRest(schema);
    return schema;
  }

  #enumeration(): Schema {
    const values: string[] = [];
    do {
      values.push(this.#match(/"([^"]*)"/y)[1] as string);
      this.#space();
    } while (this.#take('|'));
    return { type: 'string', enum: values };
  }

  #skipRest(schema: Schema): void {
    this.#space();
    if (this.#take('|')) {
      const other = this.type('');
      if (schema.type === 'integer' && other.type === 'string') {
        delete schema.type;
        schema['x-kubernetes-int-or-string'] = true;
      }
      return;
    }
    if (!this.#take('&')) return;
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string;
      if (this.#text.startsWith('/*', this.#at)) {
        this.#at = this.#text.indexOf('*/', this.#at) + 1;
        continue;
      }
      if ('({<['.includes(char)) depth++;
      else if (')}]'.includes(char) || (char === '>' && this.#text[this.#at - 1] !== '=')) {
        if (depth === 0) return;
        depth--;
      } else if (char === ';' && depth === 0) return;
    }
  }

  #comment(): string {
    this.#space();
    if (!this.#text.startsWith('/**', this.#at)) return '';
    const end = this.#text.indexOf('*/', this.#at);
    const text = this.#text.slice(this.#at + 3, end);
    this.#at = end + 2;
    this.#space();
    return text
      .split('\n')
      .map((line) => line.replace(/^\s*\* ?/, '').trim())
      .join('\n')
      .trim();
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #take(char: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw new Error(`expected ${char} at ${this.#text.slice(this.#at, this.#at + 40)}`);
  }

  #match(expression: RegExp): RegExpExecArray {
    this.#space();
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#text);
    if (match === null)
      throw new Error(`expected ${expression.source} at ${this.#text.slice(this.#at, this.#at + 40)}`);
    this.#at = expression.lastIndex;
    return match;
  }
}

const root = dirname(createRequire(import.meta.url).resolve('@kubernetes-models/istio/package.json'));
const schemas: Record<string, Schema> = {};
for (const [folder, kind] of KINDS) {
  const text = readFileSync(join(root, folder, `${kind}.d.ts`), 'utf8');
  const start = text.indexOf('{', text.indexOf(`export interface I${kind} `));
  const whole = new DeclarationParser(text, start).object();
  schemas[kind] = whole.properties?.spec ?? { type: 'object' };
}
const out = `// Made by scripts/generate-crds.ts from @kubernetes-models/istio. Do not edit.
/** JSON: the schema of \`spec\` by kind. */
export const SPEC_SCHEMAS =
  ${JSON.stringify(JSON.stringify(schemas))};
`;
const target = join(import.meta.dirname, '..', 'src', 'crds', 'schemas.generated.ts');
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== out) {
    process.stderr.write('src/crds/schemas.generated.ts is not what scripts/generate-crds.ts makes: run it\n');
    process.exit(1);
  }
} else writeFileSync(target, out);
