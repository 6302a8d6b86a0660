/** metadata (apimachinery `api/validation/objectmeta.go`, `apis/meta/v1/validation`). */
import {
  type FieldError,
  forbiddenValue,
  goQuote,
  invalidValue,
  requiredValue,
  tooLong,
} from '../errors/field-error.ts';
import { recordsAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { immutableField, invalidMessages, notNegative } from './field-rules.ts';
import { byteLength, isDns1123Label, isLabelValue, isQualifiedName, maskTrailingDash } from './names.ts';

/** The messages for a name; `prefix` is true for generateName. */
export type NameRule = (name: string, prefix: boolean) => readonly string[];

/** Bytes of all annotations together. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** A rule that lets a prefix end with a dash. */
export function nameRule(check: (name: string) => readonly string[]): NameRule {
  return (name, prefix) => check(prefix ? maskTrailingDash(name) : name);
}

/** `path.ValidatePathSegmentName`: anything that can be a part of a URL. */
export const pathSegmentName: NameRule = (name, prefix) => {
  if (!prefix) {
    if (name === '.') return ["may not be '.'"];
    if (name === '..') return ["may not be '..'"];
  }
  return ['/', '%'].filter((char) => name.includes(char)).map((char) => `may not contain '${char}'`);
};

export function validateObjectMeta(
  metadata: unknown,
  namespaced: boolean,
  rule: NameRule,
  field = 'metadata',
): FieldError[] {
  const out: FieldError[] = [];
  const generateName = stringAt(metadata, 'generateName');
  const name = stringAt(metadata, 'name');
  if (generateName !== '')
    out.push(...invalidMessages(`${field}.generateName`, generateName, rule(generateName, true)));
  if (name === '') out.push(requiredValue(`${field}.name`, 'name or generateName is required'));
  else out.push(...invalidMessages(`${field}.name`, name, rule(name, false)));
  const namespace = stringAt(metadata, 'namespace');
  if (namespaced) {
    if (namespace === '') out.push(requiredValue(`${field}.namespace`));
    else out.push(...invalidMessages(`${field}.namespace`, namespace, isDns1123Label(namespace)));
  } else if (namespace !== '') out.push(forbiddenValue(`${field}.namespace`, 'not allowed on this type'));
  out.push(...notNegative(isRecord(metadata) ? metadata.generation : undefined, `${field}.generation`));
  out.push(...validateLabels(stringMapAt(metadata, 'labels'), `${field}.labels`));
  out.push(...validateAnnotations(stringMapAt(metadata, 'annotations'), `${field}.annotations`));
  out.push(...validateOwnerReferences(recordsAt(metadata, 'ownerReferences'), `${field}.ownerReferences`));
  out.push(...validateFinalizers(stringsAt(metadata, 'finalizers'), `${field}.finalizers`));
  out.push(...validateManagedFields(recordsAt(metadata, 'managedFields'), `${field}.managedFields`));
  return out;
}

export function validateLabels(labels: Readonly<Record<string, string>>, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [key, value] of Object.entries(labels)) {
    out.push(...validateLabelName(key, field));
    out.push(...invalidMessages(field, value, isLabelValue(value)));
  }
  return out;
}

export function validateLabelName(key: string, field: string): FieldError[] {
  return invalidMessages(field, key, isQualifiedName(key));
}

export function validateAnnotations(annotations: Readonly<Record<string, string>>, field: string): FieldError[] {
  const out: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    // Upstream checks the lower-cased key but shows the real one.
    out.push(...invalidMessages(field, key, isQualifiedName(key.toLowerCase())));
    bytes += byteLength(key) + byteLength(value);
  }
  if (bytes > MAX_ANNOTATIONS_BYTES) out.push(tooLong(field, MAX_ANNOTATIONS_BYTES));
  return out;
}

