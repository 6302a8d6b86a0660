/** Persistent volumes and claims. */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  NIL_COLLECTION,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, stringAt, stringsAt } from '../values/access.ts';
import { type JsonRecord, semanticEquals } from '../values/json.ts';
import { compareQuantities } from '../values/quantity.ts';
import { unifiedDiff } from '../values/text-diff.ts';
import { validateAccessModes, validateClaimSpec, validateVolumeMode } from './claim-spec.ts';
import { immutableField, invalidMessages } from './field-rules.ts';
import { goClaimSpec, goVolumeAffinity, goVolumeSource } from './go-dump.ts';
import { isDns1123Subdomain } from './names.ts';
import { quantityOf, quantityText } from './pod/resources.ts';
import { validateNodeSelector } from './pod/scheduling.ts';
import { oneSource, PERSISTENT_DISKS } from './pod/volume-sources.ts';

export function validatePersistentVolumeClaim(object: JsonRecord): FieldError[] {
  return validateClaimSpec(recordAt(object, 'spec') ?? {}, 'spec');
}

/** What may change once: the volume that was bound and a class that was left open. */
function fillOnce(spec: JsonRecord, before: JsonRecord): JsonRecord {
  const out: JsonRecord = { ...spec };
  if (stringAt(before, 'volumeName') === '') copyField(out, before, 'volumeName');
  if (before.storageClassName === undefined && spec.storageClassName !== undefined)
    copyField(out, before, 'storageClassName');
  return out;
}

function copyField(target: JsonRecord, source: JsonRecord, name: string): void {
  if (source[name] === undefined) delete target[name];
  else target[name] = source[name];
}

const storageOf = (resources: JsonRecord | undefined): unknown => recordAt(resources, 'requests')?.storage;

const CLAIM_FIXED =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

export function validatePersistentVolumeClaimUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validatePersistentVolumeClaim(object);
  const spec = recordAt(object, 'spec') ?? {};
  const before = recordAt(old, 'spec') ?? {};
  const isBound = recordAt(object, 'status')?.phase === 'Bound';
  const copy = fillOnce(spec, before);
  const shownBefore = stringAt(before, 'volumeName') === '' ? { ...before, volumeName: spec.volumeName ?? '' } : before;
  const resources = recordAt(spec, 'resources');
  const request = storageOf(recordAt(before, 'resources'));
  if (isBound && recordAt(resources, 'requests') !== undefined)
    copy.resources = { ...resources, requests: { ...recordAt(resources, 'requests'), storage: request } };
  if (isBound && spec.volumeAttributesClassName !== undefined) copyField(copy, before, 'volumeAttributesClassName');
  if (!semanticEquals(copy, before)) {
    const shown = stringAt(before, 'volumeName') === '' ? { ...copy, volumeName: spec.volumeName ?? '' } : copy;
    out.push(forbiddenValue('spec', `${CLAIM_FIXED}\n${unifiedDiff(goClaimSpec(shownBefore), goClaimSpec(shown))}`));
  }
  const next = quantityOf(storageOf(resources));
  const previous = quantityOf(request);
  const capacity = quantityOf(recordAt(recordAt(old, 'status'), 'capacity')?.storage) ?? quantityOf(0);
  if (
    next !== undefined &&
    previous !== undefined &&
    capacity !== undefined &&
    compareQuantities(next, previous) < 0 &&
    compareQuantities(next, capacity) <= 0
  )
    out.push(forbiddenValue('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  out.push(...immutableField(spec.volumeMode, before.volumeMode, 'volumeMode'));
  const attributes = 'spec.volumeAttributesClassName';
  if (typeof before.volumeAttributesClassName === 'string') {
    if (spec.volumeAttributesClassName === undefined)
      out.push(forbiddenValue(attributes, 'update from non-nil value to nil is forbidden'));
    else if (spec.volumeAttributesClassName === '' && before.volumeAttributesClassName !== '')
      out.push(forbiddenValue(attributes, 'update from non-nil value to an empty string is forbidden'));
  }
  return out;
}

function capacityProblems(capacity: JsonRecord): FieldError[] {
  const field = 'spec.capacity';
  const names = Object.keys(capacity);
  const out: FieldError[] = [];
  if (names.length === 0) out.push(requiredValue(field));
  if (capacity.storage === undefined || names.length > 1)
    out.push(unsupportedValue(field, names.length === 0 ? NIL_COLLECTION : capacity, ['storage']));
  for (const name of names) {
    const quantity = quantityOf(capacity[name]);
    if (quantity === undefined) continue;
    const whole = -(-quantity.nano / 1_000_000_000n);
    if (quantity.nano < 0n) out.push(invalidValue(`${field}[${name}]`, whole, 'must be a valid resource quantity'));
    if (quantity.nano <= 0n)
      out.push(invalidValue(`${field}[${name}]`, quantityText(capacity[name]), 'must be greater than zero'));
  }
  return out;
}

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

export function validatePersistentVolume(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  const modes = stringsAt(spec, 'accessModes');
  if (modes.length === 0) out.push(requiredValue('spec.accessModes'));
  out.push(...validateAccessModes(modes, 'spec.accessModes'));
  out.push(...capacityProblems(recordAt(spec, 'capacity') ?? {}));
  const reclaim = stringAt(spec, 'persistentVolumeReclaimPolicy');
  if (reclaim !== '' && !RECLAIM_POLICIES.includes(reclaim))
    out.push(unsupportedValue('spec.persistentVolumeReclaimPolicy', reclaim, RECLAIM_POLICIES));
  const affinity = recordAt(spec, 'nodeAffinity');
  if (affinity !== undefined) {
    const needed = recordAt(affinity, 'required');
    if (needed === undefined)
      out.push(requiredValue('spec.nodeAffinity.required', 'must specify required node constraints'));
    else out.push(...validateNodeSelector(needed, 'spec.nodeAffinity.required'));
  }
  out.push(...oneSource(spec, 'spec', PERSISTENT_DISKS));
  if (recordAt(spec, 'local') !== undefined && affinity === undefined)
    out.push(requiredValue('spec.nodeAffinity', 'Local volume requires node affinity'));
  if (reclaim === 'Recycle' && /^\/+(\.\/*)*$/.test(stringAt(recordAt(spec, 'hostPath'), 'path')))
    out.push(forbiddenValue('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  const storageClass = stringAt(spec, 'storageClassName');
  if (storageClass !== '')
    out.push(...invalidMessages('spec.storageClassName', storageClass, isDns1123Subdomain(storageClass)));
  out.push(...validateVolumeMode(spec.volumeMode, 'spec.volumeMode'));
  const attributes = spec.volumeAttributesClassName;
  if (typeof attributes === 'string') {
    const path = 'spec.volumeAttributesClassName';
    if (attributes === '') out.push(requiredValue(path, 'an empty string is disallowed'));
    else out.push(...invalidMessages(path, attributes, isDns1123Subdomain(attributes)));
    if (recordAt(spec, 'csi') === undefined)
      out.push(requiredValue('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  }
  return out;
}

export function validatePersistentVolumeUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validatePersistentVolume(object);
  const spec = { ...recordAt(object, 'spec') };
  const before = recordAt(old, 'spec') ?? {};
  const csi = recordAt(spec, 'csi');
  // A secret to grow the volume with may be added.
  if (
    csi?.controllerExpandSecretRef !== undefined &&
    recordAt(before, 'csi')?.controllerExpandSecretRef === undefined
  ) {
    const { controllerExpandSecretRef: _, ...rest } = csi;
    spec.csi = rest;
  }
  if (Object.keys(PERSISTENT_DISKS).some((name) => !semanticEquals(spec[name], before[name])))
    out.push(
      forbiddenValue(
        'spec.persistentvolumesource',
        `spec.persistentvolumesource is immutable after creation\n${unifiedDiff(goVolumeSource(before), goVolumeSource(spec))}`,
      ),
    );
  out.push(...immutableField(spec.volumeMode, before.volumeMode, 'volumeMode'));
  if (before.nodeAffinity !== undefined && !semanticEquals(spec.nodeAffinity, before.nodeAffinity))
    out.push(
      invalidValue(
        'nodeAffinity',
        goVolumeAffinity(recordAt(spec, 'nodeAffinity')),
        'field is immutable, except for updating from beta label to GA',
      ),
    );
  if (typeof before.volumeAttributesClassName === 'string' && spec.volumeAttributesClassName === undefined)
    out.push(forbiddenValue('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  return out;
}
