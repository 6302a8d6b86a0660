/** Persistent volumes and claims. */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, stringAt, stringsAt } from '../values/access.ts';
import { type JsonRecord, semanticEquals } from '../values/json.ts';
import { compareQuantities } from '../values/quantity.ts';
import { unifiedDiff } from '../values/text-diff.ts';
import { immutableField, invalidMessages } from './field-rules.ts';
import { goClaimSpec, goVolumeSource } from './go-dump.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isDns1123Subdomain } from './names.ts';
import { quantityOf, quantityText } from './pod/resources.ts';
import { validateNodeSelector } from './pod/scheduling.ts';
import { validateVolumeSource } from './pod/volumes.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateClaimSpec(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const modes = stringsAt(spec, 'accessModes');
  if (modes.length === 0) out.push(requiredValue(`${field}.accessModes`, 'at least 1 access mode is required'));
  out.push(...validateLabelSelector(recordAt(spec, 'selector'), `${field}.selector`));
  for (const mode of modes)
    if (!ACCESS_MODES.includes(mode)) out.push(unsupportedValue(`${field}.accessModes`, mode, ACCESS_MODES));
  if (modes.includes('ReadWriteOncePod') && modes.length > 1)
    out.push(forbiddenValue(`${field}.accessModes`, 'may not use ReadWriteOncePod with other access modes'));
  const requests = recordAt(recordAt(spec, 'resources'), 'requests');
  const storage = requests?.storage;
  if (storage === undefined) out.push(requiredValue(`${field}.resources[storage]`));
  else {
    const quantity = quantityOf(storage);
    if (quantity !== undefined && quantity.nano <= 0n)
      out.push(invalidValue(`${field}.resources[storage]`, quantityText(storage), 'must be greater than zero'));
  }
  const storageClass = stringAt(spec, 'storageClassName');
  if (storageClass !== '')
    out.push(...invalidMessages(`${field}.storageClassName`, storageClass, isDns1123Subdomain(storageClass)));
  const mode = spec.volumeMode;
  if (typeof mode === 'string' && mode !== 'Block' && mode !== 'Filesystem')
    out.push(unsupportedValue(`${field}.volumeMode`, mode, ['Block', 'Filesystem']));
  return out;
}

export function validatePersistentVolumeClaim(object: JsonRecord): FieldError[] {
  return validateClaimSpec(recordAt(object, 'spec') ?? {}, 'spec');
}

export function validatePersistentVolumeClaimUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validatePersistentVolumeClaim(object);
  const spec = recordAt(object, 'spec') ?? {};
  const before = recordAt(old, 'spec') ?? {};
  const isBound = recordAt(old, 'status')?.phase === 'Bound';
  // Binding fills volumeName and may fill the class; both are allowed once.
  const copy: JsonRecord = { ...spec };
  if (stringAt(before, 'volumeName') === '') copy.volumeName = before.volumeName;
  if (before.storageClassName === undefined) copy.storageClassName = before.storageClassName;
  const request = (source: JsonRecord): unknown => recordAt(recordAt(source, 'resources'), 'requests')?.storage;
  if (isBound) {
    copy.resources = before.resources;
    copy.volumeAttributesClassName = before.volumeAttributesClassName;
    const next = quantityOf(request(spec));
    const capacity = quantityOf(recordAt(recordAt(old, 'status'), 'capacity')?.storage) ?? quantityOf(request(before));
    if (next !== undefined && capacity !== undefined && compareQuantities(next, capacity) < 0)
      out.push(forbiddenValue('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  if (!semanticEquals(copy, before))
    out.push(
      forbiddenValue(
        'spec',
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${unifiedDiff(goClaimSpec(before), goClaimSpec({ ...spec, ...(isBound ? { resources: before.resources } : {}) }))}`,
      ),
    );
  if (before.volumeMode !== undefined)
    out.push(...immutableField(spec.volumeMode, before.volumeMode, 'spec.volumeMode'));
  return out;
}

export function validatePersistentVolume(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  const modes = stringsAt(spec, 'accessModes');
  if (modes.length === 0) out.push(requiredValue('spec.accessModes'));
  for (const mode of modes)
    if (!ACCESS_MODES.includes(mode)) out.push(unsupportedValue('spec.accessModes', mode, ACCESS_MODES));
  const capacity = recordAt(spec, 'capacity') ?? {};
  if (Object.keys(capacity).length === 0) out.push(requiredValue('spec.capacity'));
  else {
    if (capacity.storage === undefined || Object.keys(capacity).length > 1)
      out.push(unsupportedValue('spec.capacity', capacity, ['storage']));
    const storage = quantityOf(capacity.storage);
    if (storage !== undefined && storage.nano <= 0n)
      out.push(invalidValue('spec.capacity[storage]', quantityText(capacity.storage), 'must be greater than zero'));
  }
  const reclaim = stringAt(spec, 'persistentVolumeReclaimPolicy');
  const policies = ['Delete', 'Recycle', 'Retain'];
  if (reclaim !== '' && !policies.includes(reclaim))
    out.push(unsupportedValue('spec.persistentVolumeReclaimPolicy', reclaim, policies));
  if (reclaim === 'Recycle' && recordAt(spec, 'hostPath')?.path === '/')
    out.push(forbiddenValue('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  const affinity = recordAt(recordAt(spec, 'nodeAffinity'), 'required');
  if (recordAt(spec, 'nodeAffinity') !== undefined && affinity === undefined)
    out.push(requiredValue('spec.nodeAffinity.required', 'must specify required node constraints'));
  if (affinity !== undefined) out.push(...validateNodeSelector(affinity, 'spec.nodeAffinity.required'));
  const local = recordAt(spec, 'local');
  if (local !== undefined) {
    if (stringAt(local, 'path') === '') out.push(requiredValue('spec.local.path'));
    if (affinity === undefined) out.push(requiredValue('spec.nodeAffinity', 'Local volume requires node affinity'));
  } else out.push(...validateVolumeSource(spec, 'spec'));
  const storageClass = stringAt(spec, 'storageClassName');
  if (storageClass !== '')
    out.push(...invalidMessages('spec.storageClassName', storageClass, isDns1123Subdomain(storageClass)));
  const mode = spec.volumeMode;
  if (typeof mode === 'string' && mode !== 'Block' && mode !== 'Filesystem')
    out.push(unsupportedValue('spec.volumeMode', mode, ['Block', 'Filesystem']));
  return out;
}

export function validatePersistentVolumeUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validatePersistentVolume(object);
  const spec = recordAt(object, 'spec') ?? {};
  const before = recordAt(old, 'spec') ?? {};
  for (const name of ['hostPath', 'local', 'nfs', 'csi'])
    if (!semanticEquals(spec[name], before[name])) {
      out.push(
        forbiddenValue(
          'spec.persistentvolumesource',
          `spec.persistentvolumesource is immutable after creation\n${unifiedDiff(goVolumeSource(before), goVolumeSource(spec))}`,
        ),
      );
      break;
    }
  return [...out, ...immutableField(spec.volumeMode, before.volumeMode, 'volumeMode')];
}
