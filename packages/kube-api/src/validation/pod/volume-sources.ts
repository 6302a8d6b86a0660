/** Volumes of disks and file systems, as pods and persistent volumes have them (`validate...VolumeSource`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  tooLong,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { listAt, numberAt, recordAt, stringAt, stringMapAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { invalidMessages } from '../field-rules.ts';
import { isDns1123Label, isDns1123Subdomain } from '../names.ts';
import { noBacksteps } from './paths.ts';

export type SourceRule = (source: JsonRecord, field: string) => FieldError[];

/** Fields that must not be empty. */
export function need(...names: readonly string[]): SourceRule {
  return (source, field) =>
    names.filter((name) => stringAt(source, name) === '').map((name) => requiredValue(`${field}.${name}`));
}

function all(...rules: readonly SourceRule[]): SourceRule {
  return (source, field) => rules.flatMap((rule) => rule(source, field));
}

function needList(name: string): SourceRule {
  return (source, field) => (listAt(source, name).length === 0 ? [requiredValue(`${field}.${name}`)] : []);
}

function range(name: string, last: number, text: string): SourceRule {
  return (source, field) => {
    const value = numberAt(source, name) ?? 0;
    return value < 0 || value > last ? [invalidValue(`${field}.${name}`, value, text)] : [];
  };
}

/** The parts of a reference to a secret; a persistent volume names the namespace too. */
function secretRef(...names: readonly string[]): SourceRule {
  return (source, field) => {
    const ref = recordAt(source, 'secretRef');
    return ref === undefined ? [] : need(...names)(ref, `${field}.secretRef`);
  };
}

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

const hostPath: SourceRule = (source, field) => {
  const path = stringAt(source, 'path');
  if (path === '') return [requiredValue(`${field}.path`)];
  const type = stringAt(source, 'type');
  return [
    ...noBacksteps(path, `${field}.path`),
    ...(HOST_PATH_TYPES.includes(type) ? [] : [unsupportedValue(`${field}.type`, type, HOST_PATH_TYPES)]),
  ];
};

const nfs: SourceRule = (source, field) => {
  const out = need('server', 'path')(source, field);
  const path = stringAt(source, 'path');
  if (!path.startsWith('/')) out.push(invalidValue(`${field}.path`, path, 'must be an absolute path'));
  return out;
};

const INITIATORS: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[a-zA-Z0-9]{16}$/,
  naa: /^naa.[a-zA-Z0-9]{32}$/,
};

/** `wrongStart` is what a name is told that begins with none of the three. */
function initiator(name: string, field: string, wrongStart: string): FieldError[] {
  const pattern = INITIATORS[name.slice(0, 3)];
  if (pattern === undefined) return [invalidValue(field, name, wrongStart)];
  return pattern.test(name) ? [] : [invalidValue(field, name, 'must be valid format')];
}

/** iSCSI; a pod is told more about names than a persistent volume. */
function iscsi(wrongStart: string, ref: SourceRule): SourceRule {
  return (source, field) => {
    const out = need('targetPortal', 'iqn')(source, field);
    const iqn = stringAt(source, 'iqn');
    if (iqn !== '') out.push(...initiator(iqn, `${field}.iqn`, wrongStart));
    out.push(...range('lun', 255, 'must be between 0 and 255, inclusive')(source, field));
    const isGuarded = source.chapAuthDiscovery === true || source.chapAuthSession === true;
    if (isGuarded && !isRecord(source.secretRef)) out.push(requiredValue(`${field}.secretRef`));
    out.push(...ref(source, field));
    const { initiatorName } = source;
    if (typeof initiatorName === 'string') out.push(...initiator(initiatorName, `${field}.initiatorname`, wrongStart));
    return out;
  };
}

