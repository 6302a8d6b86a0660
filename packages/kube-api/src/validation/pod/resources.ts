/** Resource requirements and quantities (`ValidateResourceRequirements`). */
import { type FieldError, forbiddenValue, invalidValue, requiredValue } from '../../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from '../../values/quantity.ts';
import { invalidMessages, NOT_NEGATIVE } from '../field-rules.ts';
import { isQualifiedName } from '../names.ts';

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage']);
const NANO = 1_000_000_000n;

export function quantityOf(value: unknown): Quantity | undefined {
  return typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined;
}

export function quantityText(value: unknown): string {
  const quantity = quantityOf(value);
  return quantity === undefined ? '' : formatQuantity(quantity);
}

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
}

/** What a container may ask for: cpu, memory, ephemeral-storage, huge pages, extended resources. */
export function containerResourceName(name: string, field: string): FieldError[] {
  const out = invalidMessages(field, name, isQualifiedName(name));
  if (out.length > 0) return out;
  if (!name.includes('/') && !STANDARD.has(name) && !isHugePages(name))
    return [invalidValue(field, name, 'must be a standard resource for containers')];
  if (!isNative(name) && !isExtended(name))
    return [invalidValue(field, name, "doesn't follow extended resource name standard")];
  return [];
}

export function resourceQuantity(name: string, value: unknown, field: string): FieldError[] {
  const quantity = quantityOf(value);
  if (quantity === undefined) return [];
  const out: FieldError[] = [];
  if (quantity.nano < 0n) out.push(invalidValue(field, formatQuantity(quantity), NOT_NEGATIVE));
  if ((isExtended(name) || name === 'pods') && quantity.nano % NANO !== 0n)
    out.push(invalidValue(field, formatQuantity(quantity), 'must be an integer'));
  return out;
}

export function validateResources(resources: JsonRecord | undefined, field: string): FieldError[] {
  if (resources === undefined) return [];
  const out: FieldError[] = [];
  const limits = recordAt(resources, 'limits') ?? {};
  const requests = recordAt(resources, 'requests') ?? {};
  let hasCpuOrMemory = false;
  let hasHugePages = false;
  const note = (name: string): void => {
    if (name === 'cpu' || name === 'memory') hasCpuOrMemory = true;
    if (isHugePages(name)) hasHugePages = true;
  };
  for (const [name, value] of Object.entries(limits)) {
    const path = `${field}.limits[${name}]`;
    out.push(...containerResourceName(name, path), ...resourceQuantity(name, value, path));
    note(name);
  }
  for (const [name, value] of Object.entries(requests)) {
    const path = `${field}.requests[${name}]`;
    out.push(...containerResourceName(name, path), ...resourceQuantity(name, value, path));
    note(name);
    const request = quantityOf(value);
    const limit = quantityOf(limits[name]);
    const overcommit = isNative(name) && !isHugePages(name);
    if (request !== undefined && limit !== undefined) {
      const order = compareQuantities(request, limit);
      if (!overcommit && order !== 0)
        out.push(
          invalidValue(
            `${field}.requests`,
            formatQuantity(request),
            `must be equal to ${name} limit of ${formatQuantity(limit)}`,
          ),
        );
      else if (order > 0)
        out.push(
          invalidValue(
            `${field}.requests`,
            formatQuantity(request),
            `must be less than or equal to ${name} limit of ${formatQuantity(limit)}`,
          ),
        );
    } else if (limit === undefined && !overcommit)
      out.push(requiredValue(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
  }
  if (hasHugePages && !hasCpuOrMemory) out.push(forbiddenValue(field, 'HugePages require cpu or memory'));
  const seen = new Set<string>();
  for (const [index, claim] of recordsAt(resources, 'claims').entries()) {
    const name = stringAt(claim, 'name');
    if (name === '') out.push(requiredValue(`${field}.claims[${index}]`));
    else if (seen.has(name))
      out.push({ type: 'FieldValueDuplicate', field: `${field}.claims[${index}]`, badValue: name, detail: '' });
    seen.add(name);
  }
  return out;
}
