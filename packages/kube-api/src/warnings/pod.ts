/** What is said of pods and templates that are valid but odd (`pkg/api/pod/warnings.go`). */
import { goQuote } from '../errors/field-error.ts';
import { containersWithPath } from '../validation/pod/annotations.ts';
import { listAt, numberAt, recordAt, recordsAt, stringAt, stringMapAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { ipWarnings } from './addresses.ts';
import { deprecatedKeys, nodeAffinityWarnings, nodeLabelProblem } from './node-labels.ts';
import { portWarnings } from './ports.ts';
import { claimSpecWarnings, fractionalBytes } from './quantities.ts';
import { overlappingPathWarnings } from './virtual-paths.ts';

const ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
/** Volume plugins that are gone, and since when. */
const VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const BYTES: readonly string[] = ['memory', 'ephemeral-storage'];

/**
 * The warnings of a pod, or of a template at `at` (`spec.template`).
 */
export function podWarnings(pod: JsonRecord, at = ''): string[] {
  const prefix = at === '' ? '' : `${at}.`;
  const spec = recordAt(pod, 'spec') ?? {};
  const field = `${prefix}spec`;
  const annotations = stringMapAt(recordAt(pod, 'metadata'), 'annotations');
  const context = recordAt(spec, 'securityContext');
  const onAnnotation = (key: string, text: string): string[] =>
    Object.hasOwn(annotations, key) ? [`${prefix}metadata.annotations[${key}]: ${text}`] : [];
  const containers = containersWithPath(spec, field);
  return [
    ...deprecatedKeys(stringMapAt(spec, 'nodeSelector')).map(([key, text]) => `${field}.nodeSelector[${key}]: ${text}`),
    ...nodeAffinityWarnings(spec, field),
    ...spreadWarnings(spec, field),
    ...Object.entries(ANNOTATIONS).flatMap(([key, text]) => onAnnotation(key, text)),
    ...recordsAt(spec, 'volumes').flatMap((volume, index) => volumeWarnings(volume, `${field}.volumes[${index}]`)),
    ...overlappingPathWarnings(recordsAt(spec, 'volumes')),
    ...repeated(spec, 'hostAliases', 'ip', field),
    ...repeated(spec, 'imagePullSecrets', 'name', field),
    ...recordsAt(spec, 'imagePullSecrets').flatMap((secret, index) =>
      stringAt(secret, 'name') === '' ? [`${field}.imagePullSecrets[${index}].name: invalid empty name ""`] : [],
    ),
    ...fractionalBytes(spec, 'overhead', BYTES, field),
    ...(isRecord(context?.seccompProfile) ? [] : onAnnotation(SECCOMP_POD, SECCOMP)),
    ...containers.flatMap(([container, path]) => {
      const own = recordAt(container, 'securityContext');
      const name = stringAt(container, 'name');
      const hasArmor = isRecord(context?.appArmorProfile) || isRecord(own?.appArmorProfile);
      return [
        ...(isRecord(own?.seccompProfile) ? [] : onAnnotation(`${SECCOMP_CONTAINER}${name}`, SECCOMP)),
        ...(at === '' || hasArmor
          ? []
          : onAnnotation(`${APP_ARMOR}${name}`, 'deprecated since v1.30; use the "appArmorProfile" field instead')),
        ...resourceWarnings(container, path),
        ...variableWarnings(container, path),
      ];
    }),
    ...portWarnings(containers),
    ...((numberAt(spec, 'terminationGracePeriodSeconds') ?? 0) < 0
      ? [`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...podAffinityWarnings(spec, field),
    ...listAt(recordAt(spec, 'dnsConfig'), 'nameservers').flatMap((server, index) =>
      ipWarnings(String(server), `${field}.dnsConfig.nameservers[${index}]`),
    ),
    ...recordsAt(spec, 'hostAliases').flatMap((alias, index) =>
      ipWarnings(stringAt(alias, 'ip'), `${field}.hostAliases[${index}].ip`),
    ),
  ];
}

function spreadWarnings(spec: JsonRecord, field: string): string[] {
  return recordsAt(spec, 'topologySpreadConstraints').flatMap((constraint, index) => {
    const path = `${field}.topologySpreadConstraints[${index}]`;
    const key = stringAt(constraint, 'topologyKey');
    const problem = nodeLabelProblem(key);
    return [
      ...(problem === undefined ? [] : [`${path}.topologyKey: ${key} is ${problem}`]),
      ...nullSelector(constraint, path),
    ];
  });
}

function nullSelector(term: JsonRecord | undefined, path: string): string[] {
  return isRecord(term?.labelSelector)
    ? []
    : [`${path}.labelSelector: a null labelSelector results in matching no pod`];
}

function podAffinityWarnings(spec: JsonRecord, field: string): string[] {
  const affinity = recordAt(spec, 'affinity');
  return ['podAffinity', 'podAntiAffinity'].flatMap((name) => {
    const path = `${field}.affinity.${name}`;
    const terms = recordAt(affinity, name);
    const required = 'requiredDuringSchedulingIgnoredDuringExecution';
    const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
    return [
      ...recordsAt(terms, required).flatMap((term, index) => nullSelector(term, `${path}.${required}[${index}]`)),
      ...recordsAt(terms, preferred).flatMap((term, index) =>
        nullSelector(recordAt(term, 'podAffinityTerm'), `${path}.${preferred}[${index}].podAffinityTerm`),
      ),
    ];
  });
}

function volumeWarnings(volume: JsonRecord, path: string): string[] {
  const template = recordAt(recordAt(volume, 'ephemeral'), 'volumeClaimTemplate');
  return [
    ...Object.entries(VOLUMES).flatMap(([plugin, text]) =>
      isRecord(volume[plugin]) ? [`${path}.${plugin === 'storageos' ? 'storageOS' : plugin}: ${text}`] : [],
    ),
    ...(template ? claimSpecWarnings(recordAt(template, 'spec'), `${path}.ephemeral.volumeClaimTemplate.spec`) : []),
  ];
}

/** Entries of a list that name what an earlier one names. */
function repeated(spec: JsonRecord, list: string, key: string, field: string): string[] {
  const seen = new Set<string>();
  return recordsAt(spec, list).flatMap((entry, index) => {
    const value = stringAt(entry, key);
    if (seen.has(value)) return [`${field}.${list}[${index}].${key}: duplicate ${key} ${goQuote(value)}`];
    seen.add(value);
    return [];
  });
}

function resourceWarnings(container: JsonRecord, path: string): string[] {
  const resources = recordAt(container, 'resources');
  return BYTES.flatMap((name) =>
    ['limits', 'requests'].flatMap((list) => fractionalBytes(resources, list, [name], `${path}.resources`)),
  );
}

function variableWarnings(container: JsonRecord, path: string): string[] {
  const seen = new Set<string>();
  return recordsAt(container, 'env').flatMap((variable, index) => {
    const name = stringAt(variable, 'name');
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    // A value that builds on the one before is meant so.
    const reference = `$(${name})`;
    const value = stringAt(variable, 'value');
    if (!isRecord(variable.valueFrom) && value !== reference && value.includes(reference)) return [];
    return [
      `${path}.env[${index}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`,
    ];
  });
}
