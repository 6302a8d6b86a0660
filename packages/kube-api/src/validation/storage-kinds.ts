/** storage.k8s.io (`pkg/apis/storage/validation`). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  NIL_COLLECTION,
  requiredValue,
  tooLong,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { immutableField, invalidMessages, notNegative } from './field-rules.ts';
import { goNodeDriver, goVolumeAttachment } from './go-dump.ts';
import { validateLabelSelector } from './label-selector.ts';
import { byteLength, isDns1123Subdomain, isQualifiedName } from './names.ts';
import { quantityOf, quantityText } from './pod/resources.ts';
import { csiDriverName } from './pod/volume-sources.ts';

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;
const MAX_METADATA_BYTES = 256 * 1024;
const MAX_ERROR_BYTES = 1024;
const MAX_NODE_ID = 256;

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};

function provisioner(name: string, field: string): FieldError[] {
  return name === ''
    ? [requiredValue(field)]
    : invalidMessages(field, name.toLowerCase(), isQualifiedName(name.toLowerCase()));
}

function parameters(object: JsonRecord, mayBeEmpty: boolean): FieldError[] {
  const entries = Object.entries(stringMapAt(object, 'parameters'));
  if (entries.length > MAX_PARAMETERS) return [tooLong('parameters', MAX_PARAMETERS)];
  const out = entries
    .filter(([name]) => name === '')
    .map(([name]) => invalidValue('parameters', name, 'field can not be empty.'));
  const bytes = entries.reduce((sum, [name, value]) => sum + byteLength(name) + byteLength(value), 0);
  if (bytes > MAX_PARAMETERS_BYTES) out.push(tooLong('parameters', MAX_PARAMETERS_BYTES));
  if (!mayBeEmpty && entries.length === 0)
    out.push(requiredValue('parameters', 'must contain at least one key/value pair'));
  return out;
}

function topologies(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const seen: string[] = [];
  for (const [index, term] of recordsAt(object, 'allowedTopologies').entries()) {
    const keys = new Map<string, string[]>();
    for (const [at, requirement] of recordsAt(term, 'matchLabelExpressions').entries()) {
      const path = `allowedTopologies[${index}].matchLabelExpressions[${at}]`;
      const values = stringsAt(requirement, 'values');
      if (values.length === 0) out.push(requiredValue(`${path}.values`));
      for (const [place, value] of values.entries())
        if (values.indexOf(value) < place) out.push(duplicateValue(`${path}.values[${place}]`, value));
      const key = stringAt(requirement, 'key');
      out.push(...invalidMessages(`${path}.key`, key, isQualifiedName(key)));
      if (keys.has(key)) out.push(duplicateValue(`${path}.key`, key));
      keys.set(key, [...new Set(values)].sort());
    }
    const text = JSON.stringify([...keys].sort(([left], [right]) => (left < right ? -1 : 1)));
    if (seen.includes(text)) out.push(duplicateValue(`allowedTopologies[${index}].matchLabelExpressions`, ''));
    seen.push(text);
  }
  return out;
}

export function validateStorageClass(object: JsonRecord): FieldError[] {
  const out = [...provisioner(stringAt(object, 'provisioner'), 'provisioner'), ...parameters(object, true)];
  const reclaim = stringAt(object, 'reclaimPolicy');
  if (reclaim !== '' && reclaim !== 'Delete' && reclaim !== 'Retain')
    out.push(unsupportedValue('reclaimPolicy', reclaim, ['Delete', 'Retain']));
  const mode = object.volumeBindingMode;
  if (mode === undefined) out.push(requiredValue('volumeBindingMode'));
  else if (mode !== 'Immediate' && mode !== 'WaitForFirstConsumer')
    out.push(unsupportedValue('volumeBindingMode', mode, ['Immediate', 'WaitForFirstConsumer']));
  return [...out, ...topologies(object)];
}

/** One error for each field that stays what it was. */
function fixed(object: JsonRecord, old: JsonRecord, names: readonly string[]): FieldError[] {
  return names
    .filter((name) => !semanticEquals(object[name], old[name]))
    .map((name) => forbiddenValue(name, `updates to ${name} are forbidden.`));
}

