import { isRecord, type ScalarType, type Schema } from '@kind-e2e/kube-api';

/** Go's type of a scalar that is converted as it is; others read their own JSON. */
const GO_TYPES: Readonly<Partial<Record<ScalarType, string>>> = {
  string: 'string',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  boolean: 'bool',
};

/**
 * The first value that does not fit a schema, in the words of apimachinery's `runtime.FromUnstructured`, which reads what
 * a strategic merge made; undefined where everything fits.
 */
export function unstructuredProblem(schema: Schema, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  switch (schema.kind) {
    case 'struct': {
      if (!isRecord(value)) return `cannot restore struct from: ${goKind(value)}`;
      for (const [name, field] of schema.fields) {
        const problem = unstructuredProblem(field.schema, value[name]);
        if (problem !== undefined) return problem;
      }
      return undefined;
    }
    case 'map': {
      if (!isRecord(value)) return `cannot restore map from ${goKind(value)}`;
      for (const item of Object.values(value)) {
        const problem = unstructuredProblem(schema.values, item);
        if (problem !== undefined) return problem;
      }
      return undefined;
    }
    case 'list': {
      if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
      for (const item of value) {
        const problem = unstructuredProblem(schema.items, item);
        if (problem !== undefined) return problem;
      }
      return undefined;
    }
    case 'scalar': {
      const wanted = GO_TYPES[schema.type];
      return wanted === undefined || fits(wanted, value) ? undefined : `cannot convert ${goType(value)} to ${wanted}`;
    }
    case 'any':
      return undefined;
  }
}

function fits(wanted: string, value: unknown): boolean {
  switch (wanted) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'float64':
      return typeof value === 'number';
    default:
      return typeof value === 'number' && Number.isInteger(value);
  }
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  return isRecord(value) ? 'map' : goType(value);
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isRecord(value)) return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}
