/** flowcontrol.apiserver.k8s.io (`pkg/apis/flowcontrol/validation`). */
import {
  duplicateValue,
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { numberAt, recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { isDns1123Label, isDns1123Subdomain } from './names.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const MAX_PRECEDENCE = 10_000;
const MAX_QUEUES = 10_000_000;
const MAX_HASH_BITS = 60;
const EXEMPT = 'exempt';

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};
const nameOf = (object: JsonRecord): string => stringAt(recordAt(object, 'metadata'), 'name');

export function validateFlowSchema(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const precedence = numberAt(spec, 'matchingPrecedence') ?? 0;
  const field = 'spec.matchingPrecedence';
  if (precedence <= 0) out.push(invalidValue(field, precedence, 'must be a positive value'));
  if (precedence > MAX_PRECEDENCE)
    out.push(invalidValue(field, precedence, `must not be greater than ${MAX_PRECEDENCE}`));
  if (precedence === 1 && nameOf(object) !== EXEMPT)
    out.push(invalidValue(field, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  const method = recordAt(spec, 'distinguisherMethod');
  const type = stringAt(method, 'type');
  if (method !== undefined && type !== 'ByNamespace' && type !== 'ByUser')
    out.push(unsupportedValue('spec.distinguisherMethod.type', { Type: type }, ['ByNamespace', 'ByUser']));
  const level = stringAt(recordAt(spec, 'priorityLevelConfiguration'), 'name');
  if (level === '') out.push(requiredValue('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
  else out.push(...invalidMessages('spec.priorityLevelConfiguration.name', level, isDns1123Subdomain(level)));
  for (const [index, rule] of recordsAt(spec, 'rules').entries())
    out.push(...policyRules(rule, `spec.rules[${index}]`));
  return [...out, ...validateConditionTypes(object)];
}

/** Of a FlowSchema or a PriorityLevelConfiguration. */
export function validateConditionTypes(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const types = new Set<string>();
  for (const [index, condition] of recordsAt(recordAt(object, 'status'), 'conditions').entries()) {
    const type = stringAt(condition, 'type');
    const field = `status.conditions[${index}].type`;
    if (types.has(type)) out.push(duplicateValue(field, type));
    types.add(type);
    if (type === '') out.push(requiredValue(field, 'must not be empty'));
  }
  return out;
}

function policyRules(rule: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const subjects = recordsAt(rule, 'subjects');
  if (subjects.length === 0) out.push(requiredValue(`${field}.subjects`, 'subjects must contain at least one value'));
  for (const [index, subject] of subjects.entries())
    out.push(...validateSubject(subject, `${field}.subjects[${index}]`));
  const resources = recordsAt(rule, 'resourceRules');
  const paths = recordsAt(rule, 'nonResourceRules');
  if (resources.length === 0 && paths.length === 0)
    out.push(requiredValue(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  for (const [index, entry] of resources.entries())
    out.push(...resourceRule(entry, `${field}.resourceRules[${index}]`));
  for (const [index, entry] of paths.entries()) out.push(...pathRule(entry, `${field}.nonResourceRules[${index}]`));
  return out;
}

const SUBJECTS: Readonly<Record<string, string>> = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' };

function validateSubject(subject: JsonRecord, field: string): FieldError[] {
  const kind = stringAt(subject, 'kind');
  const own = SUBJECTS[kind];
  if (own === undefined) return [unsupportedValue(`${field}.kind`, kind, ['Group', 'ServiceAccount', 'User'])];
  const out: FieldError[] = [];
  const part = recordAt(subject, own);
  const path = `${field}.${own}`;
  if (part === undefined) out.push(requiredValue(path, `${own} is required when subject kind is '${kind}'`));
  else {
    const name = stringAt(part, 'name');
    if (name === '') out.push(requiredValue(`${path}.name`));
    if (kind === 'ServiceAccount') {
      if (name !== '' && name !== '*') out.push(...invalidMessages(`${path}.name`, name, isDns1123Subdomain(name)));
      const namespace = stringAt(part, 'namespace');
      if (namespace === '') out.push(requiredValue(`${path}.namespace`, 'must specify namespace for service account'));
      else out.push(...invalidMessages(`${path}.namespace`, namespace, isDns1123Label(namespace)));
    }
  }
  for (const [other, name] of [
    ['ServiceAccount', 'serviceAccount'],
    ['User', 'user'],
    ['Group', 'group'],
  ] as const)
    if (other !== kind && recordAt(subject, name) !== undefined)
      out.push(forbiddenValue(`${field}.${name}`, `${name} is forbidden when subject kind is not '${other}'`));
  return out;
}

function ruleVerbs(rule: JsonRecord, field: string): FieldError[] {
  const verbs = stringsAt(rule, 'verbs');
  if (verbs.length === 0) return [requiredValue(`${field}.verbs`, 'verbs must contain at least one value')];
  if (verbs.includes('*')) return alone(verbs, `${field}.verbs`, 'verbs');
  return verbs.every((verb) => VERBS.includes(verb)) ? [] : [unsupportedValue(`${field}.verbs`, verbs, VERBS)];
}

/** `*` stands for all and needs no others. */
function alone(values: readonly string[], field: string, what: string): FieldError[] {
  return values.length > 1 && values.includes('*')
    ? [invalidValue(field, values, `if '*' is present, must not specify other ${what}`)]
    : [];
}

function resourceRule(rule: JsonRecord, field: string): FieldError[] {
  const out = ruleVerbs(rule, field);
  const groups = stringsAt(rule, 'apiGroups');
  if (groups.length === 0)
    out.push(requiredValue(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  out.push(...alone(groups, `${field}.apiGroups`, 'api groups'));
  const resources = stringsAt(rule, 'resources');
  if (resources.length === 0)
    out.push(requiredValue(`${field}.resources`, 'resource rules must supply at least one resource'));
  out.push(...alone(resources, `${field}.resources`, 'resources'));
  const namespaces = stringsAt(rule, 'namespaces');
  if (namespaces.length === 0 && rule.clusterScope !== true)
    out.push(
      requiredValue(
        `${field}.namespaces`,
        'resource rules that are not cluster scoped must supply at least one namespace',
      ),
    );
  else if (namespaces.includes('*')) out.push(...alone(namespaces, `${field}.namespaces`, 'namespaces'));
  else
    for (const [index, namespace] of namespaces.entries())
      out.push(
        ...invalidMessages(
          `${field}.namespaces[${index}]`,
          namespace,
          isDns1123Label(namespace).map(
            (problem) => `each member of this list must be '*' or a DNS-1123 label; ${problem}`,
          ),
        ),
      );
  return out;
}

function pathRule(rule: JsonRecord, field: string): FieldError[] {
  const out = ruleVerbs(rule, field);
  const urls = stringsAt(rule, 'nonResourceURLs');
  const path = `${field}.nonResourceURLs`;
  if (urls.length === 0) out.push(requiredValue(path, 'nonResourceURLs must contain at least one value'));
  else if (urls.includes('*')) out.push(...alone(urls, path, 'non-resource URLs'));
  else
    for (const [index, url] of urls.entries()) {
      const problem = pathProblem(url);
      if (problem !== undefined) out.push(invalidValue(`${path}[${index}]`, url, problem));
    }
  return out;
}

/** `ValidateNonResourceURLPath` */
function pathProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const stars = url.split('*').length - 1;
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}

export function validatePriorityLevel(object: JsonRecord): FieldError[] {
  const spec = specOf(object);
  const out: FieldError[] = [];
  const type = stringAt(spec, 'type');
  if ((nameOf(object) === EXEMPT) !== (type === 'Exempt'))
    out.push(invalidValue('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"));
  const limited = recordAt(spec, 'limited');
  const exempt = recordAt(spec, 'exempt');
  if (type === 'Exempt') {
    if (limited !== undefined) out.push(forbiddenValue('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt !== undefined) out.push(...shares(exempt, 'spec.exempt'));
  } else if (type === 'Limited') {
    if (exempt !== undefined) out.push(forbiddenValue('spec.exempt', 'must be nil if the type is Limited'));
    if (limited === undefined) out.push(requiredValue('spec.limited', 'must not be empty when type is Limited'));
    else out.push(...limits(limited));
  } else out.push(unsupportedValue('spec.type', type, ['Exempt', 'Limited']));
  return [...out, ...validateConditionTypes(object)];
}

function shares(part: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const nominal = numberAt(part, 'nominalConcurrencyShares') ?? 0;
  if (nominal < 0)
    out.push(invalidValue(`${field}.nominalConcurrencyShares`, nominal, 'must be a non-negative integer'));
  return [...out, ...lendable(part, field)];
}

function lendable(part: JsonRecord, field: string): FieldError[] {
  const percent = numberAt(part, 'lendablePercent') ?? 0;
  return percent < 0 || percent > 100
    ? [invalidValue(`${field}.lendablePercent`, percent, 'must be between 0 and 100, inclusive')]
    : [];
}

function limits(limited: JsonRecord): FieldError[] {
  const field = 'spec.limited';
  const nominal = numberAt(limited, 'nominalConcurrencyShares') ?? 0;
  const out: FieldError[] = [];
  if (nominal < 0)
    out.push(invalidValue(`${field}.nominalConcurrencyShares`, nominal, 'must be a non-negative integer'));
  out.push(...limitResponse(recordAt(limited, 'limitResponse') ?? {}, `${field}.limitResponse`));
  out.push(...lendable(limited, field));
  const borrowing = numberAt(limited, 'borrowingLimitPercent') ?? 0;
  if (borrowing < 0)
    out.push(invalidValue(`${field}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer'));
  return out;
}

function limitResponse(response: JsonRecord, field: string): FieldError[] {
  const type = stringAt(response, 'type');
  const queuing = recordAt(response, 'queuing');
  if (type === 'Reject')
    return queuing === undefined
      ? []
      : [forbiddenValue(`${field}.queuing`, 'must be nil if limited.limitResponse.type is not Limited')];
  if (type !== 'Queue') return [unsupportedValue(`${field}.type`, type, ['Queue', 'Reject'])];
  if (queuing === undefined)
    return [requiredValue(`${field}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')];
  return validateQueuing(queuing, `${field}.queuing`);
}

function validateQueuing(queuing: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  const length = numberAt(queuing, 'queueLengthLimit') ?? 0;
  const queues = numberAt(queuing, 'queues') ?? 0;
  const hand = numberAt(queuing, 'handSize') ?? 0;
  if (length <= 0) out.push(invalidValue(`${field}.queueLengthLimit`, length, 'must be positive'));
  if (queues <= 0) out.push(invalidValue(`${field}.queues`, queues, 'must be positive'));
  else if (queues > MAX_QUEUES)
    out.push(invalidValue(`${field}.queues`, queues, `must not be greater than ${MAX_QUEUES}`));
  if (hand <= 0) out.push(invalidValue(`${field}.handSize`, hand, 'must be positive'));
  else if (hand > queues)
    out.push(invalidValue(`${field}.handSize`, hand, `should not be greater than queues (${queues})`));
  else if (Math.ceil(Math.log2(queues) * hand) > MAX_HASH_BITS)
    out.push(
      invalidValue(
        `${field}.handSize`,
        hand,
        `required entropy bits of deckSize ${queues} and handSize ${hand} should not be greater than ${MAX_HASH_BITS}`,
      ),
    );
  return out;
}
