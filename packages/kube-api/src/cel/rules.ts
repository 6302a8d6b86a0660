/** `x-kubernetes-validations`: compiled once for each node of a schema (apiextensions `schema/cel/compilation.go`). */
import type { JsonSchemaProps, ValidationRule } from '../schema/crd-schema.ts';
import { type Expr, showProblems } from './ast.ts';
import { checkCel } from './checker.ts';
import { maxCost } from './cost.ts';
import { parseCel } from './parser.ts';
import { maxCardinality, type SchemaSizes, sizesOf } from './schema-sizes.ts';
import { celTypeOf } from './schema-values.ts';
import { type CelType, optionalOf } from './types.ts';

export interface CompiledRule {
  readonly source: ValidationRule;
  /** Undefined where the rule is empty or wrong. */
  readonly expr: Expr | undefined;
  readonly usesOldSelf: boolean;
  readonly problem: string | undefined;
  readonly message: Expr | undefined;
  readonly messageProblem: string | undefined;
  /** What they cost at worst, each time. */
  readonly cost: number;
  readonly messageCost: number;
  /** How often they are run at most, where no limit of the schema says less. */
  readonly cardinality: number;
}

const compiled = new WeakMap<
  JsonSchemaProps,
  { root: CompiledRule[] | undefined; inner: CompiledRule[] | undefined }
>();

/** The rules of one node; `isRoot` for the whole object. */
export function compileRules(props: JsonSchemaProps, isRoot: boolean): readonly CompiledRule[] {
  const rules = props['x-kubernetes-validations'];
  if (!Array.isArray(rules) || rules.length === 0) return [];
  let known = compiled.get(props);
  if (known === undefined) {
    known = { root: undefined, inner: undefined };
    compiled.set(props, known);
  }
  const place = isRoot ? 'root' : 'inner';
  const found = known[place];
  if (found !== undefined) return found;
  const type = celTypeOf(props, isRoot);
  const sizes = sizesOf(props, isRoot);
  const made = rules.map((rule: ValidationRule) => compileRule(rule, type, props, sizes));
  known[place] = made;
  return made;
}

function compileRule(
  rule: ValidationRule,
  type: CelType | undefined,
  props: JsonSchemaProps,
  sizes: SchemaSizes,
): CompiledRule {
  const nothing = {
    source: rule,
    expr: undefined,
    usesOldSelf: false,
    message: undefined,
    messageProblem: undefined,
    cost: 0,
    messageCost: 0,
    cardinality: 0,
  };
  if ((rule.rule ?? '').trim() === '') return { ...nothing, problem: undefined };
  if (type === undefined)
    return {
      ...nothing,
      problem: `rule declared on schema that does not support validation rules type: '${props.type ?? ''}' x-kubernetes-preserve-unknown-fields: '${props['x-kubernetes-preserve-unknown-fields'] === true}'`,
    };
  const variables = new Map([
    ['self', type],
    ['oldSelf', rule.optionalOldSelf === true ? optionalOf(type) : type],
  ]);
  const main = compile(
    rule.rule,
    variables,
    sizes,
    'bool',
    'cel expression must evaluate to a bool',
    'compilation failed: ',
  );
  const hasMessage = typeof rule.messageExpression === 'string' && rule.messageExpression.trim() !== '';
  const message = hasMessage
    ? compile(
        rule.messageExpression ?? '',
        variables,
        sizes,
        'string',
        'messageExpression must evaluate to a string',
        'messageExpression compilation failed: ',
      )
    : undefined;
  return {
    source: rule,
    expr: main.expr,
    usesOldSelf: main.usesOldSelf,
    problem: main.problem,
    message: message?.expr,
    messageProblem: message?.problem,
    cost: main.cost,
    messageCost: message?.cost ?? 0,
    cardinality: maxCardinality(sizes),
  };
}

interface Compilation {
  readonly expr: Expr | undefined;
  readonly usesOldSelf: boolean;
  readonly problem: string | undefined;
  readonly cost: number;
}

function compile(
  source: string,
  variables: ReadonlyMap<string, CelType>,
  sizes: SchemaSizes,
  wanted: string,
  otherwise: string,
  prefix: string,
): Compilation {
  const parsed = parseCel(source);
  if (parsed.expr === undefined)
    return { expr: undefined, usesOldSelf: false, problem: prefix + showProblems(source, parsed.problems), cost: 0 };
  const checked = checkCel(parsed.expr, variables);
  const usesOldSelf = checked.variables.has('oldSelf');
  if (checked.problems.length > 0)
    return { expr: undefined, usesOldSelf, problem: prefix + showProblems(source, checked.problems), cost: 0 };
  if (checked.type.kind !== wanted) return { expr: undefined, usesOldSelf, problem: otherwise, cost: 0 };
  return { expr: parsed.expr, usesOldSelf, problem: undefined, cost: maxCost(parsed.expr, checked.types, sizes) };
}
