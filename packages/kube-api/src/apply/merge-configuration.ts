/** Apply configurations that nobody owns, as mutating policies make them (`policy/mutating/patch/smd.go`). */
import type { Schema, StructSchema } from '../schema/schema.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { joinProblems } from './apply-patch.ts';
import { childSchema } from './field-set.ts';
import { elementText, fieldElement, listItemElement } from './path-element.ts';
import { mergeTyped, typedProblems } from './typed-value.ts';

/** The object with a configuration laid over it, or what is wrong with the configuration. */
export function mergeConfiguration(
  schema: StructSchema,
  live: JsonRecord,
  configuration: JsonRecord,
): { readonly merged: unknown } | { readonly problem: string } {
  const problems = typedProblems(schema, configuration, false);
  if (problems.length > 0)
    return { problem: `failed to convert patch object to typed object: ${joinProblems(problems)}` };
  const atomics = atomicParts(schema, configuration, '');
  if (atomics.length > 0)
    return {
      problem: `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    };
  return { merged: mergeTyped(schema, live, configuration) };
}

/** Paths of what a configuration could only replace as a whole. */
function atomicParts(schema: Schema | undefined, value: unknown, path: string): string[] {
  switch (schema?.kind) {
    case 'struct':
    case 'map':
    case 'any':
      if (Array.isArray(value)) return [path];
      if (!isRecord(value)) return [];
      if (schema.atomic) return [path];
      return Object.keys(value)
        .sort()
        .flatMap((key) => atomicParts(childSchema(schema, fieldElement(key)), value[key], `${path}.${key}`));
    case 'list':
      if (!Array.isArray(value)) return [];
      if (schema.listType === 'atomic') return [path];
      return value.flatMap((item) =>
        atomicParts(schema.items, item, `${path}${elementText(listItemElement(schema, item))}`),
      );
    default:
      return [];
  }
}
