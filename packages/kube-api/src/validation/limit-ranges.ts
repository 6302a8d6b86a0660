/** Limit ranges (`ValidateLimitRange`). */
import { duplicateValue, type FieldError, forbiddenValue, invalidValue, requiredValue } from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { compareQuantities, formatQuantity, type Quantity } from '../values/quantity.ts';
import { invalidMessages } from './field-rules.ts';
import { isQualifiedName } from './names.ts';
import { containerResourceName, isExtended, isHugePages, quantityOf, resourceName } from './pod/resources.ts';

const TYPES = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);
const PARTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
const NANO = 1_000_000_000n;

function typeProblems(type: string, field: string): FieldError[] {
  const out = invalidMessages(field, type, isQualifiedName(type));
  return out.length > 0 || type.includes('/') || TYPES.has(type)
    ? out
    : [invalidValue(field, type, 'must be a standard limit type or fully qualified')];
}

function namesOf(item: JsonRecord, part: string): string[] {
  return Object.keys(recordAt(item, part) ?? {});
}

/** The amounts of one resource against each other. */
function relations(item: JsonRecord, name: string, path: string): FieldError[] {
  const value = (part: (typeof PARTS)[number]): Quantity | undefined => quantityOf(recordAt(item, part)?.[name]);
  const isPod = item.type === 'Pod';
  const [max, min, ratio] = [value('max'), value('min'), value('maxLimitRequestRatio')];
  const limit = isPod ? undefined : value('default');
  const request = isPod ? undefined : value('defaultRequest');
  const out: FieldError[] = [];
  const order = (
    low: readonly [string, Quantity | undefined],
    high: readonly [string, Quantity | undefined],
    field: string,
    shown: Quantity | undefined,
  ): void => {
    if (low[1] === undefined || high[1] === undefined || shown === undefined) return;
    if (compareQuantities(low[1], high[1]) <= 0) return;
    const detail = `${low[0]} value ${formatQuantity(low[1])} is greater than ${high[0]} value ${formatQuantity(high[1])}`;
    out.push(invalidValue(`${path}.${field}[${name}]`, formatQuantity(shown), detail));
  };
  order(['min', min], ['max', max], 'min', min);
  order(['min', min], ['default request', request], 'defaultRequest', request);
  order(['default request', request], ['max', max], 'defaultRequest', request);
  order(['default request', request], ['default limit', limit], 'defaultRequest', request);
  order(['min', min], ['default', limit], 'default', min);
  order(['default', limit], ['max', max], 'default', max);
  if (ratio !== undefined) {
    const field = `${path}.maxLimitRequestRatio[${name}]`;
    const text = formatQuantity(ratio);
    if (ratio.nano < NANO) out.push(invalidValue(field, text, `ratio ${text} is less than 1`));
    if (min !== undefined && max !== undefined) {
      const most = Number(max.nano) / Number(min.nano);
      if (Number(ratio.nano) / Number(NANO) > most)
        out.push(invalidValue(field, text, `ratio ${text} is greater than max/min = ${goFloat(most)}`));
    }
  }
  const overcommit = !isExtended(name) && !isHugePages(name);
  if (!overcommit && limit !== undefined && request !== undefined && compareQuantities(limit, request) !== 0)
    out.push(
      invalidValue(
        `${path}.defaultRequest[${name}]`,
        formatQuantity(request),
        `default value ${formatQuantity(limit)} must equal to defaultRequest value ${formatQuantity(request)} in ${name}`,
      ),
    );
  return out;
}

/** `%f` */
function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? value.toFixed(6) : `${value > 0 ? '+' : '-'}Inf`;
}

export function validateLimitRange(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, item] of recordsAt(recordAt(object, 'spec'), 'limits').entries()) {
    const path = `spec.limits[${index}]`;
    const type = stringAt(item, 'type');
    out.push(...typeProblems(type, `${path}.type`));
    if (seen.has(type)) out.push(duplicateValue(`${path}.type`, type));
    seen.add(type);
    const names = new Set<string>();
    for (const part of PARTS) {
      if (part === 'maxLimitRequestRatio' && type === 'PersistentVolumeClaim') {
        const has = (bound: string): boolean => recordAt(item, bound)?.storage !== undefined;
        if (!has('min') && !has('max'))
          out.push(
            requiredValue(
              `${path}.limits`,
              'either minimum or maximum storage value is required, but neither was provided',
            ),
          );
      }
      if (type === 'Pod' && (part === 'default' || part === 'defaultRequest')) {
        if (namesOf(item, part).length > 0)
          out.push(forbiddenValue(`${path}.${part}`, "may not be specified when `type` is 'Pod'"));
        continue;
      }
      for (const name of namesOf(item, part)) {
        const isCompute = type === 'Pod' || type === 'Container';
        out.push(...(isCompute ? containerResourceName : resourceName)(name, `${path}.${part}[${name}]`));
        names.add(name);
      }
    }
    for (const name of names) out.push(...relations(item, name, path));
  }
  return out;
}
