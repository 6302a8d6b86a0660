/** What a pod may say on Linux and on Windows (`validateOS`, `validateLinux`, `validateWindows`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { recordAt, stringAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { containersWithPath } from './annotations.ts';

const SYSTEMS = ['linux', 'windows'];
const NOT_ON_WINDOWS = 'cannot be set for a windows pod';
const NOT_ON_LINUX = 'windows options cannot be set for a linux pod';

const POD_FIELDS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];

const CONTAINER_FIELDS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

export function validateOs(spec: JsonRecord, field: string): FieldError[] {
  const os = recordAt(spec, 'os');
  if (os === undefined) return [];
  const name = stringAt(os, 'name');
  if (name === '') return [requiredValue(`${field}.os.name`, 'cannot be empty')];
  if (!SYSTEMS.includes(name)) return [unsupportedValue(`${field}.os`, name, SYSTEMS)];
  return name === 'linux' ? linux(spec, field) : windows(spec, field);
}

function linux(spec: JsonRecord, field: string): FieldError[] {
  const contexts = [
    [recordAt(spec, 'securityContext'), field] as const,
    ...containersWithPath(spec, field).map(
      ([container, path]) => [recordAt(container, 'securityContext'), path] as const,
    ),
  ];
  return contexts
    .filter(([context]) => isGiven(context?.windowsOptions))
    .map(([, path]) => forbiddenValue(`${path}.securityContext.windowsOptions`, NOT_ON_LINUX));
}

function windows(spec: JsonRecord, field: string): FieldError[] {
  const pod = recordAt(spec, 'securityContext');
  const fields = POD_FIELDS.filter((name) => isGiven(pod?.[name])).map((name) => `${field}.securityContext.${name}`);
  if (isGiven(spec.hostUsers)) fields.push(`${field}.hostUsers`);
  for (const name of ['hostPID', 'hostIPC']) if (spec[name] === true) fields.push(`${field}.${name}`);
  if (isGiven(spec.shareProcessNamespace)) fields.push(`${field}.shareProcessNamespace`);
  for (const [container, path] of containersWithPath(spec, field)) {
    const context = recordAt(container, 'securityContext');
    for (const name of CONTAINER_FIELDS) if (isGiven(context?.[name])) fields.push(`${path}.securityContext.${name}`);
  }
  return fields.map((path) => forbiddenValue(path, NOT_ON_WINDOWS));
}

/** Containers that are processes of a Windows host: all of them or none (`validateWindowsHostProcessPod`). */
export function windowsHostProcess(spec: JsonRecord, field: string): FieldError[] {
  const own = (context: JsonRecord | undefined): unknown =>
    recordAt(recordAt(context, 'securityContext'), 'windowsOptions')?.hostProcess;
  const pod = own(spec);
  const out: FieldError[] = [];
  const containers = containersWithPath(spec, field);
  let count = 0;
  for (const [container, path] of containers) {
    const value = own(container);
    if (typeof pod === 'boolean' && typeof value === 'boolean' && pod !== value)
      out.push(
        invalidValue(
          `${path}.securityContext.windowsOptions.hostProcess`,
          value,
          `pod hostProcess value must be identical if both are specified, was ${pod}`,
        ),
      );
    if (value === true || (typeof value !== 'boolean' && pod === true)) count += 1;
  }
  if (count === 0) return out;
  if (count !== containers.length)
    out.push(
      invalidValue(
        field,
        '',
        'If pod contains any hostProcess containers then all containers must be HostProcess containers',
      ),
    );
  if (spec.hostNetwork !== true)
    out.push(
      invalidValue(
        `${field}.hostNetwork`,
        false,
        'hostNetwork must be true if pod contains any hostProcess containers',
      ),
    );
  return out;
}

const CONTROL = /\p{Cc}/u;
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DOMAIN = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const USER_CHARACTERS = /["/\\:;|=,+*?<>@[\]]/;

/** `DOMAIN\USER`, the domain being optional. */
function userNameProblems(text: string): string[] {
  if (text === '') return ['runAsUserName cannot be an empty string'];
  if (CONTROL.test(text)) return ['runAsUserName cannot contain control characters'];
  const parts = text.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const user = parts.at(-1) ?? '';
  const out: string[] = [];
  if ((domain ?? '').length >= 256) out.push("runAsUserName's Domain length must be under 256 characters");
  if (domain !== undefined && !NETBIOS.test(domain) && !DOMAIN.test(domain))
    out.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  if (user === '') out.push("runAsUserName's User cannot be empty");
  else if (user.length > 104) out.push("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) out.push("runAsUserName's User cannot contain only periods or spaces");
  if (USER_CHARACTERS.test(user))
    out.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  return out;
}

export function validateWindowsOptions(
  options: JsonRecord | undefined,
  field: string,
  isSubdomain: (name: string) => string[],
): FieldError[] {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  const out: FieldError[] = [];
  if (typeof gmsaCredentialSpecName === 'string')
    for (const message of isSubdomain(gmsaCredentialSpecName))
      out.push(invalidValue(`${field}.gmsaCredentialSpecName`, gmsaCredentialSpecName, message));
  if (gmsaCredentialSpec === '')
    out.push(invalidValue(`${field}.gmsaCredentialSpec`, '', 'gmsaCredentialSpec cannot be an empty string'));
  else if (typeof gmsaCredentialSpec === 'string' && gmsaCredentialSpec.length > 64 * 1024)
    out.push(
      invalidValue(`${field}.gmsaCredentialSpec`, gmsaCredentialSpec, 'gmsaCredentialSpec size must be under 64 KiB'),
    );
  if (typeof runAsUserName === 'string')
    for (const message of userNameProblems(runAsUserName))
      out.push(invalidValue(`${field}.runAsUserName`, runAsUserName, message));
  return out;
}
