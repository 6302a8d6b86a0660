/** Pod specs, alone and in templates (`ValidatePodSpec`, `ValidatePodTemplateSpec`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../../errors/field-error.ts';
import { listAt, numberAt, recordAt, recordsAt, stringAt, stringMapAt, stringsAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { invalidMessages } from '../field-rules.ts';
import { goResourceClaim } from '../go-dump.ts';
import { ipProblem } from '../ip.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName } from '../names.ts';
import { validateAnnotations, validateLabels } from '../object-meta.ts';
import {
  type ContainerContext,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './containers.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validatePodSecurityContext } from './security.ts';
import { validateVolumes } from './volumes.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

export function validatePodSpec(
  spec: JsonRecord,
  field: string,
  extraVolumes: readonly JsonRecord[] = [],
): FieldError[] {
  const out: FieldError[] = [];
  const context: ContainerContext = {
    volumes: [...recordsAt(spec, 'volumes'), ...extraVolumes],
    gracePeriod: numberAt(spec, 'terminationGracePeriodSeconds') ?? 30,
    hostUsers: spec.hostUsers !== false,
  };
  out.push(...validateVolumes(recordsAt(spec, 'volumes'), `${field}.volumes`));
  out.push(...validateContainers(spec, context, field));
  out.push(...validateInitContainers(spec, context, field));
  out.push(...validateEphemeralContainers(spec, context, field));
  const restart = stringAt(spec, 'restartPolicy');
  if (restart === '') out.push(requiredValue(`${field}.restartPolicy`));
  else if (!RESTART_POLICIES.includes(restart))
    out.push(unsupportedValue(`${field}.restartPolicy`, restart, RESTART_POLICIES));
  out.push(...validateDns(spec, field));
  out.push(...validateLabels(stringMapAt(spec, 'nodeSelector'), `${field}.nodeSelector`));
  out.push(...hostNetworkPorts(spec, field), ...hostNamespaces(spec, field));
  for (const [index, claim] of recordsAt(spec, 'resourceClaims').entries())
    if (claim.resourceClaimName === undefined && claim.resourceClaimTemplateName === undefined)
      out.push(
        invalidValue(
          `${field}.resourceClaims[${index}]`,
          goResourceClaim(claim),
          'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
        ),
      );
  out.push(...validatePodSecurityContext(recordAt(spec, 'securityContext'), `${field}.securityContext`));
  for (const [index, secret] of recordsAt(spec, 'imagePullSecrets').entries())
    if (stringAt(secret, 'name') === '') out.push(requiredValue(`${field}.imagePullSecrets[${index}].name`));
  out.push(...validateAffinity(recordAt(spec, 'affinity'), `${field}.affinity`));
  const named: readonly [string, (name: string) => string[]][] = [
    ['serviceAccountName', isDns1123Subdomain],
    ['nodeName', isDns1123Subdomain],
    ['hostname', isDns1123Label],
    ['subdomain', isDns1123Label],
    ['priorityClassName', isDns1123Subdomain],
    ['runtimeClassName', isDns1123Subdomain],
  ];
  for (const [name, check] of named) {
    const value = stringAt(spec, name);
    if (value !== '') out.push(...invalidMessages(`${field}.${name}`, value, check(value)));
  }
  const deadline = spec.activeDeadlineSeconds;
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2_147_483_647))
    out.push(invalidValue(`${field}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'));
  out.push(...validateTolerations(recordsAt(spec, 'tolerations'), `${field}.tolerations`));
  out.push(...validateHostAliases(recordsAt(spec, 'hostAliases'), `${field}.hostAliases`));
  const preemption = spec.preemptionPolicy;
  if (typeof preemption === 'string' && preemption !== 'Never' && preemption !== 'PreemptLowerPriority')
    out.push(unsupportedValue(`${field}.preemptionPolicy`, preemption, ['Never', 'PreemptLowerPriority']));
  out.push(
    ...validateTopologySpread(recordsAt(spec, 'topologySpreadConstraints'), `${field}.topologySpreadConstraints`),
  );
  const os = recordAt(spec, 'os');
  if (os !== undefined) {
    const name = stringAt(os, 'name');
    if (name === '') out.push(requiredValue(`${field}.os.name`, 'cannot be empty'));
    else if (name !== 'linux' && name !== 'windows')
      out.push(unsupportedValue(`${field}.os`, name, ['linux', 'windows']));
  }
  for (const [index, gate] of recordsAt(spec, 'readinessGates').entries()) {
    const name = stringAt(gate, 'conditionType');
    out.push(...invalidMessages(`${field}.readinessGates[${index}].conditionType`, name, isQualifiedName(name)));
  }
  const gates = new Set<string>();
  for (const [index, gate] of recordsAt(spec, 'schedulingGates').entries()) {
    const name = stringAt(gate, 'name');
    const path = `${field}.schedulingGates[${index}]`;
    if (name === '') out.push(requiredValue(path, 'must specify scheduling gate name'));
    else out.push(...invalidMessages(path, name, isQualifiedName(name)));
    if (gates.has(name)) out.push({ type: 'FieldValueDuplicate', field: path, badValue: name, detail: '' });
    gates.add(name);
  }
  return out;
}

function validateDns(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const policy = stringAt(spec, 'dnsPolicy');
  if (policy === '') out.push(requiredValue(`${field}.dnsPolicy`));
  else if (!DNS_POLICIES.includes(policy)) out.push(unsupportedValue(`${field}.dnsPolicy`, policy, DNS_POLICIES));
  const config = recordAt(spec, 'dnsConfig');
  const path = `${field}.dnsConfig`;
  if (policy === 'None') {
    if (config === undefined) return [...out, requiredValue(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if (stringsAt(config, 'nameservers').length === 0)
      return [
        ...out,
        requiredValue(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
      ];
  }
  if (config === undefined) return out;
  const servers = stringsAt(config, 'nameservers');
  if (servers.length > 3)
    out.push(invalidValue(`${path}.nameservers`, servers, 'must not have more than 3 nameservers'));
  for (const [index, server] of servers.entries()) out.push(...ipProblem(server, `${path}.nameservers[${index}]`));
  const searches = stringsAt(config, 'searches');
  if (searches.length > 32)
    out.push(invalidValue(`${path}.searches`, searches, 'must not have more than 32 search paths'));
  for (const [index, search] of searches.entries()) {
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    if (search !== '.')
      out.push(...invalidMessages(`${path}.searches[${index}]`, name, isDns1123Subdomain(name.replaceAll('_', 'a'))));
  }
  for (const [index, option] of recordsAt(config, 'options').entries())
    if (stringAt(option, 'name') === '') out.push(requiredValue(`${path}.options[${index}]`, 'must not be empty'));
  return out;
}

function hostNetworkPorts(spec: JsonRecord, field: string): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  const out: FieldError[] = [];
  for (const list of ['containers', 'initContainers'])
    for (const [index, container] of recordsAt(spec, list).entries())
      for (const [at, port] of recordsAt(container, 'ports').entries())
        if ((port.hostPort ?? 0) !== (port.containerPort ?? 0))
          out.push(
            invalidValue(
              `${field}.${list}[${index}].ports[${at}].containerPort`,
              port.containerPort ?? 0,
              'must match `hostPort` when `hostNetwork` is true',
            ),
          );
  return out;
}

/** Namespaces of the host that exclude each other (`ValidatePodSecurityContext`, `validateHostUsers`). */
function hostNamespaces(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    out.push(
      invalidValue(
        `${field}.securityContext.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    );
  if (spec.hostUsers !== false) return out;
  for (const [name, shown] of [
    ['hostNetwork', 'hostNetwork'],
    ['hostPID', 'HostPID'],
    ['hostIPC', 'HostIPC'],
  ] as const)
    if (spec[name] === true) out.push(forbiddenValue(`${field}.${shown}`, 'when `hostUsers` is false'));
  return out;
}

function validateHostAliases(aliases: readonly JsonRecord[], field: string): FieldError[] {
  return aliases.flatMap((alias, index) => [
    ...ipProblem(stringAt(alias, 'ip'), `${field}[${index}].ip`),
    ...listAt(alias, 'hostnames').flatMap((name, at) =>
      typeof name === 'string'
        ? invalidMessages(`${field}[${index}].hostnames[${at}]`, name, isDns1123Subdomain(name))
        : [],
    ),
  ]);
}

/** A template: labels, annotations and the spec; ephemeral containers are not allowed in it. */
export function validatePodTemplate(
  template: JsonRecord,
  field: string,
  extraVolumes: readonly JsonRecord[] = [],
): FieldError[] {
  const metadata = recordAt(template, 'metadata');
  const spec = recordAt(template, 'spec') ?? {};
  const out = [
    ...validateLabels(stringMapAt(metadata, 'labels'), `${field}.labels`),
    ...validateAnnotations(stringMapAt(metadata, 'annotations'), `${field}.annotations`),
    ...validatePodSpec(spec, `${field}.spec`, extraVolumes),
  ];
  if (Array.isArray(spec.ephemeralContainers) && spec.ephemeralContainers.length > 0)
    out.push({
      type: 'FieldValueForbidden',
      field: `${field}.spec.ephemeralContainers`,
      badValue: '',
      detail: 'ephemeral containers not allowed in pod template',
    });
  return out;
}
