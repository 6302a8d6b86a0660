/** Specs of claims, alone and in templates (`ValidatePersistentVolumeClaimSpec`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isDns1123Label, isDns1123Subdomain } from './names.ts';
import { quantityOf, quantityText } from './pod/resources.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** Modes that are known, and one that goes with no other. */
export function validateAccessModes(modes: readonly string[], field: string): FieldError[] {
  const out = modes
    .filter((mode) => !ACCESS_MODES.includes(mode))
    .map((mode) => unsupportedValue(field, mode, ACCESS_MODES));
  if (
    modes.includes('ReadWriteOncePod') &&
    modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode))
  )
    out.push(forbiddenValue(field, 'may not use ReadWriteOncePod with other access modes'));
  return out;
}

export function validateVolumeMode(mode: unknown, field: string): FieldError[] {
  return typeof mode === 'string' && mode !== 'Block' && mode !== 'Filesystem'
    ? [unsupportedValue(field, mode, ['Block', 'Filesystem'])]
    : [];
}

function dataSource(source: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const name of ['name', 'kind']) if (stringAt(source, name) === '') out.push(requiredValue(`${field}.${name}`));
  const group = stringAt(source, 'apiGroup');
  const kind = stringAt(source, 'kind');
  if (group === '' && kind !== 'PersistentVolumeClaim')
    out.push(invalidValue(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  if (group !== '') out.push(...invalidMessages(`${field}.apiGroup`, group, isDns1123Subdomain(group)));
  const namespace = stringAt(source, 'namespace');
  if (namespace !== '') out.push(...invalidMessages(`${field}.namespace`, namespace, isDns1123Label(namespace)));
  return out;
}

function dataSources(spec: JsonRecord, field: string): FieldError[] {
  const source = recordAt(spec, 'dataSource');
  const ref = recordAt(spec, 'dataSourceRef');
  const out: FieldError[] = [];
  if (source !== undefined) out.push(...dataSource(source, `${field}.dataSource`));
  if (ref !== undefined) out.push(...dataSource(ref, `${field}.dataSourceRef`));
  if (source === undefined || ref === undefined) return out;
  // The bad value is a path there, a struct without public fields.
  if (stringAt(ref, 'namespace') !== '')
    out.push(invalidValue(field, {}, 'may not be specified when dataSourceRef.namespace is specified'));
  else if (['apiGroup', 'kind', 'name'].some((name) => (source[name] ?? null) !== (ref[name] ?? null)))
    out.push(invalidValue(field, {}, 'must match dataSourceRef'));
  return out;
}

export function validateClaimSpec(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const modes = stringsAt(spec, 'accessModes');
  if (modes.length === 0) out.push(requiredValue(`${field}.accessModes`, 'at least 1 access mode is required'));
  out.push(...validateLabelSelector(recordAt(spec, 'selector'), `${field}.selector`));
  out.push(...validateAccessModes(modes, `${field}.accessModes`));
  const storage = recordAt(recordAt(spec, 'resources'), 'requests')?.storage;
  if (storage === undefined) out.push(requiredValue(`${field}.resources[storage]`));
  else {
    const quantity = quantityOf(storage);
    if (quantity !== undefined && quantity.nano <= 0n)
      out.push(invalidValue(`${field}.resources[storage]`, quantityText(storage), 'must be greater than zero'));
  }
  for (const name of ['storageClassName', 'volumeAttributesClassName']) {
    const value = stringAt(spec, name);
    if (value !== '') out.push(...invalidMessages(`${field}.${name}`, value, isDns1123Subdomain(value)));
  }
  out.push(...validateVolumeMode(spec.volumeMode, `${field}.volumeMode`));
  return [...out, ...dataSources(spec, field)];
}
