import {
  applyJsonPatch,
  CelObject,
  type CelValue,
  internalError,
  isRecord,
  jsonOfValue,
  type KubeObject,
  mergeConfiguration,
  PatchError,
  typeNameProblem,
} from '@kind-e2e/kube-api';
import { DecodeProblem } from '../../resources/decode-problem.ts';
import type { ServedResource } from '../../resources/served-resource.ts';
import type { Json } from '../pod-parts.ts';
import { run, type Variables } from './policy-variables.ts';

/** A mutation that cannot be made. */
export class MutationError extends Error {
  override readonly name = 'MutationError';
}

/** The object after one mutation of a policy (`policy/mutating/patch`). Throws a `MutationError`. */
export function mutated(
  resource: ServedResource,
  object: KubeObject,
  mutation: Json,
  variables: Variables,
): KubeObject {
  const isPatch = mutation.patchType === 'JSONPatch';
  const given = isPatch ? mutation.jsonPatch : mutation.applyConfiguration;
  const value = resultOf(String(isRecord(given) ? (given.expression ?? '') : ''), variables);
  const changed = isPatch ? patched(object, value) : applied(resource, object, value);
  if (changed === object) return object;
  try {
    const { object: read } = resource.behavior.decode(changed, 'Ignore');
    resource.behavior.setDefaults(read);
    return read;
  } catch (error) {
    if (error instanceof DecodeProblem) throw internalError(error.message, error);
    throw error;
  }
}

function resultOf(source: string, variables: Variables): CelValue {
  const result = run(source, variables);
  if ('error' in result) throw new MutationError(`expression '${source}' resulted in error: ${result.error}`);
  return result.value;
}

function applied({ behavior, apiVersion, definition }: ServedResource, object: KubeObject, value: CelValue): unknown {
  checkNames(value);
  const configuration = jsonOf(value);
  if (!isRecord(configuration)) throw new MutationError('unsupported return type from ApplyConfiguration expression');
  const schema = behavior.schema();
  if (!schema) throw new MutationError(`error applying patch: no schema for ${definition.kind}`);
  const result = mergeConfiguration(schema, copyOf(object), { ...configuration, apiVersion, kind: definition.kind });
  if ('problem' in result) throw new MutationError(`error applying patch: ${result.problem}`);
  return result.merged;
}

function patched(object: KubeObject, value: CelValue): unknown {
  if (!Array.isArray(value))
    throw new MutationError('type mismatch: JSONPatchType.expression should evaluate to array');
  const operations = value.map((entry: CelValue): unknown => {
    checkNames(entry instanceof CelObject ? (entry.get('value') ?? null) : null);
    const operation = jsonOf(entry);
    if (!isRecord(operation) || operation.from !== '') return operation;
    const { from: _, ...rest } = operation;
    return rest;
  });
  try {
    return applyJsonPatch(copyOf(object), operations);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    // A patch whose test does not hold is simply not made.
    if (error.isTest) return object;
    throw new MutationError(`JSONPath: ${error.message}`, { cause: error });
  }
}

function checkNames(value: CelValue): void {
  const problem = typeNameProblem(value);
  if (problem !== undefined) throw new MutationError(`type mismatch: ${problem}`);
}

function jsonOf(value: CelValue): unknown {
  try {
    return jsonOfValue(value);
  } catch (error) {
    throw new MutationError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function copyOf(object: KubeObject): Json {
  const copy: Json = JSON.parse(JSON.stringify(object));
  return copy;
}
