/** Security contexts of containers and pods. */

import {
  duplicateValue,
  type FieldError,
  invalidValue,
  requiredValue,
  tooLong,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { listAt, recordAt, recordsAt, stringAt, stringsAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { goSeccompProfile, goSecurityContext } from '../go-dump.ts';
import { isDns1123Subdomain } from '../names.ts';
import { validateWindowsOptions } from './operating-system.ts';
import { descendingPath } from './paths.ts';

const MAX_PATH = 4095;
const ID_RANGE = 'must be between 0 and 2147483647, inclusive';

function id(value: unknown, field: string): FieldError[] {
  return typeof value === 'number' && (value < 0 || value > 2_147_483_647)
    ? [invalidValue(field, value, ID_RANGE)]
    : [];
}

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function seccomp(profile: JsonRecord | undefined, field: string): FieldError[] {
  if (profile === undefined) return [];
  const type = stringAt(profile, 'type');
  const out: FieldError[] = [];
  if (type === '') out.push(requiredValue(`${field}.type`, 'type is required when seccompProfile is set'));
  else if (!PROFILE_TYPES.includes(type)) out.push(unsupportedValue(`${field}.type`, type, PROFILE_TYPES));
  const path = `${field}.localhostProfile`;
  const { localhostProfile } = profile;
  if (type !== 'Localhost')
    return typeof localhostProfile === 'string'
      ? [...out, invalidValue(path, goSeccompProfile(profile), 'can only be set when seccomp type is Localhost')]
      : out;
  return typeof localhostProfile === 'string'
    ? descendingPath(localhostProfile, path)
    : [requiredValue(path, 'must be set when seccomp type is Localhost')];
}

function appArmor(profile: JsonRecord | undefined, field: string): FieldError[] {
  if (profile === undefined) return [];
  const type = stringAt(profile, 'type');
  const path = `${field}.localhostProfile`;
  const { localhostProfile } = profile;
  if (type === 'Localhost') {
    const missing = requiredValue(path, 'must be set when AppArmor type is Localhost');
    if (typeof localhostProfile !== 'string') return [missing];
    const out: FieldError[] = [];
    const bare = localhostProfile.trim();
    if (bare !== localhostProfile) out.push(invalidValue(path, localhostProfile, 'must not be padded with whitespace'));
    else if (bare === '') out.push(missing);
    if (localhostProfile.length > MAX_PATH) out.push(tooLong(path, MAX_PATH));
    return out;
  }
  if (type === '') return [requiredValue(`${field}.type`, 'type is required when appArmorProfile is set')];
  if (!PROFILE_TYPES.includes(type)) return [unsupportedValue(`${field}.type`, type, PROFILE_TYPES)];
  return typeof localhostProfile === 'string'
    ? [invalidValue(path, localhostProfile, 'can only be set when AppArmor type is Localhost')]
    : [];
}

export function validateSecurityContext(
  context: JsonRecord | undefined,
  field: string,
  hostUsers: boolean,
): FieldError[] {
  if (context === undefined) return [];
  const out = [...id(context.runAsUser, `${field}.runAsUser`), ...id(context.runAsGroup, `${field}.runAsGroup`)];
  const { procMount } = context;
  if (typeof procMount === 'string') {
    if (procMount !== 'Default' && procMount !== 'Unmasked')
      out.push(unsupportedValue(`${field}.procMount`, procMount, ['Default', 'Unmasked']));
    if (hostUsers && procMount === 'Unmasked')
      out.push(invalidValue(`${field}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  out.push(...seccomp(recordAt(context, 'seccompProfile'), `${field}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true)
      out.push(
        invalidValue(
          field,
          goSecurityContext(context),
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      );
    if (stringsAt(recordAt(context, 'capabilities'), 'add').includes('CAP_SYS_ADMIN'))
      out.push(
        invalidValue(
          field,
          goSecurityContext(context),
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      );
  }
  return [
    ...out,
    ...validateWindowsOptions(recordAt(context, 'windowsOptions'), `${field}.windowsOptions`, isDns1123Subdomain),
    ...appArmor(recordAt(context, 'appArmorProfile'), `${field}.appArmorProfile`),
  ];
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const IPC_SYSCTLS =
  /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$|kernel\.shm|kernel\.msg|fs\.mqueue\.)/;

/** Kernel parameters; those of a namespace that the pod shares with its host are not the pod's. */
function validateSysctls(sysctls: readonly JsonRecord[], spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, sysctl] of sysctls.entries()) {
    const path = `${field}[${index}].name`;
    const name = stringAt(sysctl, 'name');
    const dotted = name.replaceAll('/', '.');
    if (name === '') out.push(requiredValue(path));
    else if (name.length > 253 || !SYSCTL.test(name))
      out.push(
        invalidValue(
          path,
          name,
          'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
        ),
      );
    else if (seen.has(name)) out.push(duplicateValue(path, name));
    if (spec.hostNetwork === true && dotted.startsWith('net.'))
      out.push(invalidValue(path, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC === true && IPC_SYSCTLS.test(dotted))
      out.push(invalidValue(path, name, "may not be specified when 'hostIPC' is true"));
    seen.add(name);
  }
  return out;
}

/** `spec` has what Kubernetes keeps in the context inside: the host's namespaces. */
export function validatePodSecurityContext(
  context: JsonRecord | undefined,
  spec: JsonRecord,
  field: string,
): FieldError[] {
  const out = [
    ...id(context?.fsGroup, `${field}.fsGroup`),
    ...id(context?.runAsUser, `${field}.runAsUser`),
    ...id(context?.runAsGroup, `${field}.runAsGroup`),
  ];
  for (const [index, group] of listAt(context, 'supplementalGroups').entries())
    out.push(...id(group, `${field}.supplementalGroups[${index}]`));
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    out.push(
      invalidValue(`${field}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  if (context === undefined) return out;
  out.push(...validateSysctls(recordsAt(context, 'sysctls'), spec, `${field}.sysctls`));
  const oneOf = (name: string, supported: readonly string[]): void => {
    const value = context[name];
    if (typeof value === 'string' && !supported.includes(value))
      out.push(unsupportedValue(`${field}.${name}`, value, supported));
  };
  oneOf('fsGroupChangePolicy', ['Always', 'OnRootMismatch']);
  out.push(...seccomp(recordAt(context, 'seccompProfile'), `${field}.seccompProfile`));
  out.push(
    ...validateWindowsOptions(recordAt(context, 'windowsOptions'), `${field}.windowsOptions`, isDns1123Subdomain),
  );
  out.push(...appArmor(recordAt(context, 'appArmorProfile'), `${field}.appArmorProfile`));
  oneOf('supplementalGroupsPolicy', ['Merge', 'Strict']);
  oneOf('seLinuxChangePolicy', ['MountOption', 'Recursive']);
  return out;
}
