/** Services, endpoints and endpoint slices. */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { immutableField, invalidMessages } from './field-rules.ts';
import { cidrProblem, ipProblem, isIpv6 } from './ip.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidPortNum } from './names.ts';
import { validateLabels } from './object-meta.ts';
import { PROTOCOLS } from './pod/containers.ts';
import { portNumberOrName } from './pod/probes.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

export function validateService(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const out: FieldError[] = [];
  const type = stringAt(spec, 'type');
  const ports = recordsAt(spec, 'ports');
  const isHeadless = spec.clusterIP === 'None';
  if (ports.length === 0 && !isHeadless && type !== 'ExternalName') out.push(requiredValue('spec.ports'));
  if (type === 'LoadBalancer' && isHeadless)
    out.push(invalidValue('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"));
  if (type === 'NodePort' && isHeadless)
    out.push(invalidValue('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"));
  if (type === 'ExternalName') {
    if (stringsAt(spec, 'clusterIPs').length > 0 || stringAt(spec, 'clusterIP') !== '')
      out.push(forbiddenValue('spec.clusterIPs', 'may not be set for ExternalName services'));
    if (stringsAt(spec, 'ipFamilies').length > 0)
      out.push(forbiddenValue('spec.ipFamilies', 'may not be set for ExternalName services'));
    if (spec.ipFamilyPolicy !== undefined)
      out.push(forbiddenValue('spec.ipFamilyPolicy', 'may not be set for ExternalName services'));
    const name = stringAt(spec, 'externalName').replace(/\.$/, '');
    if (name === '') out.push(requiredValue('spec.externalName'));
    else out.push(...invalidMessages('spec.externalName', name, isDns1123Subdomain(name)));
  }
  out.push(...validatePorts(ports, type));
  out.push(...validateLabels(stringMapAt(spec, 'selector'), 'spec.selector'));
  const affinity = stringAt(spec, 'sessionAffinity');
  if (affinity === '') out.push(requiredValue('spec.sessionAffinity'));
  else if (affinity !== 'ClientIP' && affinity !== 'None')
    out.push(unsupportedValue('spec.sessionAffinity', affinity, ['ClientIP', 'None']));
  const config = recordAt(spec, 'sessionAffinityConfig');
  if (affinity === 'ClientIP') {
    const seconds = numberAt(recordAt(config, 'clientIP'), 'timeoutSeconds') ?? 0;
    if (seconds <= 0 || seconds > 86_400)
      out.push(
        invalidValue(
          'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
          seconds,
          'must be greater than 0 and less than 86400',
        ),
      );
  } else if (affinity === 'None' && config !== undefined)
    out.push(forbiddenValue('spec.sessionAffinityConfig', 'must not be set when session affinity is None'));
  out.push(...validateClusterIps(spec));
  for (const [index, ip] of stringsAt(spec, 'externalIPs').entries()) {
    const field = `spec.externalIPs[${index}]`;
    const problems = ipProblem(ip, field);
    out.push(...problems);
    if (problems.length === 0) out.push(...notSpecialIp(ip, field));
  }
  if (type === '') out.push(requiredValue('spec.type'));
  else if (!TYPES.includes(type)) out.push(unsupportedValue('spec.type', type, TYPES));
  out.push(...validateTraffic(spec, type));
  return out;
}

/**
 * `mayBeLoopback` is our one difference: pods of this cluster live on loopback addresses, so endpoints may have them
 * (`ValidateNonSpecialIP` refuses them).
 */
function notSpecialIp(ip: string, field: string, mayBeLoopback = false): FieldError[] {
  if (ip === '0.0.0.0' || ip === '::') return [invalidValue(field, ip, `may not be unspecified (${ip})`)];
  if (!mayBeLoopback && (ip.startsWith('127.') || ip === '::1'))
    return [invalidValue(field, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  if (ip.startsWith('169.254.'))
    return [invalidValue(field, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
  return [];
}

/** Go's print of an internal ServicePort, as duplicates show it. */
function goPort(protocol: string, port: number, nodePort: number): JsonRecord {
  return { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: nodePort };
}

function validatePorts(ports: readonly JsonRecord[], type: string): FieldError[] {
  const out: FieldError[] = [];
  const names = new Set<string>();
  const pairs = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const name = stringAt(port, 'name');
    if (ports.length > 1 && name === '') out.push(requiredValue(`${path}.name`));
    else if (name !== '') {
      out.push(...invalidMessages(`${path}.name`, name, isDns1123Label(name)));
      if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
      names.add(name);
    }
    const number = numberAt(port, 'port') ?? 0;
    out.push(...invalidMessages(`${path}.port`, number, isValidPortNum(number)));
    const protocol = stringAt(port, 'protocol');
    if (protocol === '') out.push(requiredValue(`${path}.protocol`));
    else if (!PROTOCOLS.includes(protocol)) out.push(unsupportedValue(`${path}.protocol`, protocol, PROTOCOLS));
    out.push(...portNumberOrName(port.targetPort, `${path}.targetPort`));
    if (typeof port.appProtocol === 'string')
      out.push(...invalidMessages(`${path}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol)));
    const pair = `${protocol}/${number}`;
    if (pairs.has(pair)) out.push(duplicateValue(path, goPort(protocol, number, 0)));
    pairs.add(pair);
    const nodePort = numberAt(port, 'nodePort') ?? 0;
    if (nodePort === 0) continue;
    if (type === 'ClusterIP')
      out.push(forbiddenValue(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    const taken = `${protocol}/${nodePort}`;
    if (nodePorts.has(taken)) out.push(duplicateValue(`${path}.nodePort`, nodePort));
    nodePorts.add(taken);
  }
  return out;
}

const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

/** Addresses and families against each other (`ValidateServiceClusterIPsRelatedFields`). */
export function validateClusterIps(spec: JsonRecord): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const out: FieldError[] = [];
  const field = 'spec.clusterIPs';
  const ips = stringsAt(spec, 'clusterIPs');
  const first = stringAt(spec, 'clusterIP');
  if (first === '' && ips.length > 0)
    out.push(invalidValue(field, ips, 'must be empty when `clusterIP` is not specified'));
  if (first !== '' && ips.length > 0 && ips[0] !== first)
    out.push(invalidValue(field, ips, 'first value must match `clusterIP`'));
  const families = stringsAt(spec, 'ipFamilies');
  for (const [index, family] of families.entries()) {
    const path = `spec.ipFamilies[${index}]`;
    if (!FAMILIES.includes(family)) out.push(unsupportedValue(path, family, FAMILIES));
    if (families.indexOf(family) < index) out.push(duplicateValue(path, family));
  }
  const policy = spec.ipFamilyPolicy;
  if (typeof policy === 'string' && !FAMILY_POLICIES.includes(policy))
    out.push(unsupportedValue('spec.ipFamilyPolicy', policy, FAMILY_POLICIES));
  let isBad = false;
  for (const [index, ip] of ips.entries()) {
    if (index === 0 && ip === 'None') {
      if (ips.length === 1) continue;
      isBad = true;
      out.push(invalidValue(field, ips, "'None' must be the first and only value"));
      continue;
    }
    const problems = ipProblem(ip, `${field}[${index}]`);
    isBad ||= problems.length > 0;
    out.push(...problems);
  }
  if (ips.length > 2) out.push(invalidValue(field, ips, 'may only hold up to 2 values'));
  if (isBad) return out;
  if (ips.length > 1 && ips.every(isIpv6) === ips.some(isIpv6))
    out.push(invalidValue(field, ips, 'may specify no more than one IP for each IP family'));
  if (ips[0] === 'None') return out;
  for (const [index, ip] of ips.entries()) {
    const family = families[index];
    if (family !== undefined && FAMILIES.includes(family) && isIpv6(ip) !== (family === 'IPv6'))
      out.push(
        invalidValue(`${field}[${index}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``),
      );
  }
  return out;
}

function validateTraffic(spec: JsonRecord, type: string): FieldError[] {
  const out: FieldError[] = [];
  const external = stringAt(spec, 'externalTrafficPolicy');
  const isExternal =
    type === 'LoadBalancer' ||
    type === 'NodePort' ||
    (type === 'ClusterIP' && stringsAt(spec, 'externalIPs').length > 0);
  if (external !== '') {
    if (!isExternal)
      out.push(
        invalidValue('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'),
      );
    else if (external !== 'Cluster' && external !== 'Local')
      out.push(unsupportedValue('spec.externalTrafficPolicy', external, ['Cluster', 'Local']));
  }
  const health = numberAt(spec, 'healthCheckNodePort') ?? 0;
  if (health !== 0 && !(type === 'LoadBalancer' && external === 'Local'))
    out.push(
      invalidValue(
        'spec.healthCheckNodePort',
        health,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  const internal = spec.internalTrafficPolicy;
  if (type === 'ExternalName') {
    if (internal !== undefined)
      out.push(forbiddenValue('spec.internalTrafficPolicy', 'may not be set for ExternalName services'));
  } else if (type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer') {
    if (internal === undefined) out.push(requiredValue('spec.internalTrafficPolicy'));
    else if (internal !== 'Cluster' && internal !== 'Local')
      out.push(unsupportedValue('spec.internalTrafficPolicy', internal, ['Cluster', 'Local']));
  }
  if (type === 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === undefined) out.push(requiredValue('spec.allocateLoadBalancerNodePorts'));
    if (typeof spec.loadBalancerClass === 'string')
      out.push(
        ...invalidMessages('spec.loadBalancerClass', spec.loadBalancerClass, isQualifiedName(spec.loadBalancerClass)),
      );
  } else {
    if (spec.allocateLoadBalancerNodePorts !== undefined)
      out.push(forbiddenValue('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
    if (spec.loadBalancerClass !== undefined)
      out.push(forbiddenValue('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"));
  }
  for (const [index, range] of stringsAt(spec, 'loadBalancerSourceRanges').entries()) {
    if (type !== 'LoadBalancer') {
      out.push(forbiddenValue('spec.LoadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
      break;
    }
    out.push(...cidrProblem(range.trim(), `spec.LoadBalancerSourceRanges[${index}]`));
  }
  const distribution = spec.trafficDistribution;
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  if (typeof distribution === 'string' && !distributions.includes(distribution))
    out.push(unsupportedValue('spec.trafficDistribution', distribution, distributions));
  return out;
}

export function validateServiceUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const before = recordAt(old, 'spec') ?? {};
  const out: FieldError[] = [];
  const needsIp = (value: unknown): boolean => value !== 'ExternalName';
  const ips = stringsAt(spec, 'clusterIPs');
  const oldIps = stringsAt(before, 'clusterIPs');
  if (needsIp(spec.type) && needsIp(before.type) && oldIps.length > 0) {
    if (ips.length === 0 || ips[0] !== oldIps[0])
      out.push(invalidValue('spec.clusterIPs[0]', ips, 'may not change once set'));
    const families = stringsAt(before, 'ipFamilies');
    const next = stringsAt(spec, 'ipFamilies');
    if (families.length > 0 && next.length > 0 && families[0] !== next[0])
      out.push(invalidValue('spec.ipFamilies[0]', next, 'may not change once set'));
  }
  if (
    spec.type === 'LoadBalancer' &&
    before.type === 'LoadBalancer' &&
    spec.loadBalancerClass !== before.loadBalancerClass
  )
    out.push(invalidValue('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'));
  return [...out, ...validateService(object)];
}

export function validateEndpoints(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, subset] of recordsAt(object, 'subsets').entries()) {
    const path = `subsets[${index}]`;
    const addresses = recordsAt(subset, 'addresses');
    const notReady = recordsAt(subset, 'notReadyAddresses');
    if (addresses.length === 0 && notReady.length === 0)
      out.push(requiredValue(path, 'must specify `addresses` or `notReadyAddresses`'));
    for (const [name, list] of [
      ['addresses', addresses],
      ['notReadyAddresses', notReady],
    ] as const)
      for (const [at, address] of list.entries()) {
        const ip = stringAt(address, 'ip');
        const problems = ipProblem(ip, `${path}.${name}[${at}].ip`);
        out.push(...problems);
        if (problems.length === 0) out.push(...notSpecialIp(ip, `${path}.${name}[${at}].ip`, true));
      }
    const ports = recordsAt(subset, 'ports');
    for (const [at, port] of ports.entries()) {
      const name = stringAt(port, 'name');
      if (ports.length > 1 && name === '') out.push(requiredValue(`${path}.ports[${at}].name`));
      else if (name !== '') out.push(...invalidMessages(`${path}.ports[${at}].name`, name, isDns1123Label(name)));
      const number = numberAt(port, 'port') ?? 0;
      out.push(...invalidMessages(`${path}.ports[${at}].port`, number, isValidPortNum(number)));
      const protocol = stringAt(port, 'protocol');
      if (!PROTOCOLS.includes(protocol))
        out.push(
          protocol === ''
            ? requiredValue(`${path}.ports[${at}].protocol`)
            : unsupportedValue(`${path}.ports[${at}].protocol`, protocol, PROTOCOLS),
        );
    }
  }
  return out;
}

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];

/** `IsFullyQualifiedDomainName`: two segments at least, a dot at the end allowed. */
function fullyQualified(name: string, field: string): FieldError[] {
  if (name === '') return [requiredValue(field)];
  const bare = name.replace(/\.$/, '');
  const problems = isDns1123Subdomain(bare);
  if (problems.length > 0) return [invalidValue(field, bare, problems.join(','))];
  if (bare.split('.').length < 2)
    return [invalidValue(field, bare, 'should be a domain with at least two segments separated by dots')];
  return [];
}

export function validateEndpointSlice(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const type = stringAt(object, 'addressType');
  if (type === '') out.push(requiredValue('addressType'));
  else if (!ADDRESS_TYPES.includes(type)) out.push(unsupportedValue('addressType', type, ADDRESS_TYPES));
  const endpoints = recordsAt(object, 'endpoints');
  if (endpoints.length > 1000)
    out.push({
      type: 'FieldValueTooMany',
      field: 'endpoints',
      badValue: endpoints.length,
      detail: 'must have at most 1000 items',
    });
  for (const [index, endpoint] of endpoints.entries()) {
    const path = `endpoints[${index}].addresses`;
    const addresses = stringsAt(endpoint, 'addresses');
    if (addresses.length === 0) out.push(requiredValue(path, 'must contain at least 1 address'));
    else if (addresses.length > 100)
      out.push({
        type: 'FieldValueTooMany',
        field: path,
        badValue: addresses.length,
        detail: 'must have at most 100 items',
      });
    for (const [at, address] of addresses.entries()) {
      const field = `${path}[${at}]`;
      if (type === 'IPv4' || type === 'IPv6') {
        const problems = ipProblem(address, field);
        out.push(...problems);
        if (problems.length > 0) continue;
        if (isIpv6(address) !== (type === 'IPv6')) out.push(invalidValue(field, address, `must be an ${type} address`));
        else out.push(...notSpecialIp(address, field, true));
      } else if (type === 'FQDN') out.push(...fullyQualified(address, field));
    }
    const at = `endpoints[${index}]`;
    if (typeof endpoint.hostname === 'string')
      out.push(...invalidMessages(`${at}.hostname`, endpoint.hostname, isDns1123Label(endpoint.hostname)));
    if (typeof endpoint.nodeName === 'string')
      out.push(...invalidMessages(`${at}.nodeName`, endpoint.nodeName, isDns1123Subdomain(endpoint.nodeName)));
  }
  const names = new Set<string>();
  for (const [index, port] of recordsAt(object, 'ports').entries()) {
    const path = `ports[${index}]`;
    const name = stringAt(port, 'name');
    if (name !== '') out.push(...invalidMessages(`${path}.name`, name, isDns1123Label(name)));
    if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
    names.add(name);
    const protocol = port.protocol;
    if (protocol === undefined) out.push(requiredValue(`${path}.protocol`));
    else if (typeof protocol === 'string' && !PROTOCOLS.includes(protocol))
      out.push(unsupportedValue(`${path}.protocol`, protocol, PROTOCOLS));
    if (typeof port.appProtocol === 'string')
      out.push(...invalidMessages(`${path}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol)));
  }
  return out;
}

export function validateEndpointSliceUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [...validateEndpointSlice(object), ...immutableField(object.addressType, old.addressType, 'addressType')];
}
