/** Containers of every sort (`validateContainerCommon` and its callers). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  tooMany,
  unsupportedValue,
  valueNotFound,
} from '../../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt } from '../../values/access.ts';
import { isRecord, type JsonRecord } from '../../values/json.ts';
import { invalidMessages } from '../field-rules.ts';
import { isDns1123Label, isValidPortName, isValidPortNum } from '../names.ts';
import { validateEnv, validateEnvFrom } from './environment.ts';
import { validateDevices, validateMounts } from './mounts.ts';
import { validateLifecycle, validateProbes } from './probes.ts';
import { validateResources } from './resources.ts';
import { validateSecurityContext } from './security.ts';

export const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const MAX_RESTART_RULES = 20;
const MAX_EXIT_CODES = 255;

export interface ContainerContext {
  /** The volumes that mounts may name. */
  readonly volumes: ReadonlyMap<string, JsonRecord>;
  /** Names in the pod's `resourceClaims`. */
  readonly claims: ReadonlySet<string>;
  readonly restartPolicy: string;
  readonly gracePeriod: number;
  readonly hostUsers: boolean;
}

function validatePorts(ports: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `${field}[${index}]`;
    const name = stringAt(port, 'name');
    if (name !== '') {
      const problems = isValidPortName(name);
      out.push(...invalidMessages(`${path}.name`, name, problems));
      if (problems.length === 0 && names.has(name)) out.push(duplicateValue(`${path}.name`, name));
      names.add(name);
    }
    const number = numberAt(port, 'containerPort') ?? 0;
    if (number === 0) out.push(requiredValue(`${path}.containerPort`));
    else out.push(...invalidMessages(`${path}.containerPort`, number, isValidPortNum(number)));
    const host = numberAt(port, 'hostPort') ?? 0;
    if (host !== 0) out.push(...invalidMessages(`${path}.hostPort`, host, isValidPortNum(host)));
    const protocol = stringAt(port, 'protocol');
    if (protocol === '') out.push(requiredValue(`${path}.protocol`));
    else if (!PROTOCOLS.includes(protocol)) out.push(unsupportedValue(`${path}.protocol`, protocol, PROTOCOLS));
  }
  return out;
}

function validateCommon(container: JsonRecord, context: ContainerContext, field: string): FieldError[] {
  const out: FieldError[] = [];
  const name = stringAt(container, 'name');
  if (name === '') out.push(requiredValue(`${field}.name`));
  else out.push(...invalidMessages(`${field}.name`, name, isDns1123Label(name)));
  if (stringAt(container, 'image') === '') out.push(requiredValue(`${field}.image`));
  const message = stringAt(container, 'terminationMessagePolicy');
  if (message === '') out.push(requiredValue(`${field}.terminationMessagePolicy`));
  else if (message !== 'File' && message !== 'FallbackToLogsOnError')
    out.push(unsupportedValue(`${field}.terminationMessagePolicy`, message, ['File', 'FallbackToLogsOnError']));
  out.push(...validatePorts(recordsAt(container, 'ports'), `${field}.ports`));
  out.push(...validateEnv(recordsAt(container, 'env'), `${field}.env`));
  out.push(...validateEnvFrom(recordsAt(container, 'envFrom'), `${field}.envFrom`));
  out.push(...validateMounts(container, context.volumes, `${field}.volumeMounts`));
  out.push(...validateDevices(container, context.volumes, `${field}.volumeDevices`));
  const pull = stringAt(container, 'imagePullPolicy');
  if (pull === '') out.push(requiredValue(`${field}.imagePullPolicy`));
  else if (!PULL_POLICIES.includes(pull)) out.push(unsupportedValue(`${field}.imagePullPolicy`, pull, PULL_POLICIES));
  out.push(...validateResources(recordAt(container, 'resources'), `${field}.resources`, context.claims));
  out.push(
    ...validateResizePolicy(recordsAt(container, 'resizePolicy'), `${field}.resizePolicy`, context.restartPolicy),
  );
  out.push(
    ...validateSecurityContext(recordAt(container, 'securityContext'), `${field}.securityContext`, context.hostUsers),
  );
  return out;
}

const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];