export function validateStorageClassUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...fixed(object, old, ['parameters', 'provisioner', 'reclaimPolicy']),
    ...immutableField(object.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'),
  ];
}

export function validateVolumeAttributesClass(object: JsonRecord): FieldError[] {
  return [...provisioner(stringAt(object, 'driverName'), 'driverName'), ...parameters(object, false)];
}

export function validateVolumeAttributesClassUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [...fixed(object, old, ['driverName', 'parameters']), ...validateVolumeAttributesClass(object)];
}

function attachmentSource(source: JsonRecord, field: string): FieldError[] {
  const { persistentVolumeName: name } = source;
  const inline = isRecord(source.inlineVolumeSpec);
  const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (!inline && typeof name !== 'string') return [requiredValue(field, detail)];
  if (inline && typeof name === 'string') return [forbiddenValue(field, detail)];
  return name === ''
    ? [requiredValue(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName')]
    : [];
}

function volumeError(error: JsonRecord | undefined, field: string): FieldError[] {
  const out: FieldError[] = [];
  if (byteLength(stringAt(error, 'message')) > MAX_ERROR_BYTES)
    out.push(tooLong(`${field}.message`, MAX_METADATA_BYTES));
  const code = numberAt(error, 'errorCode');
  if (code !== undefined && code < 0)
    out.push(invalidValue(`${field}.errorCode`, code, 'must be between 0 and 2147483647, inclusive'));
  return out;
}

function attachment(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const status = recordAt(object, 'status');
  const node = stringAt(spec, 'nodeName');
  const bytes = Object.entries(stringMapAt(status, 'attachmentMetadata')).reduce(
    (sum, [name, value]) => sum + byteLength(name) + byteLength(value),
    0,
  );
  return [
    ...(stringAt(spec, 'attacher') === '' ? [requiredValue('spec.attacher')] : []),
    ...attachmentSource(recordAt(spec, 'source') ?? {}, 'spec.source'),
    ...invalidMessages('spec.nodeName', node, isDns1123Subdomain(node)),
    ...(bytes > MAX_METADATA_BYTES ? [tooLong('status.attachmentMetadata', MAX_METADATA_BYTES)] : []),
    ...volumeError(recordAt(status, 'attachError'), 'status.attachError'),
    ...volumeError(recordAt(status, 'detachError'), 'status.detachError'),
  ];
}

export function validateVolumeAttachment(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out = [...attachment(object), ...csiDriverName(stringAt(spec, 'attacher'), 'spec.attacher')];
  const name = recordAt(spec, 'source')?.persistentVolumeName;
  if (typeof name === 'string')
    out.push(...invalidMessages('spec.source.persistentVolumeName', name, isDns1123Subdomain(name)));
  return out;
}

export function validateVolumeAttachmentUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...attachment(object),
    ...(semanticEquals(object.spec, old.spec)
      ? []
      : [invalidValue('spec', goVolumeAttachment(specOf(object)), 'field is immutable')]),
  ];
}

export function validateCsiNode(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, driver] of recordsAt(specOf(object), 'drivers').entries()) {
    const path = `spec.drivers[${index}]`;
    const name = stringAt(driver, 'name');
    const node = stringAt(driver, 'nodeID');
    out.push(...csiDriverName(name, `${path}.name`));
    if (node === '') out.push(requiredValue(`${path}.nodeID`));
    if (node.length > MAX_NODE_ID)
      out.push(invalidValue(`${path}.nodeID`, node, `must be ${MAX_NODE_ID} characters or less`));
    out.push(...notNegative(recordAt(driver, 'allocatable')?.count, `${path}.allocatable.count`));
    if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
    names.add(name);
    const keys = new Set<string>();
    for (const key of stringsAt(driver, 'topologyKeys')) {
      if (key === '') out.push(requiredValue(path));
      if (keys.has(key)) out.push(duplicateValue(path, key));
      keys.add(key);
      out.push(...invalidMessages(path, key, isQualifiedName(key)));
    }
  }
  return out;
}

