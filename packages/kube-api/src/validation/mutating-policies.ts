/** Mutating admission policies and their bindings (`pkg/apis/admissionregistration/validation`). */
import { mutationTypes } from '../cel/policy-types.ts';
import { type FieldError, invalidValue, requiredValue, unsupportedValue } from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { expressionProblems, type PolicyTypes, typesOfPolicy } from './admission-expressions.ts';
import { bindingProblems, policyProblems } from './policy-parts.ts';

const REINVOCATION_POLICIES = ['IfNeeded', 'Never'];
/** The field of each type of patch, and what its expression gives. */
const PATCHES = [
  { type: 'ApplyConfiguration', field: 'applyConfiguration', result: 'Object' },
  { type: 'JSONPatch', field: 'jsonPatch', result: 'list(JSONPatch)' },
] as const;

export function validateMutatingPolicy(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const types = typesOfPolicy(spec, mutationTypes);
  const out = policyProblems(spec, types);
  const mutations = recordsAt(spec, 'mutations');
  if (mutations.length === 0) out.push(requiredValue('spec.mutations', 'mutations must contain at least one item'));
  for (const [index, mutation] of mutations.entries())
    out.push(...mutationProblems(mutation, `spec.mutations[${index}]`, types));
  const reinvocation = stringAt(spec, 'reinvocationPolicy');
  if (reinvocation === '') out.push(requiredValue('spec.reinvocationPolicy'));
  else if (!REINVOCATION_POLICIES.includes(reinvocation))
    out.push(unsupportedValue('spec.reinvocationPolicy', reinvocation, REINVOCATION_POLICIES));
  return out;
}

export function validateMutatingPolicyBinding(object: JsonRecord): FieldError[] {
  return bindingProblems(recordAt(object, 'spec') ?? {}, 'spec.matchResouces');
}

/** `validateMutation` */
function mutationProblems(mutation: JsonRecord, field: string, { expressions }: PolicyTypes): FieldError[] {
  const type = stringAt(mutation, 'patchType');
  if (type === '') return [requiredValue(`${field}.patchType`)];
  if (!PATCHES.some((patch) => patch.type === type))
    return [
      unsupportedValue(
        `${field}.patchType`,
        type,
        PATCHES.map((patch) => patch.type),
      ),
    ];
  return PATCHES.flatMap((patch): FieldError[] => {
    const path = `${field}.${patch.field}`;
    const given = recordAt(mutation, patch.field);
    if (patch.type !== type)
      return given ? [invalidValue(path, `{${patch.field}}`, `must not be specified when patchType is ${type}`)] : [];
    if (!given) return [requiredValue(path, `must be specified when patchType is ${type}`)];
    const source = stringAt(given, 'expression');
    if (source.trim() === '') return [requiredValue(`${path}.expression`, 'expression is not specified')];
    return expressionProblems(source, `${path}.expression`, expressions, [patch.result], mutationTypes);
  });
}
