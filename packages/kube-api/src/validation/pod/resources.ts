/** Resource requirements and quantities (`ValidateResourceRequirements`). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
  valueNotFound,
} from '../../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from '../../values/quantity.ts';
import { invalidMessages, NOT_NEGATIVE } from '../field-rules.ts';
import { isDns1123Label, isQualifiedName } from '../names.ts';

const STANDARD = new Set(['cpu', 'memory', 'ephemeral-storage']);
const NANO = 1_000_000_000n;

export function quantityOf(value: unknown): Quantity | undefined {
  return typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined;
}

export function quantityText(value: unknown): string {
  const quantity = quantityOf(value);
  return quantity === undefined ? '' : formatQuantity(quantity);
}

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

export function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
}

/** Names that stand alone and mean something (`IsStandardResourceName`). */
const STANDARD_NAMES = new Set(
  (
    'cpu memory ephemeral-storage requests.cpu requests.memory requests.storage requests.ephemeral-storage limits.cpu ' +
    'limits.memory limits.ephemeral-storage pods resourcequotas services replicationcontrollers secrets ' +
    'persistentvolumeclaims configmaps services.nodeports services.loadbalancers storage'
  ).split(' '),
);

/** A resource of any sort (`validateResourceName`). */
export function resourceName(name: string, field: string): FieldError[] {
  const out = invalidMessages(field, name, isQualifiedName(name));
  if (out.length > 0) return out;
  return !name.includes('/') && !STANDARD_NAMES.has(name) && !isHugePages(name)
    ? [invalidValue(field, name, 'must be a standard resource type or fully qualified')]
    : [];
}

/** What a container may ask for: cpu, memory, ephemeral-storage, huge pages, extended resources. */
export function containerResourceName(name: string, field: string): FieldError[] {
  const out = resourceName(name, field);
  if (!name.includes('/') && !STANDARD.has(name) && !isHugePages(name))
    out.push(invalidValue(field, name, 'must be a standard resource for containers'));
  else if (!isNative(name) && !isExtended(name))
    out.push(invalidValue(field, name, "doesn't follow extended resource name standard"));
  return out;
}

/** What a pod as a whole may ask for. */
export function podResourceName(name: string, field: string): FieldError[] {
  const out = resourceName(name, field);
  return out.length > 0 || name === 'cpu' || name === 'memory' || isHugePages(name)
    ? out
    : [unsupportedValue(field, name, ['cpu', 'memory'])];
}

/** Resources that are counted (`IsIntegerResourceName`). */
const INTEGER_RESOURCES = new Set(
  (
    'pods resourcequotas services replicationcontrollers secrets configmaps persistentvolumeclaims ' +
    'services.nodeports services.loadbalancers'
  ).split(' '),
);

export function resourceQuantity(name: string, value: unknown, field: string): FieldError[] {
  const quantity = quantityOf(value);
  if (quantity === undefined) return [];
  const out: FieldError[] = [];
  if (quantity.nano < 0n) out.push(invalidValue(field, formatQuantity(quantity), NOT_NEGATIVE));
  if ((isExtended(name) || INTEGER_RESOURCES.has(name)) && (quantity.nano / 1_000_000n) % 1000n !== 0n)
    out.push(invalidValue(field, formatQuantity(quantity), 'must be an integer'));
  return out;
}

/** The page size in a name like `hugepages-2Mi` divides the amount (`IsHugePageResourceValueDivisible`). */
function hugePagesProblem(name: string, value: unknown, field: string): FieldError[] {
  if (!isHugePages(name)) return [];
  const page = quantityOf(name.slice('hugepages-'.length));
  const quantity = quantityOf(value);
  if (page === undefined || quantity === undefined) return [];
  const isMultiple = page.nano > 0n && page.nano % NANO === 0n && quantity.nano % page.nano === 0n;
  if (isMultiple) return [];
  const text = formatQuantity(quantity);
  return [invalidValue(field, text, `${text} is not positive integer multiple of ${name}`)];
}

type NameRule = (name: string, field: string) => FieldError[];

/** `claims` are the names in the pod's `resourceClaims`. */
export function validateResources(
  resources: JsonRecord | undefined,
  field: string,
  claims: ReadonlySet<string> = new Set(),
  nameRule: NameRule = containerResourceName,
): FieldError[] {
  if (resources === undefined) return [];
  const out: FieldError[] = [];
  const limits = recordAt(resources, 'limits') ?? {};
  const requests = recordAt(resources, 'requests') ?? {};
  const one = (name: string, value: unknown, path: string): void => {
    out.push(...nameRule(name, path), ...resourceQuantity(name, value, path));
  };
  for (const [name, value] of Object.entries(limits)) {
    const path = `${field}.limits[${name}]`;
    one(name, value, path);
    out.push(...hugePagesProblem(name, value, path));
  }
  for (const [name, value] of Object.entries(requests)) {
    const path = `${field}.requests[${name}]`;
    one(name, value, path);
    out.push(...againstLimit(name, value, limits[name], field), ...hugePagesProblem(name, value, path));
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory'))
    out.push(forbiddenValue(field, 'HugePages require cpu or memory'));
  return [...out, ...validateClaimNames(recordsAt(resources, 'claims'), claims, `${field}.claims`)];
}

/** A request fits into its limit, and is all of it where nothing can be overcommitted. */
function againstLimit(name: string, value: unknown, limitValue: unknown, field: string): FieldError[] {
  const request = quantityOf(value);
  const limit = quantityOf(limitValue);
  const overcommit = isNative(name) && !isHugePages(name);
  if (request === undefined) return [];
  if (limit === undefined)
    return overcommit ? [] : [requiredValue(`${field}.limits`, 'Limit must be set for non overcommitable resources')];
  const order = compareQuantities(request, limit);
  if (order === 0 || (overcommit && order < 0)) return [];
  const relation = overcommit ? 'less than or equal to' : 'equal to';
  return [
    invalidValue(
      `${field}.requests`,
      formatQuantity(request),
      `must be ${relation} ${name} limit of ${formatQuantity(limit)}`,
    ),
  ];
}

/** `validateResourceClaimNames` */
function validateClaimNames(claims: readonly JsonRecord[], known: ReadonlySet<string>, field: string): FieldError[] {
  const out: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const path = `${field}[${index}]`;
    const name = stringAt(claim, 'name');
    if (name === '') {
      out.push(requiredValue(path));
      continue;
    }
    if (names.has(name)) out.push(duplicateValue(path, name));
    else {
      const request = stringAt(claim, 'request');
      if (request !== '') out.push(...invalidMessages(`${path}.request`, request, isDns1123Label(request)));
      const key = request === '' ? name : `${name}/${request}`;
      if (names.has(key)) out.push(duplicateValue(path, key));
      else if (request === '')
        for (const other of names) if (other.startsWith(`${name}/`)) out.push(duplicateValue(path, name));
      names.add(key);
    }
    if (!known.has(name)) {
      const which = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
      const detail = `must be one of the names in pod.spec.resourceClaims${which}`;
      out.push({ ...valueNotFound(path, name), detail });
    }
  }
  return out;
}
