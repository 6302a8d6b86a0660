/** networking.k8s.io (`pkg/apis/networking/validation`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  NIL_COLLECTION,
  requiredValue,
  tooLong,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import { networkContains } from '../values/ip-network.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { domainPrefixedPath, immutableField, invalidMessages } from './field-rules.ts';
import { cidrProblem, isIp, sloppyNetwork } from './ip.ts';
import { validateLabelSelector } from './label-selector.ts';
import {
  byteLength,
  isDns1123Label,
  isDns1123Subdomain,
  isValidPortName,
  isValidPortNum,
  isWildcardDns1123Subdomain,
} from './names.ts';
import { pathSegmentName } from './object-meta.ts';
import { PROTOCOLS } from './pod/containers.ts';

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};

const MAX_CONTROLLER_BYTES = 250;
const INGRESS_CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

function ingressBackend(backend: JsonRecord, field: string): FieldError[] {
  const service = recordAt(backend, 'service');
  const resource = recordAt(backend, 'resource');
  if (service !== undefined && resource !== undefined)
    return [invalidValue(field, '', 'cannot set both resource and service backends')];
  if (resource !== undefined) return typedReference(resource, `${field}.resource`);
  if (service === undefined) return [invalidValue(field, '', 'resource or service backend is required')];
  const out: FieldError[] = [];
  const name = stringAt(service, 'name');
  if (name === '') out.push(requiredValue(`${field}.service.name`));
  else out.push(...invalidMessages(`${field}.service.name`, name, isDns1123Label(name)));
  const port = recordAt(service, 'port') ?? {};
  const portName = stringAt(port, 'name');
  const number = numberAt(port, 'number') ?? 0;
  if (portName !== '' && number !== 0) out.push(invalidValue(field, '', 'cannot set both port name & port number'));
  else if (portName !== '')
    out.push(...invalidMessages(`${field}.service.port.name`, portName, isValidPortName(portName)));
  else if (number !== 0) out.push(...invalidMessages(`${field}.service.port.number`, number, isValidPortNum(number)));
  else out.push(requiredValue(field, 'port name or number is required'));
  return out;
}

/** A kind of a group and a name (`validateIngressTypedLocalObjectReference`). */
function typedReference(reference: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const group = reference.apiGroup;
  if (typeof group === 'string') out.push(...invalidMessages(`${field}.apiGroup`, group, isDns1123Subdomain(group)));
  for (const name of ['kind', 'name']) {
    const value = stringAt(reference, name);
    if (value === '') out.push(requiredValue(`${field}.${name}`));
    else out.push(...invalidMessages(`${field}.${name}`, value, pathSegmentName(value, false)));
  }
  return out;
}

function ingressPath(path: JsonRecord, field: string): FieldError[] {
  const type = path.pathType;
  if (type === undefined || type === null) return [requiredValue(`${field}.pathType`, 'pathType must be specified')];
  const out: FieldError[] = [];
  const text = stringAt(path, 'path');
  switch (type) {
    case 'Exact':
    case 'Prefix':
      if (!text.startsWith('/')) out.push(invalidValue(`${field}.path`, text, 'must be an absolute path'));
      for (const part of ['//', '/./', '/../', '%2f', '%2F'])
        if (text.includes(part)) out.push(invalidValue(`${field}.path`, text, `must not contain '${part}'`));
      for (const suffix of ['/..', '/.'])
        if (text.endsWith(suffix)) out.push(invalidValue(`${field}.path`, text, `cannot end with '${suffix}'`));
      break;
    case 'ImplementationSpecific':
      if (text !== '' && !text.startsWith('/'))
        out.push(invalidValue(`${field}.path`, text, 'must be an absolute path'));
      break;
    default:
      out.push(unsupportedValue(`${field}.pathType`, type, ['Exact', 'ImplementationSpecific', 'Prefix']));
  }
  return [...out, ...ingressBackend(recordAt(path, 'backend') ?? {}, `${field}.backend`)];
}

export function validateIngress(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const rules = recordsAt(spec, 'rules');
  const fallback = recordAt(spec, 'defaultBackend');
  if (rules.length === 0 && fallback === undefined)
    out.push(
      invalidValue(
        'spec',
        Array.isArray(spec.rules) ? spec.rules : NIL_COLLECTION,
        'either `defaultBackend` or `rules` must be specified',
      ),
    );
  if (fallback !== undefined) out.push(...ingressBackend(fallback, 'spec.defaultBackend'));
  for (const [index, rule] of rules.entries()) {
    const path = `spec.rules[${index}]`;
    const host = stringAt(rule, 'host');
    if (host !== '') {
      if (isIp(host)) out.push(invalidValue(`${path}.host`, host, 'must be a DNS name, not an IP address'));
      const problems = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
      out.push(...invalidMessages(`${path}.host`, host, problems));
    }
    const http = recordAt(rule, 'http');
    if (http === undefined) continue;
    const paths = recordsAt(http, 'paths');
    if (paths.length === 0) out.push(requiredValue(`${path}.http.paths`));
    for (const [at, entry] of paths.entries()) out.push(...ingressPath(entry, `${path}.http.paths[${at}]`));
  }
  for (const [index, entry] of recordsAt(spec, 'tls').entries()) {
    for (const [at, host] of stringsAt(entry, 'hosts').entries()) {
      const problems = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
      out.push(...invalidMessages(`spec.tls[${index}].hosts[${at}]`, host, problems));
    }
    const secret = stringAt(entry, 'secretName');
    if (secret !== '')
      out.push(...invalidMessages(`spec.tls[${index}].secretName`, secret, isDns1123Subdomain(secret)));
  }
  const className = spec.ingressClassName;
  if (typeof className === 'string')
    out.push(...invalidMessages('spec.ingressClassName', className, isDns1123Subdomain(className)));
  return out;
}

