/** The rest of the core group: configuration, volumes, nodes, limits, events. */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  tooLong,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import { decodeBase64 } from '../values/base64.ts';
import { goJsonProblem } from '../values/go-json.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { compareQuantities } from '../values/quantity.ts';
import { unifiedDiff } from '../values/text-diff.ts';
import { immutableField, invalidMessages } from './field-rules.ts';
import { goClaimSpec } from './go-dump.ts';
import { cidrProblem } from './ip.ts';
import { validateLabelSelector } from './label-selector.ts';
import { byteLength, isConfigMapKey, isDns1123Subdomain, isLabelValue, isQualifiedName } from './names.ts';
import { quantityOf, quantityText, resourceQuantity } from './pod/resources.ts';
import { validateNodeSelector } from './pod/scheduling.ts';
import { validateVolumeSource } from './pod/volumes.ts';

const MAX_DATA_BYTES = 1024 * 1024;
const IMMUTABLE_SET = 'field is immutable when `immutable` is set';

function base64Bytes(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

export function validateConfigMap(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const binary = stringMapAt(object, 'binaryData');
  let bytes = 0;
  for (const [key, value] of Object.entries(stringMapAt(object, 'data'))) {
    out.push(...invalidMessages(`data[${key}]`, key, isConfigMapKey(key)));
    if (Object.hasOwn(binary, key))
      out.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    bytes += byteLength(value);
  }
  for (const [key, value] of Object.entries(binary)) {
    out.push(...invalidMessages(`binaryData[${key}]`, key, isConfigMapKey(key)));
    bytes += base64Bytes(value);
  }
  if (bytes > MAX_DATA_BYTES) out.push(tooLong('[]', MAX_DATA_BYTES));
  return out;
}

export function validateConfigMapUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [...immutableData(object, old, ['data', 'binaryData']), ...validateConfigMap(object)];
}

function immutableData(object: JsonRecord, old: JsonRecord, fields: readonly string[]): FieldError[] {
  if (old.immutable !== true) return [];
  const out: FieldError[] = [];
  if (object.immutable !== true) out.push(forbiddenValue('immutable', IMMUTABLE_SET));
  for (const name of fields)
    if (!semanticEquals(object[name] ?? {}, old[name] ?? {})) out.push(forbiddenValue(name, IMMUTABLE_SET));
  return out;
}

const REDACTED = '<secret contents redacted>';

export function validateSecret(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const data = stringMapAt(object, 'data');
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    out.push(...invalidMessages(`data[${key}]`, key, isConfigMapKey(key)));
    bytes += base64Bytes(value);
  }
  if (bytes > MAX_DATA_BYTES) out.push(tooLong('data', MAX_DATA_BYTES));
  const need = (key: string): void => {
    if (data[key] === undefined) out.push(requiredValue(`data[${key}]`));
  };
  const needJson = (key: string): void => {
    const value = data[key];
    if (value === undefined) {
      out.push(requiredValue(`data[${key}]`));
      return;
    }
    const text = new TextDecoder().decode(decodeBase64(value));
    const problem = goJsonProblem(text) ?? (isRecord(JSON.parse(text)) ? undefined : wrongJson(text));
    if (problem !== undefined) out.push(invalidValue(`data[${key}]`, REDACTED, problem));
  };
  switch (stringAt(object, 'type')) {
    case 'kubernetes.io/service-account-token': {
      const name = stringMapAt(recordAt(object, 'metadata'), 'annotations')['kubernetes.io/service-account.name'];
      if ((name ?? '') === '') out.push(requiredValue('metadata.annotations[kubernetes.io/service-account.name]'));
      break;
    }
    case 'kubernetes.io/dockercfg':
      needJson('.dockercfg');
      break;
    case 'kubernetes.io/dockerconfigjson':
      needJson('.dockerconfigjson');
      break;
    case 'kubernetes.io/basic-auth':
      if (data.username === undefined && data.password === undefined)
        out.push(requiredValue('data[username]'), requiredValue('data[password]'));
      break;
    case 'kubernetes.io/ssh-auth':
      if ((data['ssh-privatekey'] ?? '') === '') out.push(requiredValue('data[ssh-privatekey]'));
      break;
    case 'kubernetes.io/tls':
      need('tls.crt');
      need('tls.key');
      break;
    default:
  }
  return out;
}