const fc: SourceRule = (source, field) => {
  const out: FieldError[] = [];
  const targets = listAt(source, 'targetWWNs');
  const ids = listAt(source, 'wwids');
  if (targets.length === 0 && ids.length === 0)
    out.push(requiredValue(`${field}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (targets.length > 0 && ids.length > 0)
    out.push(invalidValue(`${field}.targetWWNs`, targets, 'targetWWNs and wwids can not be specified simultaneously'));
  if (targets.length === 0) return out;
  if (numberAt(source, 'lun') === undefined)
    return [...out, requiredValue(`${field}.lun`, 'lun is required if targetWWNs is specified')];
  return [...out, ...range('lun', 255, 'must be between 0 and 255, inclusive')(source, field)];
};

const quobyte: SourceRule = (source, field) => {
  const detail = 'must be a host:port pair or multiple pairs separated by commas';
  const out: FieldError[] = [];
  const registry = stringAt(source, 'registry');
  if (registry === '') out.push(requiredValue(`${field}.registry`, detail));
  else if (stringAt(source, 'tenant').length >= 65)
    out.push(requiredValue(`${field}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  else
    for (const pair of registry.split(','))
      if (!/^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair))
        out.push(invalidValue(`${field}.registry`, registry, detail));
  return [...out, ...need('volume')(source, field)];
};

const flocker: SourceRule = (source, field) => {
  const name = stringAt(source, 'datasetName');
  const id = stringAt(source, 'datasetUUID');
  const out: FieldError[] = [];
  if (name === '' && id === '') out.push(requiredValue(field, 'one of datasetName and datasetUUID is required'));
  if (name !== '' && id !== '')
    out.push(invalidValue(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  if (name.includes('/')) out.push(invalidValue(`${field}.datasetName`, name, "must not contain '/'"));
  return out;
};

const flexVolume: SourceRule = (source, field) => {
  const out = need('driver')(source, field);
  for (const key of Object.keys(stringMapAt(source, 'options'))) {
    const domain = `.${key.split('/')[0]?.toLowerCase() ?? ''}`;
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io'))
      out.push(invalidValue(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
  }
  return out;
};

const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite'];
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared'];

const azureDisk: SourceRule = (source, field) => {
  const out = need('diskName', 'diskURI')(source, field);
  const { cachingMode, kind } = source;
  const uri = stringAt(source, 'diskURI');
  if (typeof cachingMode === 'string' && !CACHING_MODES.includes(cachingMode))
    out.push(unsupportedValue(`${field}.cachingMode`, cachingMode, CACHING_MODES));
  if (typeof kind !== 'string') return out;
  if (!DISK_KINDS.includes(kind)) out.push(unsupportedValue(`${field}.kind`, kind, DISK_KINDS));
  if (kind === 'Managed' && !uri.startsWith('/subscriptions/'))
    out.push(
      unsupportedValue(`${field}.diskURI`, uri, [
        '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
      ]),
    );
  if (kind !== 'Managed' && !uri.startsWith('https://'))
    out.push(
      unsupportedValue(`${field}.diskURI`, uri, [
        'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd',
      ]),
    );
  return out;
};

const storageos: SourceRule = (source, field) => {
  const name = stringAt(source, 'volumeName');
  const namespace = stringAt(source, 'volumeNamespace');
  return [
    ...(name === ''
      ? [requiredValue(`${field}.volumeName`)]
      : invalidMessages(`${field}.volumeName`, name, isDns1123Label(name))),
    ...(namespace === '' ? [] : invalidMessages(`${field}.volumeNamespace`, namespace, isDns1123Label(namespace))),
  ];
};

/** `ValidateCSIDriverName` */
export function csiDriverName(name: string, field: string): FieldError[] {
  const out = name === '' ? [requiredValue(field)] : [];
  if (name.length > 63) out.push(tooLong(field, 63));
  return [...out, ...invalidMessages(field, name, isDns1123Subdomain(name.toLowerCase()))];
}

/** A pod's CSI volume: upstream tells of the secret's name at `name`. */
const podCsi: SourceRule = (source, field) => {
  const out = csiDriverName(stringAt(source, 'driver'), `${field}.driver`);
  const ref = recordAt(source, 'nodePublishSecretRef');
  if (ref === undefined) return out;
  const name = stringAt(ref, 'name');
  return [
    ...out,
    ...(name === ''
      ? [requiredValue(`${field}.nodePublishSecretRef.name`)]
      : invalidMessages(`${field}.name`, name, isDns1123Subdomain(name))),
  ];
};

const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
];

const persistentCsi: SourceRule = (source, field) => {
  const out = [...csiDriverName(stringAt(source, 'driver'), `${field}.driver`), ...need('volumeHandle')(source, field)];
  for (const part of CSI_SECRETS) {
    const ref = recordAt(source, part);
    if (ref === undefined) continue;
    const checks = [
      ['name', isDns1123Subdomain],
      ['namespace', isDns1123Label],
    ] as const;
    for (const [key, check] of checks) {
      const value = stringAt(ref, key);
      if (value === '') out.push(requiredValue(`${field}.${part}.${key}`));
      else out.push(...invalidMessages(`${field}.${part}.${key}`, value, check(value)));
    }
  }
  return out;
};

const glusterfs = need('endpoints', 'path');

const persistentGlusterfs: SourceRule = (source, field) => {
  const out = glusterfs(source, field);
  const { endpointsNamespace } = source;
  if (endpointsNamespace === '')
    out.push(
      invalidValue(
        `${field}.endpointsNamespace`,
        '',
        'if the endpointnamespace is set, it must be a valid namespace name',
      ),
    );
  else if (typeof endpointsNamespace === 'string')
    out.push(...invalidMessages(`${field}.endpointsNamespace`, endpointsNamespace, isDns1123Label(endpointsNamespace)));
  return out;
};

const azureFile = need('secretName', 'shareName');
const PARTITION = range('partition', 255, 'must be between 1 and 255, inclusive');
const local: SourceRule = (source, field) => {
  const path = stringAt(source, 'path');
  return path === '' ? [requiredValue(`${field}.path`)] : noBacksteps(path, `${field}.path`);
};

/** The disks and file systems of a pod. */
export const POD_DISKS: Readonly<Record<string, SourceRule>> = {
  hostPath,
  gcePersistentDisk: all(need('pdName'), PARTITION),
  awsElasticBlockStore: all(need('volumeID'), PARTITION),
  nfs,
  iscsi: iscsi('must be valid format starting with iqn, eui, or naa', () => []),
  glusterfs,
  flocker,
  rbd: all(needList('monitors'), need('image')),
  cinder: all(need('volumeID'), secretRef('name')),
  cephfs: needList('monitors'),
  quobyte,
  fc,
  flexVolume,
  azureFile,
  vsphereVolume: need('volumePath'),
  photonPersistentDisk: need('pdID'),
  portworxVolume: need('volumeID'),
  azureDisk,
  storageos: all(storageos, secretRef('name')),
  scaleIO: need('gateway', 'system', 'volumeName'),
  csi: podCsi,
};

/** What a persistent volume can lie on, in upstream's order. */
export const PERSISTENT_DISKS: Readonly<Record<string, SourceRule>> = {
  hostPath,
  gcePersistentDisk: all(need('pdName'), PARTITION),
  awsElasticBlockStore: all(need('volumeID'), PARTITION),
  glusterfs: persistentGlusterfs,
  flocker,
  nfs,
  rbd: all(needList('monitors'), need('image')),
  quobyte,
  cephfs: needList('monitors'),
  iscsi: iscsi('must be valid format', secretRef('name')),
  cinder: all(need('volumeID'), secretRef('name', 'namespace')),
  fc,
  flexVolume,
  azureFile: (source, field) => [
    ...azureFile(source, field),
    ...(source.secretNamespace === '' ? [requiredValue(`${field}.secretNamespace`)] : []),
  ],
  vsphereVolume: need('volumePath'),
  photonPersistentDisk: need('pdID'),
  portworxVolume: need('volumeID'),
  azureDisk,
  scaleIO: need('gateway', 'system', 'volumeName'),
  local,
  storageos: all(storageos, secretRef('name', 'namespace')),
  csi: persistentCsi,
};

/** How messages call some of the volumes (slips of upstream that clients see). */
const SHOWN_AS: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' };
const SECOND_SHOWN_AS: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

/** Exactly one of the sources, each by its rule. */
export function oneSource(
  volume: JsonRecord,
  field: string,
  rules: Readonly<Record<string, SourceRule>>,
): FieldError[] {
  const out: FieldError[] = [];
  let count = 0;
  for (const [name, rule] of Object.entries(rules)) {
    const source = volume[name];
    if (!isRecord(source)) continue;
    count += 1;
    if (count > 1)
      out.push(forbiddenValue(`${field}.${SECOND_SHOWN_AS[name] ?? name}`, 'may not specify more than 1 volume type'));
    else out.push(...rule(source, `${field}.${SHOWN_AS[name] ?? name}`));
  }
  if (count === 0) out.push(requiredValue(field, 'must specify a volume type'));
  return out;
}
