/** What a Job says about failed pods and about success (`validatePodFailurePolicy`, `validateSuccessPolicy`). */
import {
  duplicateValue,
  type FieldError,
  invalidValue,
  NIL_COLLECTION,
  OMITTED,
  requiredValue,
  tooMany,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages, notNegative } from './field-rules.ts';
import { goSuccessPolicy } from './go-dump.ts';
import { isQualifiedName } from './names.ts';

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;
const MAX_PATTERNS = 20;

const validValues = (list: readonly string[]): string => `valid values: [${list.map((one) => `"${one}"`).join(' ')}]`;

export function validatePodFailurePolicy(policy: JsonRecord, spec: JsonRecord, field: string): FieldError[] {
  const rules = recordsAt(policy, 'rules');
  const out: FieldError[] = [];
  if (rules.length > MAX_RULES) out.push(tooMany(`${field}.rules`, rules.length, MAX_RULES));
  const pod = recordAt(recordAt(spec, 'template'), 'spec');
  const containers = new Set(
    [...recordsAt(pod, 'containers'), ...recordsAt(pod, 'initContainers')].map((one) => stringAt(one, 'name')),
  );
  for (const [index, rule] of rules.entries()) {
    const at = `${field}.rules[${index}]`;
    const action = stringAt(rule, 'action');
    if (action === '') out.push(requiredValue(`${at}.action`, validValues(ACTIONS)));
    else if (action === 'FailIndex') {
      if (spec.backoffLimitPerIndex === undefined)
        out.push(invalidValue(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set'));
    } else if (!ACTIONS.includes(action)) out.push(unsupportedValue(`${at}.action`, action, ACTIONS));
    const codes = recordAt(rule, 'onExitCodes');
    const conditions = recordsAt(rule, 'onPodConditions');
    if (codes !== undefined) out.push(...validateExitCodes(codes, containers, `${at}.onExitCodes`));
    if (conditions.length > MAX_PATTERNS) out.push(tooMany(`${at}.onPodConditions`, conditions.length, MAX_PATTERNS));
    for (const [number, pattern] of conditions.entries()) {
      const path = `${at}.onPodConditions[${number}]`;
      const type = stringAt(pattern, 'type');
      out.push(...invalidMessages(`${path}.type`, type, isQualifiedName(type)));
      const status = stringAt(pattern, 'status');
      const statuses = ['False', 'True', 'Unknown'];
      if (status === '') out.push(requiredValue(`${path}.status`, validValues(statuses)));
      else if (!statuses.includes(status)) out.push(unsupportedValue(`${path}.status`, status, statuses));
    }
    if (codes !== undefined && conditions.length > 0)
      out.push(invalidValue(at, OMITTED, 'specifying both OnExitCodes and OnPodConditions is not supported'));
    if (codes === undefined && conditions.length === 0)
      out.push(invalidValue(at, OMITTED, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
  return out;
}

function validateExitCodes(codes: JsonRecord, containers: ReadonlySet<string>, field: string): FieldError[] {
  const out: FieldError[] = [];
  const operator = stringAt(codes, 'operator');
  if (operator === '') out.push(requiredValue(`${field}.operator`, validValues(OPERATORS)));
  else if (!OPERATORS.includes(operator)) out.push(unsupportedValue(`${field}.operator`, operator, OPERATORS));
  if (typeof codes.containerName === 'string' && !containers.has(codes.containerName))
    out.push(
      invalidValue(
        `${field}.containerName`,
        codes.containerName,
        'must be one of the container or initContainer names in the pod template',
      ),
    );
  const values = Array.isArray(codes.values) ? codes.values : undefined;
  if (values === undefined || values.length === 0)
    return [...out, invalidValue(`${field}.values`, values ?? NIL_COLLECTION, 'at least one value is required')];
  if (values.length > MAX_EXIT_CODES) out.push(tooMany(`${field}.values`, values.length, MAX_EXIT_CODES));
  const seen = new Set<unknown>();
  let isOrdered = true;
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0)
      out.push(invalidValue(`${field}.values[${index}]`, value, 'must not be 0 for the In operator'));
    if (seen.has(value)) out.push(duplicateValue(`${field}.values[${index}]`, value));
    seen.add(value);
    if (index > 0 && Number(values[index - 1]) > Number(value)) isOrdered = false;
  }
  if (!isOrdered) out.push(invalidValue(`${field}.values`, values, 'must be ordered'));
  return out;
}

export function validateSuccessPolicy(policy: JsonRecord, spec: JsonRecord, field: string): FieldError[] {
  if (spec.completionMode !== 'Indexed')
    return [invalidValue(field, goSuccessPolicy(policy), 'requires indexed completion mode')];
  const rules = recordsAt(policy, 'rules');
  const out: FieldError[] = [];
  if (rules.length === 0)
    out.push(
      requiredValue(`${field}.rules`, 'at least one rules must be specified when the successPolicy is specified'),
    );
  if (rules.length > MAX_RULES) out.push(tooMany(`${field}.rules`, rules.length, MAX_RULES));
  const completions = numberAt(spec, 'completions') ?? 0;
  for (const [index, rule] of rules.entries()) {
    const at = `${field}.rules[${index}]`;
    const count = numberAt(rule, 'succeededCount');
    const indexes = rule.succeededIndexes;
    if (count === undefined && typeof indexes !== 'string')
      out.push(requiredValue(at, 'at least one of succeededCount or succeededIndexes must be specified'));
    let total = 0;
    if (typeof indexes === 'string') {
      const parsed = countIndexes(indexes, completions);
      if (typeof parsed === 'number') total = parsed;
      else
        out.push(invalidValue(`${at}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${parsed.problem}`));
    }
    if (count === undefined) continue;
    const path = `${at}.succeededCount`;
    out.push(...notNegative(count, path));
    if (count > completions)
      out.push(
        invalidValue(path, count, `must be less than or equal to ${completions} (the number of specified completions)`),
      );
    if (typeof indexes === 'string' && count > total)
      out.push(
        invalidValue(
          path,
          count,
          `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`,
        ),
      );
  }
  return out;
}

/** How many indexes `1,3-5,7` names (`validateIndexesFormat`). */
function countIndexes(text: string, completions: number): number | { readonly problem: string } {
  if (text === '') return 0;
  let total = 0;
  let last: number | undefined;
  const parse = (part: string): number | { readonly problem: string } => {
    if (!/^[+-]?\d+$/.test(part))
      return { problem: `cannot convert string to integer for index: ${JSON.stringify(part)}` };
    const value = Number(part);
    return value >= completions ? { problem: `too large index: ${JSON.stringify(part)}` } : value;
  };
  for (const interval of text.split(',')) {
    const limits = interval.split('-');
    if (limits.length > 2)
      return {
        problem: `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      };
    const first = parse(limits[0] ?? '');
    if (typeof first !== 'number') return first;
    if (last !== undefined && last >= first)
      return { problem: `non-increasing order, previous: ${last}, current: ${first}` };
    last = first;
    if (limits.length === 1) {
      total += 1;
      continue;
    }
    const end = parse(limits[1] ?? '');
    if (typeof end !== 'number') return end;
    if (first >= end) return { problem: `non-increasing order, previous: ${first}, current: ${end}` };
    total += end - first + 1;
    last = end;
  }
  return total;
}
