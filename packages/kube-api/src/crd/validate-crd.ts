/** CustomResourceDefinitions themselves (`pkg/apis/apiextensions/validation`, `apiserver/schema/validation.go`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  NIL_COLLECTION,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { immutableField } from '../validation/field-rules.ts';
import { isDns1035Label, isDns1123Subdomain } from '../validation/names.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { goVersion } from './go-crd.ts';
import { type CrdPart, schemaOf, sharedParts } from './shared-parts.ts';
import { validateColumns, validateSelectableFields, validateSubresources } from './validate-parts.ts';
import { validateCrdSchema } from './validate-schema.ts';

const APPROVAL = 'api-approved.kubernetes.io';

export function validateCrd(object: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const names = recordAt(spec, 'names') ?? {};
  const out: FieldError[] = [];
  const group = stringAt(spec, 'group');
  const plural = stringAt(names, 'plural');
  const name = stringAt(recordAt(object, 'metadata'), 'name');
  if (name !== `${plural}.${group}`)
    out.push(invalidValue('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  if (group === '') out.push(requiredValue('spec.group'));
  else {
    const problems = isDns1123Subdomain(group);
    if (problems.length > 0) out.push(invalidValue('spec.group', group, problems.join(',')));
    else if (!group.includes('.'))
      out.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'));
  }
  const scope = stringAt(spec, 'scope');
  if (scope === '') out.push(requiredValue('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    out.push(unsupportedValue('spec.scope', scope, ['Cluster', 'Namespaced']));
  if (spec.preserveUnknownFields === true)
    out.push(
      invalidValue(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  out.push(...validateNames(names, 'spec.names'), ...validateVersions(spec), ...validateApproval(object, group));
  out.push(...validateConversion(recordAt(spec, 'conversion') ?? {}, 'spec.conversion'));
  return out;
}

function label(value: string, field: string, mixedCase: boolean): FieldError[] {
  if (value === '') return [requiredValue(field)];
  const problems = isDns1035Label(mixedCase ? value.toLowerCase() : value);
  if (problems.length === 0) return [];
  const text = problems.join(',');
  return [invalidValue(field, value, mixedCase ? `may have mixed case, but should otherwise match: ${text}` : text)];
}

function validateNames(names: JsonRecord, field: string): FieldError[] {
  const out = [
    ...label(stringAt(names, 'plural'), `${field}.plural`, false),
    ...label(stringAt(names, 'singular'), `${field}.singular`, false),
    ...label(stringAt(names, 'kind'), `${field}.kind`, true),
    ...label(stringAt(names, 'listKind'), `${field}.listKind`, true),
  ];
  for (const part of ['shortNames', 'categories'])
    for (const [index, value] of stringsAt(names, part).entries())
      out.push(...label(value, `${field}.${part}[${index}]`, false));
  const kind = stringAt(names, 'kind');
  if (kind !== '' && kind === stringAt(names, 'listKind'))
    out.push(invalidValue(`${field}.listKind`, kind, 'kind and listKind may not be the same'));
  return out;
}

function validateVersions(spec: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const versions = recordsAt(spec, 'versions');
  const shared = sharedParts(versions);
  const seen = new Set<string>();
  let storage = 0;
  let isUnique = true;
  const hasStatus = (version: JsonRecord): boolean =>
    recordAt(recordAt(version, 'subresources'), 'status') !== undefined;
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const name = stringAt(version, 'name');
    if (version.storage === true) storage += 1;
    if (seen.has(name)) isUnique = false;
    seen.add(name);
    const problems = isDns1035Label(name);
    if (problems.length > 0) out.push(invalidValue(`${path}.name`, name, problems.join(',')));
    out.push(...validateDeprecation(version, path));
    if (schemaOf(version) === undefined) out.push(requiredValue(`${path}.schema.openAPIV3Schema`));
    out.push(...validateParts(version, path, (part) => !shared.has(part), hasStatus(version)));
  }
  // What all versions have alike stands above them inside, and errors name it there.
  const [first] = versions;
  if (first !== undefined)
    out.push(...validateParts(first, 'spec', (part) => shared.has(part), versions.some(hasStatus)));
  const shown = (): unknown => (versions.length === 0 ? NIL_COLLECTION : versions.map((one) => goVersion(one, shared)));
  if (!isUnique) out.push(invalidValue('spec.versions', shown(), 'must contain unique version names'));
  if (storage !== 1)
    out.push(invalidValue('spec.versions', shown(), 'must have exactly one version marked as storage version'));
  if (storage === 0)
    out.push(invalidValue('status.storedVersions', NIL_COLLECTION, 'must have at least one stored version'));
  return out;
}

/** The parts of one place that are there: of a version, or of all of them. */
function validateParts(
  version: JsonRecord,
  path: string,
  isHere: (part: CrdPart) => boolean,
  hasStatus: boolean,
): FieldError[] {
  const out: FieldError[] = [];
  const schema = schemaOf(version);
  const place = path === 'spec' ? `${path}.validation` : `${path}.schema`;
  if (schema !== undefined && isHere('schema'))
    out.push(...validateCrdSchema(schema as JsonSchemaProps, `${place}.openAPIV3Schema`, hasStatus));
  if (isHere('subresources'))
    out.push(...validateSubresources(recordAt(version, 'subresources'), `${path}.subresources`));
  if (isHere('additionalPrinterColumns'))
    out.push(...validateColumns(recordsAt(version, 'additionalPrinterColumns'), `${path}.additionalPrinterColumns`));
  if (isHere('selectableFields') && schema !== undefined)
    out.push(
      ...validateSelectableFields(
        recordsAt(version, 'selectableFields'),
        schema as JsonSchemaProps,
        `${path}.selectableFields`,
      ),
    );
  return out;
}