function wrongJson(text: string): string {
  const value: unknown = JSON.parse(text);
  const word = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${word} into Go value of type map[string]interface {}`;
}

export function validateSecretUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...immutableField(object.type, old.type, 'type'),
    ...immutableData(object, old, ['data']),
    ...validateSecret(object),
  ];
}

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
      out.push(
        invalidValue(`${field}.resources.requests[storage]`, quantityText(storage), 'must be greater than zero'),
      );
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
        forbiddenValue('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'),
      );
      break;
    }
  return [...out, ...immutableField(spec.volumeMode, before.volumeMode, 'volumeMode')];
}

const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNode(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of recordsAt(spec, 'taints').entries()) {
    const metadataPath = `metadata.taints[${index}]`;
    const key = stringAt(taint, 'key');
    const value = stringAt(taint, 'value');
    out.push(...invalidMessages(`${metadataPath}.key`, key, isQualifiedName(key)));
    const problems = isLabelValue(value);
    if (problems.length > 0) out.push(invalidValue(`${metadataPath}.value`, value, problems.join(';')));
    const effect = stringAt(taint, 'effect');
    if (effect === '') out.push(requiredValue(`${metadataPath}.effect`));
    else if (!TAINT_EFFECTS.includes(effect))
      out.push(unsupportedValue(`${metadataPath}.effect`, effect, TAINT_EFFECTS));
    const pair = `${key}:${effect}`;
    if (seen.has(pair))
      out.push({
        ...duplicateValue(`${metadataPath}`, { Key: key, Value: value, Effect: effect, TimeAdded: null }),
        detail: '',
      });
    seen.add(pair);
  }
  for (const [index, cidr] of stringsAt(spec, 'podCIDRs').entries())
    out.push(...cidrProblem(cidr, `spec.podCIDRs[${index}]`));
  return out;
}

export function validateNodeUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validateNode(object);
  const before = stringsAt(recordAt(old, 'spec'), 'podCIDRs');
  const next = stringsAt(recordAt(object, 'spec'), 'podCIDRs');
  if (before.length > 0 && !semanticEquals(before, next))
    out.push(forbiddenValue('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  const provider = stringAt(recordAt(old, 'spec'), 'providerID');
  if (provider !== '' && provider !== stringAt(recordAt(object, 'spec'), 'providerID'))
    out.push(forbiddenValue('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  return out;
}

export function validateResourceQuota(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  for (const [name, value] of Object.entries(recordAt(spec, 'hard') ?? {})) {
    const path = `spec.hard[${name}]`;
    const problems = isQualifiedName(name);
    out.push(...invalidMessages(path, name, problems));
    if (
      problems.length === 0 &&
      !name.includes('/') &&
      !QUOTA_RESOURCES.has(name) &&
      !name.startsWith('hugepages-') &&
      !name.startsWith('requests.') &&
      !name.startsWith('limits.')
    )
      out.push(
        invalidValue(path, name, 'must be a standard resource type or fully qualified'),
        invalidValue(path, name, 'must be a standard resource for quota'),
      );
    out.push(...resourceQuantity(name, value, path));
  }
  const scopes = stringsAt(spec, 'scopes');
  const known = [
    'BestEffort',
    'NotBestEffort',
    'NotTerminating',
    'PriorityClass',
    'Terminating',
    'CrossNamespacePodAffinity',
    'VolumeAttributesClass',
  ];
  for (const scope of scopes)
    if (!known.includes(scope)) out.push(invalidValue('spec.scopes', scopes, 'unsupported scope'));
  if (
    (scopes.includes('BestEffort') && scopes.includes('NotBestEffort')) ||
    (scopes.includes('Terminating') && scopes.includes('NotTerminating'))
  )
    out.push(invalidValue('spec.scopes', scopes, 'conflicting scopes'));
  return out;
}

const QUOTA_RESOURCES = new Set(
  (
    'cpu memory ephemeral-storage requests.cpu requests.memory requests.storage requests.ephemeral-storage limits.cpu ' +
    'limits.memory limits.ephemeral-storage pods resourcequotas services replicationcontrollers secrets ' +
    'persistentvolumeclaims configmaps services.nodeports services.loadbalancers'
  ).split(' '),
);

export function validateResourceQuotaUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validateResourceQuota(object);
  const scopes = (source: JsonRecord): string[] => stringsAt(recordAt(source, 'spec'), 'scopes').sort();
  if (!semanticEquals(scopes(object), scopes(old)))
    out.push(invalidValue('spec.scopes', recordAt(object, 'spec')?.scopes ?? null, 'field is immutable'));
  return out;
}

export function validateLimitRange(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, item] of recordsAt(recordAt(object, 'spec'), 'limits').entries()) {
    const path = `spec.limits[${index}]`;
    const type = stringAt(item, 'type');
    if (type === '') out.push(requiredValue(`${path}.type`));
    if (seen.has(type)) out.push(duplicateValue(`${path}.type`, type));
    seen.add(type);
    const names = new Set<string>();
    for (const part of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'])
      for (const name of Object.keys(recordAt(item, part) ?? {})) names.add(name);
    if (type === 'Pod')
      for (const part of ['default', 'defaultRequest'])
        if (Object.keys(recordAt(item, part) ?? {}).length > 0)
          out.push(forbiddenValue(`${path}.${part}`, "may not be specified when `type` is 'Pod'"));
    if (type === 'PersistentVolumeClaim') {
      const has = (part: string): boolean => recordAt(item, part)?.storage !== undefined;
      if (!has('min') && !has('max'))
        out.push(
          requiredValue(
            `${path}.limits`,
            'either minimum or maximum storage value is required, but neither was provided',
          ),
        );
    }
    for (const name of names) {
      const value = (part: string): ReturnType<typeof quantityOf> => quantityOf(recordAt(item, part)?.[name]);
      const text = (part: string): string => quantityText(recordAt(item, part)?.[name]);
      const [max, min, limit, request, ratio] = [
        value('max'),
        value('min'),
        value('default'),
        value('defaultRequest'),
        value('maxLimitRequestRatio'),
      ];
      const more = (left: typeof max, right: typeof max): boolean =>
        left !== undefined && right !== undefined && compareQuantities(left, right) > 0;
      if (more(min, max))
        out.push(
          invalidValue(
            `${path}.min[${name}]`,
            text('min'),
            `min value ${text('min')} is greater than max value ${text('max')}`,
          ),
        );
      const requestPath = `${path}.defaultRequest[${name}]`;
      if (more(min, request))
        out.push(
          invalidValue(
            requestPath,
            text('defaultRequest'),
            `min value ${text('min')} is greater than default request value ${text('defaultRequest')}`,
          ),
        );
      if (more(request, max))
        out.push(
          invalidValue(
            requestPath,
            text('defaultRequest'),
            `default request value ${text('defaultRequest')} is greater than max value ${text('max')}`,
          ),
        );
      if (more(request, limit))
        out.push(
          invalidValue(
            requestPath,
            text('defaultRequest'),
            `default request value ${text('defaultRequest')} is greater than default limit value ${text('default')}`,
          ),
        );
      if (more(min, limit))
        out.push(
          invalidValue(
            `${path}.default[${name}]`,
            text('min'),
            `min value ${text('min')} is greater than default value ${text('default')}`,
          ),
        );
      if (more(limit, max))
        out.push(
          invalidValue(
            `${path}.default[${name}]`,
            text('max'),
            `default value ${text('default')} is greater than max value ${text('max')}`,
          ),
        );
      if (ratio !== undefined && ratio.nano < 1_000_000_000n)
        out.push(
          invalidValue(
            `${path}.maxLimitRequestRatio[${name}]`,
            text('maxLimitRequestRatio'),
            `ratio ${text('maxLimitRequestRatio')} is less than 1`,
          ),
        );
    }
  }
  return out;
}

export function validateEvent(object: JsonRecord): FieldError[] {
  const namespace = stringAt(recordAt(object, 'metadata'), 'namespace');
  const involved = recordAt(object, 'involvedObject') ?? recordAt(object, 'regarding') ?? {};
  const own = stringAt(involved, 'namespace');
  const field = object.regarding === undefined ? 'involvedObject.namespace' : 'regarding.namespace';
  if (own === '') {
    if (namespace !== '' && namespace !== 'default' && namespace !== 'kube-system')
      return [invalidValue(field, own, 'does not match event.namespace')];
    return [];
  }
  return own === namespace ? [] : [invalidValue(field, own, 'does not match event.namespace')];
}

export function validateScale(object: JsonRecord): FieldError[] {
  const replicas = numberAt(recordAt(object, 'spec'), 'replicas') ?? 0;
  return replicas < 0 ? [invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')] : [];
}

export function validateTokenRequest(object: JsonRecord): FieldError[] {
  const seconds = numberAt(recordAt(object, 'spec'), 'expirationSeconds') ?? 3600;
  if (seconds < 600)
    return [invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')];
  if (seconds > 2 ** 32)
    return [invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds')];
  return [];
}