function validateOwnerReferences(references: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  let controller: string | undefined;
  for (const reference of references) {
    const apiVersion = stringAt(reference, 'apiVersion');
    const parts = apiVersion.split('/');
    if (parts.length > 2 || apiVersion === '/') {
      out.push(invalidValue(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    }
    const group = parts.length === 2 ? parts[0] : '';
    const version = parts.length === 2 ? parts[1] : parts[0];
    if ((version ?? '') === '') out.push(invalidValue(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
    const kind = stringAt(reference, 'kind');
    if (kind === '') out.push(invalidValue(`${field}.kind`, kind, 'must not be empty'));
    const name = stringAt(reference, 'name');
    if (name === '') out.push(invalidValue(`${field}.name`, name, 'must not be empty'));
    const uid = stringAt(reference, 'uid');
    if (uid === '') out.push(invalidValue(`${field}.uid`, uid, 'must not be empty'));
    if (group === '' && version === 'v1' && kind === 'Event')
      out.push(invalidValue(field, reference, '/v1, Kind=Event is disallowed from being an owner'));
    if (reference.controller === true) {
      if (controller !== undefined)
        out.push(
          invalidValue(
            field,
            references,
            `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
          ),
        );
      else controller = name;
    }
  }
  return out;
}

const STANDARD_FINALIZERS = new Set(['kubernetes', 'foregroundDeletion', 'orphan']);

function validateFinalizers(finalizers: readonly string[], field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, name] of finalizers.entries()) {
    const problems = isQualifiedName(name);
    out.push(...invalidMessages(`${field}[${index}]`, name, problems));
    if (problems.length === 0 && !name.includes('/') && !STANDARD_FINALIZERS.has(name))
      out.push(
        invalidValue(`${field}[${index}]`, name, 'name is neither a standard finalizer name nor is it fully qualified'),
      );
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    out.push(invalidValue(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  return out;
}

function validateManagedFields(entries: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, entry] of entries.entries()) {
    const path = `${field}[${index}]`;
    const operation = stringAt(entry, 'operation');
    if (operation !== 'Apply' && operation !== 'Update')
      out.push(invalidValue(`${path}.operation`, operation, 'must be `Apply` or `Update`'));
    const fieldsType = stringAt(entry, 'fieldsType');
    if (fieldsType !== '' && fieldsType !== 'FieldsV1')
      out.push(invalidValue(`${path}.fieldsType`, fieldsType, 'must be `FieldsV1`'));
    out.push(...validateFieldManager(stringAt(entry, 'manager'), `${path}.manager`));
    const subresource = stringAt(entry, 'subresource');
    if (byteLength(subresource) > 256) out.push(tooLong(`${path}.subresource`, 256));
  }
  return out;
}

/** `fieldManager` of a request, `manager` of an entry. */
export function validateFieldManager(manager: string, field: string): FieldError[] {
  if (byteLength(manager) > 128) return [tooLong(field, 128)];
  for (const [index, char] of [...manager].entries())
    if (/[\p{C}]/u.test(char) || (/\p{Z}/u.test(char) && char !== ' '))
      return [invalidValue(field, manager, `invalid character ${goRune(char)} (at position ${index})`)];
  return [];
}

function goRune(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Finalizers of kinds of our own, whatever is updated (`core/validation.ValidateObjectMetaUpdate`). */
export function validateKubeFinalizers(metadata: unknown, field = 'metadata'): FieldError[] {
  const names = isRecord(metadata) ? stringsAt(metadata, 'finalizers') : [];
  return names.flatMap((name, index) =>
    name.includes('/') || STANDARD_FINALIZERS.has(name)
      ? []
      : [
          invalidValue(
            `${field}.finalizers[${index}]`,
            name,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  );
}

/** metadata of an update against the stored object's. */
export function validateObjectMetaUpdate(metadata: unknown, old: unknown, field = 'metadata'): FieldError[] {
  const out: FieldError[] = [];
  const next = isRecord(metadata) ? metadata : {};
  const before = isRecord(old) ? old : {};
  if (before.deletionTimestamp !== undefined) {
    const known = new Set(stringsAt(before, 'finalizers'));
    const added = stringsAt(next, 'finalizers').filter((name) => !known.has(name));
    if (added.length > 0)
      out.push(
        forbiddenValue(
          `${field}.finalizers`,
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(goQuote).join(', ')}}`,
        ),
      );
  }
  if (stringAt(next, 'resourceVersion') === '')
    out.push(invalidValue(`${field}.resourceVersion`, '', 'must be specified for an update'));
  const generation = typeof next.generation === 'number' ? next.generation : 0;
  const oldGeneration = typeof before.generation === 'number' ? before.generation : 0;
  if (generation < oldGeneration) out.push(invalidValue(`${field}.generation`, generation, 'must not be decremented'));
  for (const name of ['name', 'namespace', 'uid'] as const)
    out.push(...immutableField(stringAt(next, name), stringAt(before, name), `${field}.${name}`));
  for (const name of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const)
    if (!semanticEquals(next[name], before[name]))
      out.push(invalidValue(`${field}.${name}`, next[name] ?? null, 'field is immutable'));
  out.push(...validateLabels(stringMapAt(next, 'labels'), `${field}.labels`));
  out.push(...validateAnnotations(stringMapAt(next, 'annotations'), `${field}.annotations`));
  out.push(...validateOwnerReferences(recordsAt(next, 'ownerReferences'), `${field}.ownerReferences`));
  out.push(...validateManagedFields(recordsAt(next, 'managedFields'), `${field}.managedFields`));
  return out;
}
