/** Volumes of pods and their sources. */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { invalidMessages } from '../field-rules.ts';
import { isConfigMapKey, isDns1123Label, isDns1123Subdomain } from '../names.ts';
import { VOLUME_FIELDS, validateFieldRef, validateResourceFieldRef } from './environment.ts';
import { quantityOf } from './resources.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const MODE_RANGE = 'must be a number between 0 and 0777 (octal), both inclusive';

export function noBacksteps(path: string, field: string): FieldError[] {
  return path.replaceAll('\\', '/').split('/').includes('..')
    ? [invalidValue(field, path, "must not contain '..'")]
    : [];
}

export function descendingPath(path: string, field: string): FieldError[] {
  const out: FieldError[] = [];
  if (path.startsWith('/')) out.push(invalidValue(field, path, 'must be a relative path'));
  return [...out, ...noBacksteps(path, field)];
}

function nonReservedPath(path: string, field: string): FieldError[] {
  const out = descendingPath(path, field);
  if (path.startsWith('..') && !path.startsWith('../')) out.push(invalidValue(field, path, "must not start with '..'"));
  return out;
}

function mode(value: unknown, field: string): FieldError[] {
  return typeof value === 'number' && (value < 0 || value > 0o777) ? [invalidValue(field, value, MODE_RANGE)] : [];
}

function keyToPath(items: readonly JsonRecord[], field: string): FieldError[] {
  return items.flatMap((item, index) => {
    const path = `${field}[${index}]`;
    const out: FieldError[] = [];
    const key = stringAt(item, 'key');
    if (key === '') out.push(requiredValue(`${path}.key`));
    else out.push(...invalidMessages(`${path}.key`, key, isConfigMapKey(key)));
    const target = stringAt(item, 'path');
    if (target === '') out.push(requiredValue(`${path}.path`));
    else out.push(...nonReservedPath(target, `${path}.path`));
    return [...out, ...mode(item.mode, `${path}.mode`)];
  });
}