function validateDeprecation(version: JsonRecord, path: string): FieldError[] {
  const warning = version.deprecationWarning;
  if (typeof warning !== 'string') return [];
  const field = `${path}.deprecationWarning`;
  if (version.deprecated !== true) return [invalidValue(field, warning, 'can only be set for deprecated versions')];
  const out: FieldError[] = [];
  if (warning.length > 256) out.push(invalidValue(field, warning, 'must be <= 256 characters long'));
  if (warning === '') out.push(invalidValue(field, warning, 'must not be an empty string'));
  const control = [...warning].findIndex((char) => char < ' ' || (char >= '\x7f' && char < '\xa0'));
  if (control >= 0)
    out.push(
      invalidValue(
        field,
        warning,
        `must only contain printable UTF-8 characters; non-printable character found at index ${control}`,
      ),
    );
  return out;
}

/** Groups of the Kubernetes community need a word that they were approved (`apihelpers.GetAPIApprovalState`). */
function validateApproval(object: JsonRecord, group: string): FieldError[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return [];
  const annotations = recordAt(recordAt(object, 'metadata'), 'annotations');
  const approval = annotations?.[APPROVAL];
  const field = `metadata.annotations[${APPROVAL}]`;
  const link = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (typeof approval !== 'string' || approval === '')
    return [requiredValue(field, `protected groups must have approval annotation "${APPROVAL}", ${link}`)];
  if (approval.startsWith('unapproved') || /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(approval)) return [];
  return [
    invalidValue(
      field,
      approval,
      `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", ${link}`,
    ),
  ];
}

function validateConversion(conversion: JsonRecord, field: string): FieldError[] {
  const strategy = stringAt(conversion, 'strategy');
  const webhook = recordAt(conversion, 'webhook');
  const client = recordAt(webhook, 'clientConfig');
  const versions = stringsAt(webhook, 'conversionReviewVersions');
  if (strategy === '') return [requiredValue(`${field}.strategy`)];
  const out: FieldError[] = [];
  if (strategy !== 'None' && strategy !== 'Webhook')
    out.push(unsupportedValue(`${field}.strategy`, strategy, ['None', 'Webhook']));
  if (strategy !== 'Webhook') {
    const words = 'should not be set when strategy is not set to Webhook';
    if (client !== undefined) out.push(forbiddenValue(`${field}.webhookClientConfig`, words));
    if (versions.length > 0) out.push(forbiddenValue(`${field}.conversionReviewVersions`, words));
    return out;
  }
  if (client === undefined)
    out.push(requiredValue(`${field}.webhookClientConfig`, 'required when strategy is set to Webhook'));
  else if ((typeof client.url === 'string') === (recordAt(client, 'service') !== undefined))
    out.push(requiredValue(`${field}.webhookClientConfig`, 'exactly one of url or service is required'));
  return [...out, ...reviewVersions(versions, `${field}.conversionReviewVersions`)];
}

function reviewVersions(versions: readonly string[], field: string): FieldError[] {
  if (versions.length === 0) return [requiredValue(field)];
  const out: FieldError[] = [];
  for (const [index, version] of versions.entries()) {
    if (versions.indexOf(version) < index) out.push(invalidValue(`${field}[${index}]`, version, 'duplicate version'));
    else for (const text of isDns1035Label(version)) out.push(invalidValue(`${field}[${index}]`, version, text));
  }
  if (!versions.includes('v1') && !versions.includes('v1beta1'))
    out.push(invalidValue(field, versions, 'must include at least one of v1, v1beta1'));
  return out;
}

export function validateCrdUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const spec = recordAt(object, 'spec') ?? {};
  const before = recordAt(old, 'spec') ?? {};
  const out = validateCrd(object);
  const isEstablished = recordsAt(recordAt(old, 'status'), 'conditions').some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  );
  if (isEstablished) {
    out.push(...immutableField(spec.scope, before.scope, 'spec.scope'));
    out.push(...immutableField(recordAt(spec, 'names')?.kind, recordAt(before, 'names')?.kind, 'spec.names.kind'));
  }
  out.push(...immutableField(spec.group, before.group, 'spec.group'));
  out.push(...immutableField(recordAt(spec, 'names')?.plural, recordAt(before, 'names')?.plural, 'spec.names.plural'));
  const versions = new Set(recordsAt(spec, 'versions').map((version) => stringAt(version, 'name')));
  for (const [index, stored] of stringsAt(recordAt(old, 'status'), 'storedVersions').entries())
    if (!versions.has(stored))
      out.push(
        invalidValue(
          `status.storedVersions[${index}]`,
          stored,
          `missing from spec.versions; ${stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${stored} and removes ${stored} from status.storedVersions`,
        ),
      );
  return out;
}
