/** autoscaling, policy, networking, rbac, coordination, storage, scheduling. */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  goQuote,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import { isRecord, type JsonRecord, semanticEquals } from '../values/json.ts';
import { immutableField, invalidMessages } from './field-rules.ts';
import { goBudgetSpec } from './go-dump.ts';
import { cidrProblem, isIp } from './ip.ts';
import { validateLabelSelector } from './label-selector.ts';
import {
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  isValidPortName,
  isValidPortNum,
  isWildcardDns1123Subdomain,
} from './names.ts';
import { intOrPercent, notMoreThan100Percent } from './numbers.ts';
import { pathSegmentName } from './object-meta.ts';
import { PROTOCOLS } from './pod/containers.ts';
import { quantityOf, quantityText } from './pod/resources.ts';

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};

// ---- autoscaling/v2 ------------------------------------------------------------------------------------------------

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

export function validateAutoscaler(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const min = spec.minReplicas;
  const max = numberAt(spec, 'maxReplicas') ?? 0;
  if (typeof min === 'number' && min < 1)
    out.push(invalidValue('spec.minReplicas', min, 'must be greater than or equal to 1'));
  if (max < 1) out.push(invalidValue('spec.maxReplicas', max, 'must be greater than 0'));
  if (typeof min === 'number' && max < min)
    out.push(invalidValue('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  out.push(...crossVersionReference(recordAt(spec, 'scaleTargetRef') ?? {}, 'spec.scaleTargetRef'));
  for (const [index, metric] of recordsAt(spec, 'metrics').entries())
    out.push(...validateMetric(metric, `spec.metrics[${index}]`));
  const behavior = recordAt(spec, 'behavior');
  for (const direction of ['scaleUp', 'scaleDown']) {
    const rules = recordAt(behavior, direction);
    if (rules !== undefined) out.push(...validateScalingRules(rules, `spec.behavior.${direction}`));
  }
  return out;
}

function crossVersionReference(reference: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  for (const name of ['kind', 'name']) {
    const value = stringAt(reference, name);
    if (value === '') out.push(requiredValue(`${field}.${name}`));
    else out.push(...invalidMessages(`${field}.${name}`, value, pathSegmentName(value, false)));
  }
  const apiVersion = stringAt(reference, 'apiVersion');
  const parts = apiVersion.split('/');
  if (parts.length > 2)
    out.push(invalidValue(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if (parts.length < 2 && !(apiVersion === 'v1' && reference.kind === 'ReplicationController'))
    out.push(invalidValue(`${field}.apiVersion`, apiVersion, 'apiVersion must specify API group'));
  return out;
}

function validateScalingRules(rules: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const window = rules.stabilizationWindowSeconds;
  if (typeof window === 'number') {
    if (window < 0)
      out.push(invalidValue(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
    if (window > 3600)
      out.push(invalidValue(`${field}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'));
  }
  const select = rules.selectPolicy;
  if (typeof select === 'string' && !['Max', 'Min', 'Disabled'].includes(select))
    out.push(unsupportedValue(`${field}.selectPolicy`, select, ['Disabled', 'Max', 'Min']));
  const policies = recordsAt(rules, 'policies');
  if (policies.length === 0) out.push(requiredValue(`${field}.policies`, 'must specify at least one Policy'));
  for (const [index, policy] of policies.entries()) {
    const path = `${field}.policies[${index}]`;
    const type = stringAt(policy, 'type');
    if (type !== 'Pods' && type !== 'Percent') out.push(unsupportedValue(`${path}.type`, type, ['Percent', 'Pods']));
    const value = numberAt(policy, 'value') ?? 0;
    if (value <= 0) out.push(invalidValue(`${path}.value`, value, 'must be greater than zero'));
    const period = numberAt(policy, 'periodSeconds') ?? 0;
    if (period <= 0) out.push(invalidValue(`${path}.periodSeconds`, period, 'must be greater than zero'));
    if (period > 1800) out.push(invalidValue(`${path}.periodSeconds`, period, 'must be less than or equal to 1800'));
  }
  return out;
}

const METRIC_FIELDS: Readonly<Record<string, string>> = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
};

function validateMetric(metric: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const type = stringAt(metric, 'type');
  if (type === '') out.push(requiredValue(`${field}.type`, 'must specify a metric source type'));
  else if (!METRIC_TYPES.includes(type)) out.push(unsupportedValue(`${field}.type`, type, METRIC_TYPES));
  const expected = METRIC_FIELDS[type];
  for (const name of Object.values(METRIC_FIELDS))
    if (isRecord(metric[name]) && name !== expected && expected !== undefined)
      out.push(forbiddenValue(`${field}.${name}`, 'must populate the given metric source only'));
  if (expected === undefined) return out;
  const source = recordAt(metric, expected);
  if (source === undefined) {
    out.push(requiredValue(`${field}.${expected}`, `must populate information for the given metric source`));
    return out;
  }
  const path = `${field}.${expected}`;
  if (expected === 'resource' || expected === 'containerResource') {
    if (stringAt(source, 'name') === '') out.push(requiredValue(`${path}.name`, 'must specify a resource name'));
    if (expected === 'containerResource' && stringAt(source, 'container') === '')
      out.push(requiredValue(`${path}.container`, 'must specify a container'));
  } else {
    const name = stringAt(recordAt(source, 'metric'), 'name');
    if (name === '') out.push(requiredValue(`${path}.metric.name`, 'must specify a metric name'));
    else out.push(...invalidMessages(`${path}.metric.name`, name, pathSegmentName(name, false)));
  }
  if (expected === 'object')
    out.push(...crossVersionReference(recordAt(source, 'describedObject') ?? {}, `${path}.describedObject`));
  const target = recordAt(source, 'target') ?? {};
  const targetType = stringAt(target, 'type');
  if (targetType === '') out.push(requiredValue(`${path}.target.type`, 'must specify a metric target type'));
  else if (!['Utilization', 'Value', 'AverageValue'].includes(targetType))
    out.push(invalidValue(`${path}.target.type`, targetType, 'must be either Utilization, Value, or AverageValue'));
  const utilization = target.averageUtilization;
  if (typeof utilization === 'number' && utilization < 1)
    out.push(invalidValue(`${path}.target.averageUtilization`, utilization, 'must be greater than 0'));
  for (const name of ['value', 'averageValue']) {
    const quantity = quantityOf(target[name]);
    if (quantity !== undefined && quantity.nano <= 0n)
      out.push(invalidValue(`${path}.target.${name}`, quantityText(target[name]), 'must be positive'));
  }
  if (
    (expected === 'resource' || expected === 'containerResource') &&
    utilization === undefined &&
    target.averageValue === undefined
  )
    out.push(
      requiredValue(`${path}.target.averageUtilization`, 'must set either a target raw value or a target utilization'),
    );
  if (expected === 'pods' && target.averageValue === undefined)
    out.push(requiredValue(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
  if (
    (expected === 'object' || expected === 'external') &&
    target.value === undefined &&
    target.averageValue === undefined
  )
    out.push(
      requiredValue(`${path}.target.averageValue`, 'must set either a target value for metric or a per-pod target'),
    );
  return out;
}

// ---- policy/v1 -----------------------------------------------------------------------------------------------------

export function validateDisruptionBudget(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
    out.push(invalidValue('spec', goBudgetSpec(spec), 'minAvailable and maxUnavailable cannot be both set'));
  for (const name of ['minAvailable', 'maxUnavailable'])
    if (spec[name] !== undefined)
      out.push(...intOrPercent(spec[name], `spec.${name}`), ...notMoreThan100Percent(spec[name], `spec.${name}`));
  const policy = spec.unhealthyPodEvictionPolicy;
  if (typeof policy === 'string' && policy !== 'AlwaysAllow' && policy !== 'IfHealthyBudget')
    out.push(unsupportedValue('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']));
  return [...out, ...validateLabelSelector(recordAt(spec, 'selector'), 'spec.selector')];
}

// ---- networking.k8s.io/v1 ------------------------------------------------------------------------------------------

const INGRESS_CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

function ingressBackend(backend: JsonRecord, field: string): FieldError[] {
  const service = recordAt(backend, 'service');
  const resource = recordAt(backend, 'resource');
  if (service !== undefined && resource !== undefined)
    return [invalidValue(field, '', 'cannot set both resource and service backends')];
  if (resource !== undefined)
    return ['kind', 'name']
      .filter((name) => stringAt(resource, name) === '')
      .map((name) => requiredValue(`${field}.resource.${name}`));
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
    out.push(invalidValue('spec', [], 'either `defaultBackend` or `rules` must be specified'));
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
  for (const [index, entry] of recordsAt(spec, 'tls').entries())
    for (const [at, host] of stringsAt(entry, 'hosts').entries()) {
      const problems = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
      out.push(...invalidMessages(`spec.tls[${index}].hosts[${at}]`, host, problems));
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
  if (own !== undefined && specOf(object).ingressClassName !== undefined)
    out.push(
      invalidValue('annotations.kubernetes.io/ingress.class', own, 'can not be set when the class field is also set'),
    );
  return out;
}

export function validateIngressClass(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const controller = stringAt(spec, 'controller');
  if (controller === '') out.push(requiredValue('spec.controller', 'controller name must be specified'));
  else out.push(...domainPath(controller, 'spec.controller'));
  const parameters = recordAt(spec, 'parameters');
  if (parameters === undefined) return out;
  for (const name of ['kind', 'name'])
    if (stringAt(parameters, name) === '') out.push(requiredValue(`spec.parameters.${name}`));
  const scope = parameters.scope;
  if (scope === undefined) out.push(requiredValue('spec.parameters.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespace')
    out.push(unsupportedValue('spec.parameters.scope', scope, ['Cluster', 'Namespace']));
  if (scope === 'Namespace' && stringAt(parameters, 'namespace') === '')
    out.push(requiredValue('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"));
  if (scope === 'Cluster' && parameters.namespace !== undefined)
    out.push(forbiddenValue('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"));
  return out;
}

/** `example.com/controller` (`IsDomainPrefixedPath`). */
function domainPath(text: string, field: string): FieldError[] {
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1)
    return [invalidValue(field, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const host = text.slice(0, slash);
  return invalidMessages(field, host, isDns1123Subdomain(host));
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
      out.push(unsupportedValue(`spec.policyTypes[${index}]`, type, ['Egress', 'Ingress']));
  return out;
}

function networkPort(port: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const protocol = port.protocol;
  if (typeof protocol === 'string' && !PROTOCOLS.includes(protocol))
    out.push(unsupportedValue(`${field}.protocol`, protocol, PROTOCOLS));
  if (typeof port.port === 'number') {
    out.push(...invalidMessages(`${field}.port`, port.port, isValidPortNum(port.port)));
    if (typeof port.endPort === 'number') {
      if (port.endPort < port.port)
        out.push(invalidValue(`${field}.endPort`, port.port, 'must be greater than or equal to `port`'));
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
    for (const [index, except] of stringsAt(block, 'except').entries())
      out.push(...cidrProblem(except, `${field}.ipBlock.except[${index}]`));
  }
  if (!hasPods && !hasNamespaces && block === undefined) out.push(requiredValue(field, 'must specify a peer'));
  else if (block !== undefined && (hasPods || hasNamespaces))
    out.push(forbiddenValue(field, 'may not specify both ipBlock and another peer'));
  return out;
}

// ---- rbac.authorization.k8s.io/v1 ----------------------------------------------------------------------------------

const RBAC_GROUP = 'rbac.authorization.k8s.io';

export function validateRole(object: JsonRecord, namespaced: boolean): FieldError[] {
  const out: FieldError[] = [];
  for (const [index, rule] of recordsAt(object, 'rules').entries()) {
    const path = `rules[${index}]`;
    if (stringsAt(rule, 'verbs').length === 0)
      out.push(requiredValue(`${path}.verbs`, 'verbs must contain at least one value'));
    const urls = stringsAt(rule, 'nonResourceURLs');
    const groups = stringsAt(rule, 'apiGroups');
    const resources = stringsAt(rule, 'resources');
    if (urls.length > 0) {
      if (namespaced)
        out.push(invalidValue(`${path}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs'));
      if (groups.length > 0 || resources.length > 0 || stringsAt(rule, 'resourceNames').length > 0)
        out.push(
          invalidValue(
            `${path}.nonResourceURLs`,
            urls,
            'rules cannot apply to both regular resources and non-resource URLs',
          ),
        );
      continue;
    }
    if (groups.length === 0)
      out.push(requiredValue(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
    if (resources.length === 0)
      out.push(requiredValue(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  const selectors = recordAt(object, 'aggregationRule');
  if (selectors !== undefined) {
    const list = recordsAt(selectors, 'clusterRoleSelectors');
    if (list.length === 0)
      out.push(
        requiredValue(
          'aggregationRule.clusterRoleSelectors',
          'at least one clusterRoleSelector required if aggregationRule is non-nil',
        ),
      );
    for (const [index, selector] of list.entries())
      out.push(...validateLabelSelector(selector, `aggregationRule.clusterRoleSelectors[${index}]`));
  }
  return out;
}

export function validateRoleBinding(object: JsonRecord, namespaced: boolean): FieldError[] {
  const out: FieldError[] = [];
  const reference = recordAt(object, 'roleRef') ?? {};
  const group = stringAt(reference, 'apiGroup');
  if (group !== RBAC_GROUP) out.push(unsupportedValue('roleRef.apiGroup', group, [RBAC_GROUP]));
  const kind = stringAt(reference, 'kind');
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(kind)) out.push(unsupportedValue('roleRef.kind', kind, kinds));
  const name = stringAt(reference, 'name');
  if (name === '') out.push(requiredValue('roleRef.name'));
  else out.push(...invalidMessages('roleRef.name', name, pathSegmentName(name, false)));
  for (const [index, subject] of recordsAt(object, 'subjects').entries())
    out.push(...validateSubject(subject, `subjects[${index}]`, namespaced));
  return out;
}

function validateSubject(subject: JsonRecord, field: string, namespaced: boolean): FieldError[] {
  const out: FieldError[] = [];
  const name = stringAt(subject, 'name');
  const group = stringAt(subject, 'apiGroup');
  if (name === '') out.push(requiredValue(`${field}.name`));
  switch (stringAt(subject, 'kind')) {
    case 'ServiceAccount':
      if (name !== '') out.push(...invalidMessages(`${field}.name`, name, isDns1123Subdomain(name)));
      if (group !== '') out.push(unsupportedValue(`${field}.apiGroup`, group, ['']));
      if (!namespaced && stringAt(subject, 'namespace') === '') out.push(requiredValue(`${field}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (group !== RBAC_GROUP) out.push(unsupportedValue(`${field}.apiGroup`, group, [RBAC_GROUP]));
      break;
    default:
      out.push(unsupportedValue(`${field}.kind`, stringAt(subject, 'kind'), ['ServiceAccount', 'User', 'Group']));
  }
  return out;
}

export function validateRoleBindingUpdate(object: JsonRecord, old: JsonRecord, namespaced: boolean): FieldError[] {
  const out = validateRoleBinding(object, namespaced);
  const reference = recordAt(object, 'roleRef') ?? {};
  if (!semanticEquals(reference, recordAt(old, 'roleRef') ?? {}))
    out.push(
      invalidValue(
        'roleRef',
        {
          APIGroup: stringAt(reference, 'apiGroup'),
          Kind: stringAt(reference, 'kind'),
          Name: stringAt(reference, 'name'),
        },
        'cannot change roleRef',
      ),
    );
  return out;
}

// ---- the small ones ------------------------------------------------------------------------------------------------

export function validateLease(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const seconds = spec.leaseDurationSeconds;
  if (typeof seconds === 'number' && seconds <= 0)
    out.push(invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  const transitions = spec.leaseTransitions;
  if (typeof transitions === 'number' && transitions < 0)
    out.push(invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  if (
    spec.preferredHolder !== undefined &&
    stringAt(spec, 'preferredHolder') !== '' &&
    stringAt(spec, 'strategy') === ''
  )
    out.push(forbiddenValue('spec.preferredHolder', 'may only be specified when `strategy` is defined'));
  return out;
}

export function validateStorageClass(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const provisioner = stringAt(object, 'provisioner');
  if (provisioner === '') out.push(requiredValue('provisioner', provisioner));
  else out.push(...invalidMessages('provisioner', provisioner, isQualifiedName(provisioner.toLowerCase())));
  const reclaim = object.reclaimPolicy;
  if (typeof reclaim === 'string' && reclaim !== 'Delete' && reclaim !== 'Retain')
    out.push(unsupportedValue('reclaimPolicy', reclaim, ['Delete', 'Retain']));
  const mode = object.volumeBindingMode;
  if (mode === undefined) out.push(requiredValue('volumeBindingMode'));
  else if (mode !== 'Immediate' && mode !== 'WaitForFirstConsumer')
    out.push(unsupportedValue('volumeBindingMode', mode, ['Immediate', 'WaitForFirstConsumer']));
  return out;
}

export function validateStorageClassUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out = validateStorageClass(object);
  for (const name of ['parameters', 'provisioner', 'reclaimPolicy'])
    if (!semanticEquals(object[name], old[name])) out.push(forbiddenValue(name, `updates to ${name} are forbidden.`));
  return [...out, ...immutableField(object.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode')];
}

const MAX_USER_PRIORITY = 1_000_000_000;

export function validatePriorityClass(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  const value = numberAt(object, 'value') ?? 0;
  const isSystem = name === 'system-cluster-critical' || name === 'system-node-critical';
  if (name.startsWith('system-') && !isSystem)
    out.push(
      forbiddenValue(
        'metadata.name',
        "priority class names with 'system-' prefix are reserved for system use only. error: unknown system priority class",
      ),
    );
  if (!name.startsWith('system-') && value > MAX_USER_PRIORITY)
    out.push(forbiddenValue('value', `maximum allowed value of a user defined priority is ${MAX_USER_PRIORITY}`));
  const policy = object.preemptionPolicy;
  if (typeof policy === 'string' && policy !== 'Never' && policy !== 'PreemptLowerPriority')
    out.push(unsupportedValue('preemptionPolicy', policy, ['Never', 'PreemptLowerPriority']));
  return out;
}

export function validatePriorityClassUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  if ((object.value ?? 0) !== (old.value ?? 0)) out.push(forbiddenValue('value', 'may not be changed in an update.'));
  if (object.preemptionPolicy !== old.preemptionPolicy)
    out.push(forbiddenValue('preemptionPolicy', 'may not be changed in an update.'));
  return out;
}

export function validateRuntimeClass(object: JsonRecord): FieldError[] {
  const handler = stringAt(object, 'handler');
  return invalidMessages('handler', handler, isDns1123Label(handler));
}

export function validateCsiDriver(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, mode] of stringsAt(spec, 'volumeLifecycleModes').entries()) {
    if (mode !== 'Persistent' && mode !== 'Ephemeral')
      out.push(unsupportedValue('spec.volumeLifecycleModes', mode, ['Ephemeral', 'Persistent']));
    if (seen.has(mode)) out.push(duplicateValue(`spec.volumeLifecycleModes[${index}]`, mode));
    seen.add(mode);
  }
  return out;
}

/** kube-aggregator `ValidateAPIService`: the name says version and group, `v1.` for the core group. */
export function validateApiService(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  const wanted = `${stringAt(spec, 'version')}.${stringAt(spec, 'group')}`;
  if (name !== wanted)
    out.push(invalidValue('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`));
  if (stringAt(spec, 'version') === '') out.push(requiredValue('spec.version'));
  const service = recordAt(spec, 'service');
  for (const part of ['namespace', 'name'])
    if (service !== undefined && stringAt(service, part) === '') out.push(requiredValue(`spec.service.${part}`));
  return out;
}
