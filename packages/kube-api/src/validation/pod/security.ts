/** Security contexts of containers and pods. */

import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { listAt, numberAt, recordAt, recordsAt, stringAt, stringsAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { goSecurityContext } from '../go-dump.ts';

const ID_RANGE = 'must be between 0 and 2147483647, inclusive';

function id(value: unknown, field: string): FieldError[] {
  return typeof value === 'number' && (value < 0 || value > 2_147_483_647)
    ? [invalidValue(field, value, ID_RANGE)]
    : [];
}

function seccomp(profile: JsonRecord | undefined, field: string): FieldError[] {
  if (profile === undefined) return [];
  const type = stringAt(profile, 'type');
  const supported = ['Localhost', 'RuntimeDefault', 'Unconfined'];
  if (type === 'Localhost') {
    const path = stringAt(profile, 'localhostProfile');
    return profile.localhostProfile === undefined
      ? [requiredValue(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost')]
      : path.startsWith('/')
        ? [invalidValue(`${field}.localhostProfile`, path, 'must be a relative path')]
        : [];
  }
  const out: FieldError[] = [];
  if (profile.localhostProfile !== undefined)
    out.push(
      invalidValue(
        `${field}.localhostProfile`,
        profile.localhostProfile,
        `can only be set when seccomp type is Localhost`,
      ),
    );
  if (type === '') out.push(requiredValue(`${field}.type`, 'type is required when seccompProfile is set'));
  else if (!supported.includes(type)) out.push(unsupportedValue(`${field}.type`, type, supported));
  return out;
}

function appArmor(profile: JsonRecord | undefined, field: string): FieldError[] {
  if (profile === undefined) return [];
  const type = stringAt(profile, 'type');
  if (type === 'Localhost')
    return stringAt(profile, 'localhostProfile') === ''
      ? [requiredValue(`${field}.localhostProfile`, 'must be set when AppArmor type is Localhost')]
      : [];
  if (type === '') return [requiredValue(`${field}.type`, 'type is required when appArmorProfile is set')];
  return type === 'RuntimeDefault' || type === 'Unconfined'
    ? []
    : [unsupportedValue(`${field}.type`, type, ['Localhost', 'RuntimeDefault', 'Unconfined'])];
}

export function validateSecurityContext(
  context: JsonRecord | undefined,
  field: string,
  hostUsers: boolean,
): FieldError[] {
  if (context === undefined) return [];
  const out = [...id(context.runAsUser, `${field}.runAsUser`), ...id(context.runAsGroup, `${field}.runAsGroup`)];
  const procMount = stringAt(context, 'procMount');
  if (procMount !== '') {
    if (procMount !== 'Default' && procMount !== 'Unmasked')
      out.push(unsupportedValue(`${field}.procMount`, procMount, ['Default', 'Unmasked']));
    if (hostUsers && procMount === 'Unmasked')
      out.push(invalidValue(`${field}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  out.push(...seccomp(recordAt(context, 'seccompProfile'), `${field}.seccompProfile`));
  out.push(...appArmor(recordAt(context, 'appArmorProfile'), `${field}.appArmorProfile`));
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
  return out;
}

export function validatePodSecurityContext(context: JsonRecord | undefined, field: string): FieldError[] {
  if (context === undefined) return [];
  const out = [
    ...id(context.fsGroup, `${field}.fsGroup`),
    ...id(context.runAsUser, `${field}.runAsUser`),
    ...id(context.runAsGroup, `${field}.runAsGroup`),
  ];
  for (const [index, group] of listAt(context, 'supplementalGroups').entries())
    out.push(...id(group, `${field}.supplementalGroups[${index}]`));
  const policy = stringAt(context, 'fsGroupChangePolicy');
  if (policy !== '' && policy !== 'OnRootMismatch' && policy !== 'Always')
    out.push(unsupportedValue(`${field}.fsGroupChangePolicy`, policy, ['Always', 'OnRootMismatch']));
  const seen = new Set<string>();
  for (const [index, sysctl] of recordsAt(context, 'sysctls').entries()) {
    const name = stringAt(sysctl, 'name');
    if (name === '') out.push(requiredValue(`${field}.sysctls[${index}].name`));
    else if (seen.has(name))
      out.push({ type: 'FieldValueDuplicate', field: `${field}.sysctls[${index}].name`, badValue: name, detail: '' });
    else if (
      !/^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])?[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/.test(
        name,
      )
    )
      out.push(
        invalidValue(
          `${field}.sysctls[${index}].name`,
          name,
          'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
        ),
      );
    seen.add(name);
  }
  out.push(...seccomp(recordAt(context, 'seccompProfile'), `${field}.seccompProfile`));
  out.push(...appArmor(recordAt(context, 'appArmorProfile'), `${field}.appArmorProfile`));
  const windows = recordAt(context, 'windowsOptions');
  if (isRecord(windows) && windows.hostProcess === true && numberAt(context, 'runAsUser') !== undefined)
    out.push(forbiddenValue(`${field}.runAsUser`, 'cannot be set for a Windows pod'));
  return out;
}
