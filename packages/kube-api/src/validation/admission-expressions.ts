/** Expressions in policies and webhooks of admission, and what they may read. */
import type { StructTypes } from '../cel/checker.ts';
import { compileExpression } from '../cel/expressions.ts';
import { policyTypes } from '../cel/policy-types.ts';
import { type CelType, DYN, listOf, mapOf } from '../cel/types.ts';
import { type FieldError, invalidValue, requiredValue } from '../errors/field-error.ts';
import { recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { isCIdentifier } from './names.ts';

export type ExpressionTypes = ReadonlyMap<string, CelType>;

/** What match conditions of webhooks may read. */
export const WEBHOOK_TYPES: ExpressionTypes = policyTypes({ hasParams: false, hasAuthorizer: true });

/** Problems of an expression that is there. */
export function expressionProblems(
  source: string,
  field: string,
  types: ExpressionTypes,
  wanted: readonly string[] = [],
  structs?: StructTypes,
): FieldError[] {
  const { problem } = compileExpression(source, types, wanted, structs);
  return problem === undefined ? [] : [invalidValue(field, source, problem)];
}

export interface PolicyTypes {
  readonly conditions: ExpressionTypes;
  readonly expressions: ExpressionTypes;
  /** Of messages, which ask nobody what is allowed. */
  readonly messages: ExpressionTypes;
  readonly problems: readonly FieldError[];
}

/** `validateVariable` of all variables of a policy, each of which may read those before it. */
export function typesOfPolicy(spec: JsonRecord, structs?: StructTypes): PolicyTypes {
  const hasParams = spec.paramKind !== undefined;
  const declared = recordsAt(spec, 'variables');
  const variables = new Map<string, CelType>();
  const environment = { hasParams, ...(declared.length > 0 ? { variables } : {}) };
  const problems: FieldError[] = [];
  for (const [index, variable] of declared.entries()) {
    const field = `spec.variables[${index}]`;
    const name = stringAt(variable, 'name');
    if (name.trim() === '') problems.push(requiredValue(`${field}.name`, 'name is not specified'));
    else if (isCIdentifier(name).length > 0)
      problems.push(invalidValue(`${field}.name`, name, 'name is not a valid CEL identifier'));
    const source = stringAt(variable, 'expression');
    if (source.trim() === '') {
      problems.push(requiredValue(`${field}.expression`, 'expression is not specified'));
      continue;
    }
    const types = policyTypes({ ...environment, hasAuthorizer: true });
    const { problem, type } = compileExpression(source, types, [], structs);
    if (problem !== undefined) problems.push(invalidValue(`${field}.expression`, source, problem));
    variables.set(name, keptType(type));
  }
  return {
    conditions: policyTypes({ hasParams, hasAuthorizer: true }),
    expressions: policyTypes({ ...environment, hasAuthorizer: true }),
    messages: policyTypes({ ...environment, hasAuthorizer: false }),
    problems,
  };
}

/** What is remembered of a variable's type (`plugin/cel.convertCelTypeToDeclType`). */
function keptType(type: CelType): CelType {
  const [first = DYN, second = DYN] = type.params;
  switch (type.kind) {
    case 'bool':
    case 'bytes':
    case 'double':
    case 'duration':
    case 'int':
    case 'null':
    case 'string':
    case 'timestamp':
    case 'uint':
      return type;
    case 'list':
      return listOf(keptType(first));
    case 'map':
      return mapOf(keptType(first), keptType(second));
    default:
      return DYN;
  }
}