export function validateCsiNodeUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validateCsiNode(object);
  const withoutCount = ({ allocatable: _, ...driver }: JsonRecord): JsonRecord => driver;
  for (const before of recordsAt(specOf(old), 'drivers'))
    for (const driver of recordsAt(specOf(object), 'drivers'))
      if (driver.name === before.name)
        out.push(
          ...immutableField(
            withoutCount(driver),
            withoutCount(before),
            'spec.drivers',
            goNodeDriver(withoutCount(driver)),
          ),
        );
  return out;
}

const FS_GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];
const LIFECYCLE_MODES = ['Persistent', 'Ephemeral'];

export function validateCsiDriver(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  for (const [name, shown] of [
    ['attachRequired', 'attachedRequired'],
    ['podInfoOnMount', 'podInfoOnMount'],
    ['storageCapacity', 'storageCapacity'],
  ] as const)
    if (typeof spec[name] !== 'boolean') out.push(requiredValue(`spec.${shown}`));
  const policy = spec.fsGroupPolicy;
  if (typeof policy === 'string' && !FS_GROUP_POLICIES.includes(policy))
    out.push(unsupportedValue('spec.fsGroupPolicy', policy, FS_GROUP_POLICIES));
  const audiences = new Set<string>();
  for (const [index, request] of recordsAt(spec, 'tokenRequests').entries()) {
    const path = `spec.tokenRequests[${index}]`;
    const audience = stringAt(request, 'audience');
    if (audiences.has(audience)) {
      out.push(duplicateValue(`${path}.audience`, audience));
      continue;
    }
    audiences.add(audience);
    const seconds = numberAt(request, 'expirationSeconds');
    if (seconds === undefined) continue;
    if (seconds < 600)
      out.push(invalidValue(`${path}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
    if (seconds > 2 ** 32)
      out.push(
        invalidValue(`${path}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'),
      );
  }
  for (const mode of stringsAt(spec, 'volumeLifecycleModes'))
    if (!LIFECYCLE_MODES.includes(mode)) out.push(unsupportedValue('spec.volumeLifecycleModes', mode, LIFECYCLE_MODES));
  if (typeof spec.seLinuxMount !== 'boolean') out.push(requiredValue('spec.seLinuxMount'));
  const period = numberAt(spec, 'nodeAllocatableUpdatePeriodSeconds');
  if (period !== undefined && period < 10)
    out.push(
      invalidValue('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'),
    );
  return out;
}

export function validateCsiDriverUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const before = specOf(old);
  return [
    ...validateCsiDriver(object),
    ...immutableField(spec.attachRequired, before.attachRequired, 'spec.attachedRequired'),
    ...immutableField(
      spec.volumeLifecycleModes,
      before.volumeLifecycleModes,
      'spec.volumeLifecycleModes',
      spec.volumeLifecycleModes ?? NIL_COLLECTION,
    ),
  ];
}

export function validateCsiStorageCapacity(object: JsonRecord): FieldError[] {
  const name = stringAt(object, 'storageClassName');
  const capacity = quantityOf(object.capacity);
  return [
    ...validateLabelSelector(recordAt(object, 'nodeTopology'), 'nodeTopology'),
    ...invalidMessages('storageClassName', name, isDns1123Subdomain(name)),
    ...(capacity !== undefined && capacity.nano < 0n
      ? [invalidValue('capacity', quantityText(object.capacity), 'must be greater than or equal to 0')]
      : []),
  ];
}

export function validateCsiStorageCapacityUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...immutableField(object.nodeTopology, old.nodeTopology, 'nodeTopology'),
    ...immutableField(object.storageClassName, old.storageClassName, 'storageClassName'),
  ];
}
