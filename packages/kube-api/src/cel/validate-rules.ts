/** Objects against the rules of their schema (apiextensions `schema/cel/validation.go`). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  OMITTED,
  requiredValue,
} from '../errors/field-error.ts';
import type { JsonSchemaProps, ValidationRule } from '../schema/crd-schema.ts';
import { isRecord, jsonEquals } from '../values/json.ts';
import type { Expr } from './ast.ts';
import { type Budget, evaluateCel } from './evaluator.ts';
import { compileRules } from './rules.ts';
import { celValueOf } from './schema-values.ts';
import { CelError, Optional, type Value } from './values.ts';

/** `RuntimeCELCostBudget`: what the rules of one object may cost together. */
const BUDGET = 10_000_000;
const MAX_MESSAGE_BYTES = 5 * 1024;
const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run';

/** All rules that fail. `old` is the object before an update; what did not change is not held against the client. */
export function validateRules(props: JsonSchemaProps, value: unknown, old?: unknown): FieldError[] {
  if (!hasRules(props)) return [];
  const walk = new Walk();
  walk.node(props, value, old, '', true, false);
  return walk.errors;
}

const withRules = new WeakMap<JsonSchemaProps, boolean>();

/** True where a schema has rules anywhere. */
export function hasRules(props: JsonSchemaProps): boolean {
  let known = withRules.get(props);
  if (known === undefined) {
    known =
      (props['x-kubernetes-validations']?.length ?? 0) > 0 ||
      Object.values(props.properties ?? {}).some(hasRules) ||
      (typeof props.additionalProperties === 'object' && hasRules(props.additionalProperties)) ||
      (props.items !== undefined && hasRules(props.items));
    withRules.set(props, known);
  }
  return known;
}

class Walk {
  readonly errors: FieldError[] = [];
  readonly #budget: Budget = { steps: BUDGET };
  #isOver = false;

  node(
    props: JsonSchemaProps,
    value: unknown,
    old: unknown,
    path: string,
    isRoot: boolean,
    isUnchanged: boolean,
  ): void {
    if (this.#isOver || value === null || value === undefined || !hasRules(props)) return;
    const same = isUnchanged || (old !== undefined && jsonEquals(value, old));
    this.#rules(props, value, old, path, isRoot, same);
    if (Array.isArray(value)) this.#list(props, value, old, path, same);
    else if (isRecord(value)) this.#record(props, value, old, path, same);
  }

  #list(props: JsonSchemaProps, value: readonly unknown[], old: unknown, path: string, same: boolean): void {
    const { items } = props;
    if (items === undefined) return;
    const keys = props['x-kubernetes-list-type'] === 'map' ? (props['x-kubernetes-list-map-keys'] ?? []) : undefined;
    const before = Array.isArray(old) ? old.filter(isRecord) : [];
    for (const [index, entry] of value.entries()) {
      const match =
        keys === undefined || !isRecord(entry)
          ? undefined
          : before.find((other) => keys.every((key) => jsonEquals(other[key] ?? null, entry[key] ?? null)));
      this.node(items, entry, match, `${path}[${index}]`, false, same);
    }
  }

  #record(props: JsonSchemaProps, value: Record<string, unknown>, old: unknown, path: string, same: boolean): void {
    const isAtomic = props['x-kubernetes-map-type'] === 'atomic';
    const before = !isAtomic && isRecord(old) ? old : {};
    for (const [key, entry] of Object.entries(value)) {
      const own = props.properties !== undefined && Object.hasOwn(props.properties, key);
      const child = own ? props.properties?.[key] : undefined;
      const previous = Object.hasOwn(before, key) ? before[key] : undefined;
      if (child !== undefined) this.node(child, entry, previous, path === '' ? key : `${path}.${key}`, false, same);
      else if (typeof props.additionalProperties === 'object')
        this.node(props.additionalProperties, entry, previous, `${path}[${key}]`, false, same);
    }
  }

  #rules(props: JsonSchemaProps, value: unknown, old: unknown, path: string, isRoot: boolean, same: boolean): void {
    const rules = compileRules(props, isRoot);
    if (rules.length === 0) return;
    const where = path === '' ? '<nil>' : path;
    const type = props.type ?? '';
    const self = celValueOf(props, value, isRoot);
    const oldSelf = old === undefined || old === null ? undefined : celValueOf(props, old, isRoot);
    for (const rule of rules) {
      const { source, expr } = rule;
      if (rule.problem !== undefined) {
        this.errors.push(invalidValue(where, type, `rule compile error: ${rule.problem}`));
        continue;
      }
      if (expr === undefined) continue;
      const isOptional = source.optionalOldSelf === true;
      if (rule.usesOldSelf && oldSelf === undefined && !isOptional) continue;
      const variables = new Map<string, Value>([['self', self]]);
      if (isOptional) variables.set('oldSelf', new Optional(oldSelf));
      else if (oldSelf !== undefined) variables.set('oldSelf', oldSelf);
      let result: Value;
      try {
        result = evaluateCel(expr, variables, this.#budget);
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        this.errors.push(invalidValue(where, type, failureText(error.message, source)));
        if (error.message.startsWith('operation cancelled')) {
          this.#isOver = true;
          return;
        }
        continue;
      }
      if (this.#budget.steps < 0) {
        this.errors.push(invalidValue(where, type, OUT_OF_BUDGET));
        this.#isOver = true;
        return;
      }
      if (result === true || (same && !rule.usesOldSelf)) continue;
      const detail = this.#message(rule.message, variables) ?? ruleMessage(source);
      const place = source.fieldPath ? childPath(path, source.fieldPath) : where;
      const shown = type === 'object' || type === 'array' ? OMITTED : value;
      this.errors.push(errorOf(source.reason, place, shown, detail));
    }
  }

  /** What a message expression gives; undefined where it fails or gives nothing that can be shown. */
  #message(expr: Expr | undefined, variables: ReadonlyMap<string, Value>): string | undefined {
    if (expr === undefined) return undefined;
    try {
      const text = evaluateCel(expr, variables, this.#budget);
      if (typeof text !== 'string') return undefined;
      const trimmed = text.trim();
      return trimmed === '' || trimmed.includes('\n') || trimmed.length > MAX_MESSAGE_BYTES ? undefined : trimmed;
    } catch (error) {
      if (error instanceof CelError) return undefined;
      throw error;
    }
  }
}

function ruleText(rule: ValidationRule): string {
  return (rule.message ? rule.message : rule.rule).trim();
}

function ruleMessage(rule: ValidationRule): string {
  return rule.message ? rule.message.trim() : `failed rule: ${rule.rule.trim()}`;
}

function failureText(problem: string, rule: ValidationRule): string {
  if (problem.startsWith('no such overload'))
    return `'${problem}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`;
  if (problem.startsWith('operation cancelled'))
    return `'${problem}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`;
  return `${problem} evaluating rule: ${ruleText(rule)}`;
}

/** `.spec.size` or `['a.b']` below a path, as field paths print it. */
function childPath(path: string, fieldPath: string): string {
  const child = fieldPath.replace(/^\./, '').replaceAll(/\['((?:[^'\\]|\\.)*)'\]/g, (_all, name: string) => `.${name}`);
  const clean = child.replace(/^\./, '');
  return path === '' ? clean : `${path}.${clean}`;
}

function errorOf(reason: string | undefined, field: string, value: unknown, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbiddenValue(field, detail);
    case 'FieldValueRequired':
      return requiredValue(field, detail);
    case 'FieldValueDuplicate':
      return duplicateValue(field, value);
  }
  return invalidValue(field, value, detail);
}
