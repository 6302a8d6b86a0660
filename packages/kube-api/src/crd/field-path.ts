/** `.spec.size` and `.spec['a.b']` in a schema (`cel.ValidFieldPath`). */
import type { JsonSchemaProps } from '../schema/crd-schema.ts';

export interface FoundField {
  readonly names: readonly string[];
  readonly schema: JsonSchemaProps;
}

const UNKNOWN = 'does not refer to a valid field';

/** The field that a path leads to, or what is wrong with the path. */
export function findFieldPath(path: string, root: JsonSchemaProps, allowsBrackets = true): FoundField | string {
  const tokens = path.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]']+|'/g) ?? [];
  const names: string[] = [];
  let schema = root;
  const step = (name: string): string | undefined => {
    let next: JsonSchemaProps | undefined;
    if (schema.properties !== undefined)
      next = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    else if (typeof schema.additionalProperties === 'object') next = schema.additionalProperties;
    if (next === undefined) return UNKNOWN;
    names.push(name);
    schema = next;
    return undefined;
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (token === '.') {
      const name = tokens[++at];
      if (name === undefined) return 'unexpected end of JSON path';
      const problem = step(name);
      if (problem !== undefined) return problem;
    } else if (token === '[') {
      if (!allowsBrackets) return 'array notation is not allowed';
      const name = tokens[++at];
      if (name === undefined) return 'unexpected end of JSON path';
      if (name.length < 2 || !name.startsWith("'") || !name.endsWith("'"))
        return `expected single quoted string but got ${name}`;
      const problem = step(name.slice(1, -1).replaceAll(/\\(.)/g, '$1'));
      if (problem !== undefined) return problem;
      const close = tokens[++at];
      if (close === undefined) return 'unexpected end of JSON path';
      if (close !== ']') return `expected ] but got ${close}`;
    } else return `expected [ or . but got: ${token}`;
  }
  return { names, schema };
}