export function validateIngressCreate(object: JsonRecord): FieldError[] {
  const out = validateIngress(object);
  const annotations = recordAt(recordAt(object, 'metadata'), 'annotations');
  const own = annotations?.[INGRESS_CLASS_ANNOTATION];
  const className = specOf(object).ingressClassName;
  if (own !== undefined && className !== undefined && own !== className)
    out.push(
      invalidValue(
        'annotations.kubernetes.io/ingress.class',
        own,
        'must match `ingressClassName` when both are specified',
      ),
    );
  return out;
}

export function validateIngressClass(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const controller = stringAt(spec, 'controller');
  if (byteLength(controller) > MAX_CONTROLLER_BYTES) out.push(tooLong('spec.controller', MAX_CONTROLLER_BYTES));
  out.push(...domainPrefixedPath(controller, 'spec.controller'));
  const parameters = recordAt(spec, 'parameters');
  if (parameters === undefined) return out;
  out.push(...typedReference(parameters, 'spec.parameters'));
  const scope = parameters.scope;
  const { namespace } = parameters;
  if (scope === undefined) return [...out, requiredValue('spec.parameters.scope')];
  if (scope !== 'Cluster' && scope !== 'Namespace')
    out.push(unsupportedValue('spec.parameters.scope', scope, ['Cluster', 'Namespace']));
  if (scope === 'Namespace' && typeof namespace !== 'string')
    out.push(requiredValue('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"));
  else if (scope === 'Namespace')
    out.push(...invalidMessages('spec.parameters.namespace', namespace, isDns1123Label(String(namespace))));
  if (scope === 'Cluster' && namespace !== undefined)
    out.push(forbiddenValue('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"));
  return out;
}

export function validateIngressClassUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  return [
    ...immutableField(specOf(object).controller, specOf(old).controller, 'spec.controller'),
    ...validateIngressClass(object),
  ];
}

export function validateNetworkPolicy(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out = validateLabelSelector(recordAt(spec, 'podSelector'), 'spec.podSelector');
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const)
    for (const [index, rule] of recordsAt(spec, direction).entries()) {
      const path = `spec.${direction}[${index}]`;
      for (const [at, port] of recordsAt(rule, 'ports').entries())
        out.push(...networkPort(port, `${path}.ports[${at}]`));
      for (const [at, peer] of recordsAt(rule, peers).entries())
        out.push(...networkPeer(peer, `${path}.${peers}[${at}]`));
    }
  const types = stringsAt(spec, 'policyTypes');
  if (types.length > 2)
    return [...out, invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  for (const [index, type] of types.entries())
    if (type !== 'Ingress' && type !== 'Egress')
      out.push(unsupportedValue(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']));
  return out;
}

function networkPort(port: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const protocol = port.protocol;
  if (typeof protocol === 'string' && !PROTOCOLS.includes(protocol))
    out.push(unsupportedValue(`${field}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']));
  if (typeof port.port === 'number') {
    out.push(...invalidMessages(`${field}.port`, port.port, isValidPortNum(port.port)));
    if (typeof port.endPort === 'number') {
      if (port.endPort < port.port)
        out.push(invalidValue(`${field}.endPort`, port.endPort, 'must be greater than or equal to `port`'));
      out.push(...invalidMessages(`${field}.endPort`, port.endPort, isValidPortNum(port.endPort)));
    }
  } else if (typeof port.port === 'string') {
    if (port.endPort !== undefined)
      out.push(invalidValue(`${field}.endPort`, port.endPort, 'may not be specified when `port` is non-numeric'));
    out.push(...invalidMessages(`${field}.port`, port.port, isValidPortName(port.port)));
  } else if (port.endPort !== undefined)
    out.push(invalidValue(`${field}.endPort`, port.endPort, 'may not be specified when `port` is not specified'));
  return out;
}

function networkPeer(peer: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const hasPods = isRecord(peer.podSelector);
  const hasNamespaces = isRecord(peer.namespaceSelector);
  const block = recordAt(peer, 'ipBlock');
  out.push(...validateLabelSelector(recordAt(peer, 'podSelector'), `${field}.podSelector`));
  out.push(...validateLabelSelector(recordAt(peer, 'namespaceSelector'), `${field}.namespaceSelector`));
  if (block !== undefined) {
    const cidr = stringAt(block, 'cidr');
    if (cidr === '') out.push(requiredValue(`${field}.ipBlock.cidr`));
    else out.push(...cidrProblem(cidr, `${field}.ipBlock.cidr`));
    const network = sloppyNetwork(cidr);
    for (const [index, except] of (network ? stringsAt(block, 'except') : []).entries()) {
      const path = `${field}.ipBlock.except[${index}]`;
      out.push(...cidrProblem(except, path));
      const excepted = sloppyNetwork(except);
      if (network === undefined || excepted === undefined) continue;
      if (!networkContains(network, excepted.address) || network.prefix >= excepted.prefix)
        out.push(invalidValue(path, except, 'must be a strict subset of `cidr`'));
    }
  }
  if (!hasPods && !hasNamespaces && block === undefined) out.push(requiredValue(field, 'must specify a peer'));
  else if (block !== undefined && (hasPods || hasNamespaces))
    out.push(forbiddenValue(field, 'may not specify both ipBlock and another peer'));
  return out;
}
