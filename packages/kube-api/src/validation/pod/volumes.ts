/** Volumes of pods (`ValidateVolumes`). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringMapAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { validateClaimSpec } from '../claim-spec.ts';
import { invalidMessages } from '../field-rules.ts';
import { isDns1123Label, isDns1123Subdomain } from '../names.ts';
import { validateAnnotations, validateLabels } from '../object-meta.ts';
import { fileMode, noBacksteps } from './paths.ts';
import { downwardFiles, keyToPath, validateProjections } from './projections.ts';
import { quantityOf } from './resources.ts';
import { need, oneSource, POD_DISKS, type SourceRule } from './volume-sources.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

const TEMPLATE_METADATA = new Set(['annotations', 'labels']);

const emptyDir: SourceRule = (source, field) => {
  const limit = quantityOf(source.sizeLimit);
  return limit !== undefined && limit.nano < 0n
    ? [forbiddenValue(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
    : [];
};

const gitRepo: SourceRule = (source, field) => {
  const directory = stringAt(source, 'directory');
  return [
    ...need('repository')(source, field),
    ...(directory.startsWith('/') ? [invalidValue(`${field}.directory`, directory, 'must be a relative path')] : []),
    ...noBacksteps(directory, `${field}.directory`),
  ];
};

/** Files of a Secret or a ConfigMap. */
function filesOf(name: string): SourceRule {
  return (source, field) => [
    ...need(name)(source, field),
    ...fileMode(source.defaultMode, `${field}.defaultMode`),
    ...keyToPath(recordsAt(source, 'items'), `${field}.items`),
  ];
}

const ephemeral: SourceRule = (source, field) => {
  const template = recordAt(source, 'volumeClaimTemplate');
  const path = `${field}.volumeClaimTemplate`;
  if (template === undefined) return [requiredValue(path)];
  const metadata = recordAt(template, 'metadata');
  return [
    ...validateAnnotations(stringMapAt(metadata, 'annotations'), `${path}.metadata.annotations`),
    ...validateLabels(stringMapAt(metadata, 'labels'), `${path}.metadata.labels`),
    ...Object.entries(metadata ?? {})
      .filter(([name, value]) => !TEMPLATE_METADATA.has(name) && value !== null && value !== undefined && value !== '')
      .map(([name]) => forbiddenValue(`${path}.metadata.${name}`, 'cannot be set')),
    ...validateClaimSpec(recordAt(template, 'spec') ?? {}, `${path}.spec`),
  ];
};

/** A template may leave the image to who makes the pod. */
function image(isPod: boolean): SourceRule {
  return (source, field) => {
    const policy = stringAt(source, 'pullPolicy');
    return [
      ...(isPod ? need('reference')(source, field) : []),
      ...(policy === ''
        ? [requiredValue(`${field}.pullPolicy`)]
        : PULL_POLICIES.includes(policy)
          ? []
          : [unsupportedValue(`${field}.pullPolicy`, policy, PULL_POLICIES)]),
    ];
  };
}

const ORDER = (
  'emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs flocker ' +
  'persistentVolumeClaim rbd cinder cephfs quobyte downwardAPI fc flexVolume configMap azureFile vsphereVolume ' +
  'photonPersistentDisk portworxVolume azureDisk storageos projected scaleIO csi ephemeral image'
).split(' ');

/** In upstream's order: the first source of a volume is checked, the others are refused. */
function rulesFor(isPod: boolean): Readonly<Record<string, SourceRule>> {
  const rules: Readonly<Record<string, SourceRule>> = {
    ...POD_DISKS,
    emptyDir,
    gitRepo,
    secret: filesOf('secretName'),
    persistentVolumeClaim: need('claimName'),
    downwardAPI: (source, field) => [
      ...fileMode(source.defaultMode, `${field}.defaultMode`),
      ...downwardFiles(recordsAt(source, 'items'), field),
    ],
    configMap: filesOf('name'),
    projected: (source, field) => [
      ...fileMode(source.defaultMode, `${field}.defaultMode`),
      ...validateProjections(recordsAt(source, 'sources'), field),
    ],
    ephemeral,
    image: image(isPod),
  };
  const place = (name: string): number => ORDER.indexOf(name);
  return Object.fromEntries(Object.entries(rules).sort(([left], [right]) => place(left) - place(right)));
}

const POD_RULES = rulesFor(true);
const TEMPLATE_RULES = rulesFor(false);

/** iSCSI: name and portal together must fit, where the initiator has a name. */
function portalLength(volume: JsonRecord, field: string): FieldError[] {
  const iscsi = recordAt(volume, 'iscsi');
  const name = stringAt(volume, 'name');
  if (typeof iscsi?.initiatorName !== 'string' || `${name}:${stringAt(iscsi, 'targetPortal')}`.length <= 64) return [];
  const detail =
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
  return [invalidValue(`${field}.name`, name, detail)];
}

/** What is wrong, and the volumes that mounts may name: those with nothing wrong. `pod` is the name of a real pod. */
export function validateVolumes(
  volumes: readonly JsonRecord[],
  field: string,
  pod?: string,
): { readonly errors: FieldError[]; readonly valid: ReadonlyMap<string, JsonRecord> } {
  const errors: FieldError[] = [];
  const valid = new Map<string, JsonRecord>();
  const made = new Set(
    pod === undefined
      ? []
      : volumes
          .filter((volume) => recordAt(volume, 'ephemeral') !== undefined)
          .map((volume) => `${pod}-${stringAt(volume, 'name')}`),
  );
  for (const [index, volume] of volumes.entries()) {
    const path = `${field}[${index}]`;
    const name = stringAt(volume, 'name');
    const own = [
      ...oneSource(volume, path, pod === undefined ? TEMPLATE_RULES : POD_RULES),
      ...portalLength(volume, path),
    ];
    if (pod !== undefined && name !== '' && recordAt(volume, 'ephemeral') !== undefined)
      for (const message of isDns1123Subdomain(`${pod}-${name}`))
        own.push(invalidValue(`${path}.name`, name, `PVC name "${pod}-${name}": ${message}`));
    if (name === '') own.push(requiredValue(`${path}.name`));
    else own.push(...invalidMessages(`${path}.name`, name, isDns1123Label(name)));
    if (valid.has(name)) own.push(duplicateValue(`${path}.name`, name));
    if (own.length === 0) valid.set(name, volume);
    errors.push(...own);
    const claim = recordAt(volume, 'persistentVolumeClaim')?.claimName;
    if (typeof claim === 'string' && made.has(claim))
      errors.push(
        invalidValue(
          `${path}.persistentVolumeClaim.claimName`,
          claim,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      );
  }
  return { errors, valid };
}
