/** rbac.authorization.k8s.io (`pkg/apis/rbac/validation`). */
import { type FieldError, invalidValue, requiredValue, unsupportedValue } from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import { type JsonRecord, semanticEquals } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { validateLabelSelector } from './label-selector.ts';
import { isDns1123Subdomain } from './names.ts';
import { pathSegmentName } from './object-meta.ts';

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
  const kind = stringAt(subject, 'kind');
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') out.push(...invalidMessages(`${field}.name`, name, isDns1123Subdomain(name)));
      if (group !== '') out.push(unsupportedValue(`${field}.apiGroup`, group, ['']));
      if (!namespaced && stringAt(subject, 'namespace') === '') out.push(requiredValue(`${field}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (name === '')
        out.push(invalidValue(`${field}.name`, name, `${kind === 'User' ? 'user' : 'group'} name cannot be empty`));
      if (group !== RBAC_GROUP) out.push(unsupportedValue(`${field}.apiGroup`, group, [RBAC_GROUP]));
      break;
    default:
      out.push(unsupportedValue(`${field}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
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