function validateResizePolicy(policies: readonly JsonRecord[], field: string, podRestart: string): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, policy] of policies.entries()) {
    const name = stringAt(policy, 'resourceName');
    if (seen.has(name)) out.push(duplicateValue(`${field}[${index}]`, name));
    seen.add(name);
    if (name === '') out.push(requiredValue(field));
    else if (name !== 'cpu' && name !== 'memory') out.push(unsupportedValue(field, name, ['cpu', 'memory']));
    const restart = stringAt(policy, 'restartPolicy');
    if (restart === '') out.push(requiredValue(field));
    else if (!RESIZE_POLICIES.includes(restart)) out.push(unsupportedValue(field, restart, RESIZE_POLICIES));
    if (podRestart === 'Never' && restart !== 'NotRequired')
      out.push(invalidValue(field, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
  }
  return out;
}

/** A container's own policy and its rules (`validateContainerRestartPolicy`, KEP-5307). */
function validateRestart(container: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const policy = container.restartPolicy ?? undefined;
  const rules = recordsAt(container, 'restartPolicyRules');
  if (policy === undefined && rules.length > 0)
    out.push(requiredValue(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  if (policy !== undefined && !(typeof policy === 'string' && RESTART_POLICIES.includes(policy)))
    out.push(unsupportedValue(`${field}.restartPolicy`, policy, RESTART_POLICIES));
  if (rules.length > MAX_RESTART_RULES)
    out.push(tooMany(`${field}.restartPolicyRules`, rules.length, MAX_RESTART_RULES));
  for (const [index, rule] of rules.entries()) {
    const path = `${field}.restartPolicyRules[${index}]`;
    if (rule.action !== 'Restart') out.push(unsupportedValue(`${path}.action`, stringAt(rule, 'action'), ['Restart']));
    if (!isRecord(rule.exitCodes)) {
      out.push(requiredValue(`${path}.exitCodes`, 'must be specified'));
      continue;
    }
    const operator = stringAt(rule.exitCodes, 'operator');
    if (operator !== 'In' && operator !== 'NotIn')
      out.push(unsupportedValue(`${path}.exitCodes.operator`, operator, ['In', 'NotIn']));
    const { values } = rule.exitCodes;
    if (Array.isArray(values) && values.length > MAX_EXIT_CODES)
      out.push(tooMany(`${path}.exitCodes.values`, values.length, MAX_EXIT_CODES));
  }
  return out;
}

/** regular containers */
export function validateContainers(spec: JsonRecord, context: ContainerContext, field: string): FieldError[] {
  const containers = recordsAt(spec, 'containers');
  if (containers.length === 0) return [requiredValue(`${field}.containers`)];
  const out: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const path = `${field}.containers[${index}]`;
    out.push(...validateCommon(container, context, path));
    const name = stringAt(container, 'name');
    if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
    else names.add(name);
    out.push(...validateLifecycle(container, path, context.gracePeriod));
    out.push(...validateProbes(container, path));
    out.push(...validateRestart(container, path));
  }
  out.push(...hostPortConflicts(containers, `${field}.containers`));
  return out;
}

function hostPortConflicts(containers: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, container] of containers.entries())
    for (const [at, port] of recordsAt(container, 'ports').entries()) {
      const host = numberAt(port, 'hostPort') ?? 0;
      if (host === 0) continue;
      const text = `${stringAt(port, 'protocol')}/${stringAt(port, 'hostIP')}/${host}`;
      if (taken.has(text)) out.push(duplicateValue(`${field}[${index}].ports[${at}].hostPort`, text));
      taken.add(text);
    }
  return out;
}

/** init containers, sidecars among them */
export function validateInitContainers(spec: JsonRecord, context: ContainerContext, field: string): FieldError[] {
  const out: FieldError[] = [];
  const names = new Set(recordsAt(spec, 'containers').map((container) => stringAt(container, 'name')));
  for (const [index, container] of recordsAt(spec, 'initContainers').entries()) {
    const path = `${field}.initContainers[${index}]`;
    out.push(...validateCommon(container, context, path));
    const name = stringAt(container, 'name');
    if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
    else if (name !== '') names.add(name);
    out.push(...validateRestart(container, path));
    if (container.restartPolicy === 'Always') {
      out.push(...validateLifecycle(container, path, context.gracePeriod));
      out.push(...validateProbes(container, path));
    } else
      for (const part of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
        if (isRecord(container[part]))
          out.push(
            forbiddenValue(`${path}.${part}`, 'may not be set for init containers without restartPolicy=Always'),
          );
    out.push(...hostPortConflicts([container], `${field}.initContainers`));
  }
  return out;
}

/** What an ephemeral container may have (`allowedEphemeralContainerFields`). */
const EPHEMERAL_FORBIDDEN = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
];

function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

export function validateEphemeralContainers(spec: JsonRecord, context: ContainerContext, field: string): FieldError[] {
  const out: FieldError[] = [];
  const others = new Set(
    [...recordsAt(spec, 'containers'), ...recordsAt(spec, 'initContainers')].map((entry) => stringAt(entry, 'name')),
  );
  const names = new Set(others);
  for (const [index, container] of recordsAt(spec, 'ephemeralContainers').entries()) {
    const path = `${field}.ephemeralContainers[${index}]`;
    out.push(...validateCommon(container, context, path));
    const name = stringAt(container, 'name');
    const image = stringAt(container, 'image');
    if (image !== image.trim()) out.push(invalidValue(`${path}.image`, image, PADDED));
    if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
    names.add(name);
    const target = stringAt(container, 'targetContainerName');
    if (target !== '' && !others.has(target)) out.push(valueNotFound(`${path}.targetContainerName`, target));
    for (const part of EPHEMERAL_FORBIDDEN)
      if (isSet(container[part]))
        out.push(forbiddenValue(`${path}.${part}`, 'cannot be set for an Ephemeral Container'));
    for (const [at, mount] of recordsAt(container, 'volumeMounts').entries())
      for (const part of ['subPath', 'subPathExpr'])
        if (stringAt(mount, part) !== '')
          out.push(forbiddenValue(`${path}.volumeMounts[${at}].${part}`, 'cannot be set for an Ephemeral Container'));
  }
  return out;
}

const PADDED = 'must not have leading or trailing whitespace';

/** Only pods, not templates: images without blanks around them. */
export function validateImagesOfPod(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const list of ['containers', 'initContainers'])
    for (const [index, container] of recordsAt(spec, list).entries()) {
      const image = stringAt(container, 'image');
      if (image !== image.trim()) out.push(invalidValue(`${field}.${list}[${index}].image`, image, PADDED));
    }
  return out;
}