function downwardItems(items: readonly JsonRecord[], field: string): FieldError[] {
  return items.flatMap((item, index) => {
    const path = `${field}[${index}]`;
    const out: FieldError[] = [];
    const target = stringAt(item, 'path');
    if (target === '') out.push(requiredValue(`${path}.path`));
    else out.push(...nonReservedPath(target, `${path}.path`));
    const fieldRef = recordAt(item, 'fieldRef');
    const resourceRef = recordAt(item, 'resourceFieldRef');
    if (fieldRef !== undefined) {
      out.push(...validateFieldRef(fieldRef, VOLUME_FIELDS, `${path}.fieldRef`));
      if (resourceRef !== undefined)
        out.push(invalidValue(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    } else if (resourceRef !== undefined)
      out.push(...validateResourceFieldRef(resourceRef, `${path}.resourceFieldRef`, true));
    else out.push(requiredValue(path, 'one of fieldRef and resourceFieldRef is required'));
    return [...out, ...mode(item.mode, `${path}.mode`)];
  });
}

type SourceRule = (source: JsonRecord, field: string) => FieldError[];

/** Fields that must not be empty. */
function need(...names: readonly string[]): SourceRule {
  return (source, field) =>
    names.filter((name) => stringAt(source, name) === '').map((name) => requiredValue(`${field}.${name}`));
}

const SOURCES: Readonly<Record<string, SourceRule>> = {
  emptyDir: (source, field) => {
    const limit = quantityOf(source.sizeLimit);
    return limit !== undefined && limit.nano < 0n
      ? [forbiddenValue(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [];
  },
  hostPath: (source, field) => {
    const path = stringAt(source, 'path');
    if (path === '') return [requiredValue(`${field}.path`)];
    const type = stringAt(source, 'type');
    return [
      ...noBacksteps(path, `${field}.path`),
      ...(HOST_PATH_TYPES.includes(type) ? [] : [unsupportedValue(`${field}.type`, type, HOST_PATH_TYPES)]),
    ];
  },
  gitRepo: need('repository'),
  secret: (source, field) => [
    ...need('secretName')(source, field),
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...keyToPath(recordsAt(source, 'items'), `${field}.items`),
  ],
  configMap: (source, field) => [
    ...need('name')(source, field),
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...keyToPath(recordsAt(source, 'items'), `${field}.items`),
  ],
  downwardAPI: (source, field) => [
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...downwardItems(recordsAt(source, 'items'), field),
  ],
  persistentVolumeClaim: need('claimName'),
  nfs: (source, field) => {
    const out = need('server', 'path')(source, field);
    const path = stringAt(source, 'path');
    if (path !== '' && !path.startsWith('/')) out.push(invalidValue(`${field}.path`, path, 'must be an absolute path'));
    return out;
  },
  csi: (source, field) => {
    const driver = stringAt(source, 'driver');
    if (driver === '') return [requiredValue(`${field}.driver`)];
    return invalidMessages(`${field}.driver`, driver, isDns1123Subdomain(driver.toLowerCase()));
  },
  projected: (source, field) => [
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...projection(recordsAt(source, 'sources'), field),
  ],
  ephemeral: (source, field) => {
    const template = recordAt(source, 'volumeClaimTemplate');
    return template === undefined ? [requiredValue(`${field}.volumeClaimTemplate`)] : [];
  },
  image: (source, field) => {
    const policy = stringAt(source, 'pullPolicy');
    return policy === '' || ['Always', 'IfNotPresent', 'Never'].includes(policy)
      ? []
      : [unsupportedValue(`${field}.pullPolicy`, policy, ['Always', 'IfNotPresent', 'Never'])];
  },
  iscsi: (source, field) => need('targetPortal', 'iqn')(source, field),
  glusterfs: need('endpoints', 'path'),
  rbd: (source, field) => need('image')(source, field),
  cinder: need('volumeID'),
  azureFile: need('secretName', 'shareName'),
  azureDisk: need('diskName', 'diskURI'),
  flexVolume: need('driver'),
  gcePersistentDisk: need('pdName'),
  awsElasticBlockStore: need('volumeID'),
  vsphereVolume: need('volumePath'),
  photonPersistentDisk: need('pdID'),
  portworxVolume: need('volumeID'),
  quobyte: need('registry', 'volume'),
  scaleIO: need('gateway', 'system'),
  cephfs: () => [],
  flocker: () => [],
  fc: () => [],
  storageos: () => [],
};

function projection(sources: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const paths = new Set<string>();
  const another = (path: string, place: string): void => {
    if (path === '') return;
    if (paths.has(path)) out.push(invalidValue(place, path, 'conflicting duplicate paths'));
    paths.add(path);
  };
  for (const [index, source] of sources.entries()) {
    const path = `${field}.sources[${index}]`;
    let count = 0;
    for (const name of [
      'secret',
      'configMap',
      'downwardAPI',
      'serviceAccountToken',
      'clusterTrustBundle',
      'podCertificate',
    ]) {
      const part = recordAt(source, name);
      if (part === undefined) continue;
      count += 1;
      if (count > 1) out.push(forbiddenValue(`${path}.${name}`, 'may not specify more than 1 volume type per source'));
      if (name === 'secret' || name === 'configMap') {
        out.push(...need('name')(part, `${path}.${name}`));
        const items = recordsAt(part, 'items');
        out.push(...keyToPath(items, `${path}.${name}.items`));
        for (const [at, item] of items.entries()) another(stringAt(item, 'path'), `${path}.${name}.items[${at}].path`);
      } else if (name === 'downwardAPI') {
        const items = recordsAt(part, 'items');
        out.push(...downwardItems(items, `${path}.${name}`));
        for (const [at, item] of items.entries()) another(stringAt(item, 'path'), `${path}.${name}[${at}].path`);
      } else if (name === 'serviceAccountToken') {
        const seconds = numberAt(part, 'expirationSeconds') ?? 3600;
        if (seconds < 600)
          out.push(
            invalidValue(
              `${path}.${name}.expirationSeconds`,
              seconds,
              'may not specify a duration less than 10 minutes',
            ),
          );
        if (seconds > 2 ** 32)
          out.push(
            invalidValue(
              `${path}.${name}.expirationSeconds`,
              seconds,
              'may not specify a duration larger than 2^32 seconds',
            ),
          );
        const target = stringAt(part, 'path');
        if (target === '') out.push(requiredValue(`${path}.${name}.path`));
        else out.push(...nonReservedPath(target, `${path}.${name}.path`));
        another(target, `${path}.${name}.path`);
      }
    }
    if (count === 0) out.push(requiredValue(path, 'must specify a volume type'));
  }
  return out;
}

/** One source of a volume; `validate...VolumeSource`. */
export function validateVolumeSource(volume: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  let count = 0;
  for (const [name, rule] of Object.entries(SOURCES)) {
    const source = volume[name];
    if (!isRecord(source)) continue;
    count += 1;
    if (count > 1) out.push(forbiddenValue(`${field}.${name}`, 'may not specify more than 1 volume type'));
    else out.push(...rule(source, `${field}.${name}`));
  }
  if (count === 0) out.push(requiredValue(field, 'must specify a volume type'));
  return out;
}

export function validateVolumes(volumes: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const path = `${field}[${index}]`;
    out.push(...validateVolumeSource(volume, path));
    const name = stringAt(volume, 'name');
    if (name === '') out.push(requiredValue(`${path}.name`));
    else {
      const problems = isDns1123Label(name);
      out.push(...invalidMessages(`${path}.name`, name, problems));
      if (problems.length === 0 && seen.has(name)) out.push(duplicateValue(`${path}.name`, name));
      seen.add(name);
    }
  }
  return out;
}
