/** Pod specs, alone and in templates (`ValidatePodSpec`, `ValidatePodTemplateSpec`). */
import {
  duplicateValue,
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
import { isDns1123Label, isDns1123Subdomain, isDns1123SubdomainWithUnderscore, isQualifiedName } from '../names.ts';
import { validateAnnotations, validateLabels } from '../object-meta.ts';
import { annotationsMatchFields, validatePodAnnotations } from './annotations.ts';
import {
  type ContainerContext,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './containers.ts';
import { validateOs, windowsHostProcess } from './operating-system.ts';
import { validatePodResources } from './pod-resources.ts';
import { validateResources } from './resources.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validatePodSecurityContext } from './security.ts';
import { validateVolumes } from './volumes.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** What a spec is part of: a pod of that name, or a template. */
export interface SpecPlace {
  readonly pod?: string;
  /** Volumes that a StatefulSet adds; mounts may name them. */
  readonly extraVolumes?: readonly JsonRecord[];
}

export function validatePodSpec(spec: JsonRecord, field: string, place: SpecPlace = {}): FieldError[] {
  const volumes = validateVolumes(recordsAt(spec, 'volumes'), `${field}.volumes`, place.pod);
  const restartPolicy = stringAt(spec, 'restartPolicy');
  const context: ContainerContext = {
    volumes: new Map([
      ...volumes.valid,
      ...(place.extraVolumes ?? []).map((volume): [string, JsonRecord] => [stringAt(volume, 'name'), volume]),
    ]),
    claims: new Set(
      recordsAt(spec, 'resourceClaims')
        .map((claim) => stringAt(claim, 'name'))
        .filter((name) => name !== ''),
    ),
    gracePeriod: numberAt(spec, 'terminationGracePeriodSeconds') ?? 30,
    hostUsers: spec.hostUsers !== false,
    restartPolicy,
  };
  const out = [...volumes.errors, ...validateResourceClaims(recordsAt(spec, 'resourceClaims'), field)];
  out.push(...validateContainers(spec, context, field));
  out.push(...validateInitContainers(spec, context, field));
  out.push(...validateEphemeralContainers(spec, context, field));
  out.push(...validatePodResources(spec, context.claims, `${field}.resources`));
  out.push(...hostNetworkPorts(spec, field, place.pod !== undefined));
  if (restartPolicy === '') out.push(requiredValue(`${field}.restartPolicy`));
  else if (!RESTART_POLICIES.includes(restartPolicy))
    out.push(unsupportedValue(`${field}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  const policy = stringAt(spec, 'dnsPolicy');
  if (policy === '') out.push(requiredValue(`${field}.dnsPolicy`));
  else if (!DNS_POLICIES.includes(policy)) out.push(unsupportedValue(`${field}.dnsPolicy`, policy, DNS_POLICIES));
  out.push(...validateLabels(stringMapAt(spec, 'nodeSelector'), `${field}.nodeSelector`));
  out.push(...validatePodSecurityContext(recordAt(spec, 'securityContext'), spec, `${field}.securityContext`));
  out.push(...validateAffinity(recordAt(spec, 'affinity'), `${field}.affinity`));
  out.push(...validateDnsConfig(spec, policy, `${field}.dnsConfig`));
  for (const [index, gate] of recordsAt(spec, 'readinessGates').entries()) {
    const name = stringAt(gate, 'conditionType');
    out.push(...invalidMessages(`${field}.readinessGates[${index}].conditionType`, name, isQualifiedName(name)));
  }
  out.push(...validateGates(recordsAt(spec, 'schedulingGates'), `${field}.schedulingGates`));
  out.push(
    ...validateTopologySpread(recordsAt(spec, 'topologySpreadConstraints'), `${field}.topologySpreadConstraints`),
  );
  out.push(...windowsHostProcess(spec, field), ...hostNamespaces(spec, field));
  return [...out, ...validateRest(spec, field)];
}

function validateResourceClaims(claims: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const path = `${field}.resourceClaims[${index}]`;
    const name = stringAt(claim, 'name');
    if (name === '') out.push(requiredValue(`${path}.name`));
    else if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
    else out.push(...invalidMessages(`${path}.name`, name, isDns1123Label(name)));
    names.add(name);
    const sources = ['resourceClaimName', 'resourceClaimTemplateName'].filter(
      (source) => typeof claim[source] === 'string',
    );
    if (sources.length > 1)
      out.push(
        invalidValue(
          path,
          goResourceClaim(claim),
          'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
        ),
      );
    if (sources.length === 0)
      out.push(
        invalidValue(
          path,
          goResourceClaim(claim),
          'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
        ),
      );
    for (const source of sources) {
      const target = stringAt(claim, source);
      out.push(...invalidMessages(`${path}.${source}`, target, isDns1123Subdomain(target)));
    }
  }
  return out;
}

function validateGates(gates: readonly JsonRecord[], field: string): FieldError[] {
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, gate] of gates.entries()) {
    const name = stringAt(gate, 'name');
    const path = `${field}[${index}]`;
    out.push(...invalidMessages(path, name, isQualifiedName(name)));
    if (seen.has(name)) out.push(duplicateValue(path, name));
    seen.add(name);
  }
  return out;
}

/** Names, numbers and what else stands at the end of `ValidatePodSpec`. */
function validateRest(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const named = (name: string, check: (text: string) => string[]): void => {
    const value = stringAt(spec, name);
    if (value !== '') out.push(...invalidMessages(`${field}.${name}`, value, check(value)));
  };
  named('serviceAccountName', isDns1123Subdomain);
  named('nodeName', isDns1123Subdomain);
  const deadline = spec.activeDeadlineSeconds;
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2_147_483_647))
    out.push(invalidValue(`${field}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'));
  named('hostname', isDns1123Label);
  named('subdomain', isDns1123Label);
  out.push(...validateTolerations(recordsAt(spec, 'tolerations'), `${field}.tolerations`));
  out.push(...validateHostAliases(recordsAt(spec, 'hostAliases'), `${field}.hostAliases`));
  named('priorityClassName', isDns1123Subdomain);
  if (typeof spec.runtimeClassName === 'string')
    out.push(
      ...invalidMessages(`${field}.runtimeClassName`, spec.runtimeClassName, isDns1123Subdomain(spec.runtimeClassName)),
    );
  const preemption = spec.preemptionPolicy;
  if (preemption === '') out.push(requiredValue(`${field}.preemptionPolicy`));
  else if (typeof preemption === 'string' && !PREEMPTION_POLICIES.includes(preemption))
    out.push(unsupportedValue(`${field}.preemptionPolicy`, preemption, PREEMPTION_POLICIES));
  const overhead = recordAt(spec, 'overhead');
  if (overhead !== undefined) out.push(...validateResources({ limits: overhead }, `${field}.overhead`));
  return [...out, ...validateOs(spec, field)];
}

function validateDnsConfig(spec: JsonRecord, policy: string, path: string): FieldError[] {
  const out: FieldError[] = [];
  const config = recordAt(spec, 'dnsConfig');
  if (policy === 'None') {
    if (config === undefined) return [requiredValue(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if (stringsAt(config, 'nameservers').length === 0)
      return [
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
  if (searches.join(' ').length > 2048)
    out.push(
      invalidValue(
        `${path}.searches`,
        searches,
        'must not have more than 2048 characters (including spaces) in the search list',
      ),
    );
  for (const [index, search] of searches.entries()) {
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    if (search !== '.')
      out.push(...invalidMessages(`${path}.searches[${index}]`, name, isDns1123SubdomainWithUnderscore(name)));
  }
  for (const [index, option] of recordsAt(config, 'options').entries())
    if (stringAt(option, 'name') === '') out.push(requiredValue(`${path}.options[${index}]`, 'must not be empty'));
  return out;
}

/** On the host's network a port is the host's; templates may leave it open (`validatePodHostNetworkDeps`). */
function hostNetworkPorts(spec: JsonRecord, field: string, isPod: boolean): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  const out: FieldError[] = [];
  for (const [index, container] of recordsAt(spec, 'containers').entries())
    for (const [at, port] of recordsAt(container, 'ports').entries()) {
      const host = numberAt(port, 'hostPort') ?? 0;
      if ((isPod || host !== 0) && host !== (numberAt(port, 'containerPort') ?? 0))
        out.push(
          invalidValue(
            `${field}.containers[${index}].ports[${at}].hostPort`,
            host,
            'must match `containerPort` when `hostNetwork` is true',
          ),
        );
    }
  return out;
}

/** Users of its own go with no namespace of the host (`validateHostUsers`). */
function hostNamespaces(spec: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
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
  const annotations = stringMapAt(metadata, 'annotations');
  const spec = recordAt(template, 'spec') ?? {};
  const out = [
    ...validateLabels(stringMapAt(metadata, 'labels'), `${field}.labels`),
    ...validateAnnotations(annotations, `${field}.annotations`),
    ...validatePodAnnotations(annotations, spec, `${field}.annotations`),
    ...validatePodSpec(spec, `${field}.spec`, { extraVolumes }),
    ...annotationsMatchFields(annotations, spec, `${field}.spec`),
  ];
  if (recordsAt(spec, 'ephemeralContainers').length > 0)
    out.push(forbiddenValue(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  return out;
}
