/** Webhooks of admission of both kinds (`pkg/apis/admissionregistration/validation`, `apiserver/pkg/util/webhook`). */
import { duplicateValue, type FieldError, invalidValue, requiredValue } from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { WEBHOOK_TYPES } from './admission-expressions.ts';
import {
  FAILURE_POLICIES,
  matchConditionProblems,
  oneOfGiven,
  ruleProblems,
  selectorProblems,
} from './admission-rules.ts';
import { isDns1035Label, isDns1123Subdomain, isValidPortNum } from './names.ts';

const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const URL_FORM = '; desired format: https://host[/path]';

export function validateWebhooks(object: JsonRecord): FieldError[] {
  const seen = new Set<string>();
  return recordsAt(object, 'webhooks').flatMap((webhook, index) => {
    const path = `webhooks[${index}]`;
    const name = stringAt(webhook, 'name');
    const out = [...webhookProblems(webhook, path), ...versionProblems(webhook, `${path}.admissionReviewVersions`)];
    if (seen.has(name)) out.push(duplicateValue(`${path}.name`, name));
    if (name !== '') seen.add(name);
    return out;
  });
}

function webhookProblems(webhook: JsonRecord, path: string): FieldError[] {
  const out = fullyQualifiedName(stringAt(webhook, 'name'), `${path}.name`);
  for (const [at, rule] of recordsAt(webhook, 'rules').entries())
    out.push(...ruleProblems(rule, `${path}.rules[${at}]`));
  out.push(
    ...oneOfGiven(webhook.failurePolicy, `${path}.failurePolicy`, FAILURE_POLICIES),
    ...oneOfGiven(webhook.matchPolicy, `${path}.matchPolicy`, ['Equivalent', 'Exact']),
  );
  const effects = webhook.sideEffects;
  if (effects === undefined)
    out.push(requiredValue(`${path}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  else out.push(...oneOfGiven(effects, `${path}.sideEffects`, SIDE_EFFECTS));
  const seconds = webhook.timeoutSeconds;
  if (typeof seconds === 'number' && (seconds < 1 || seconds > 30))
    out.push(invalidValue(`${path}.timeoutSeconds`, seconds, 'the timeout value must be between 1 and 30 seconds'));
  out.push(
    ...selectorProblems(webhook, path),
    ...oneOfGiven(webhook.reinvocationPolicy, `${path}.reinvocationPolicy`, ['IfNeeded', 'Never']),
    ...clientProblems(recordAt(webhook, 'clientConfig') ?? {}, `${path}.clientConfig`),
    ...matchConditionProblems(recordsAt(webhook, 'matchConditions'), `${path}.matchConditions`, WEBHOOK_TYPES),
  );
  return out;
}

function clientProblems(client: JsonRecord, path: string): FieldError[] {
  const service = recordAt(client, 'service');
  const { url } = client;
  if ((typeof url === 'string') === (service !== undefined))
    return [requiredValue(path, 'exactly one of url or service is required')];
  return service ? webhookService(service, `${path}.service`) : webhookUrl(String(url), `${path}.url`);
}

/** `ValidateWebhookURL` */
function webhookUrl(text: string, field: string): FieldError[] {
  const parts = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/is.exec(text);
  const [, scheme = '', authority = '', query = '', fragment = ''] = parts ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const out: FieldError[] = [];
  if (scheme.toLowerCase() !== 'https')
    out.push(invalidValue(field, scheme, `'https' is the only allowed URL scheme${URL_FORM}`));
  if (host === '') out.push(invalidValue(field, host, `host must be specified${URL_FORM}`));
  if (at >= 0) out.push(invalidValue(field, authority.slice(0, at), 'user information is not permitted in the URL'));
  if (fragment !== '') out.push(invalidValue(field, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') out.push(invalidValue(field, query, 'query parameters are not permitted in the URL'));
  return out;
}

/** `ValidateWebhookService` */
function webhookService(service: JsonRecord, field: string): FieldError[] {
  const out: FieldError[] = [];
  if (stringAt(service, 'name') === '') out.push(requiredValue(`${field}.name`, 'service name is required'));
  if (stringAt(service, 'namespace') === '')
    out.push(requiredValue(`${field}.namespace`, 'service namespace is required'));
  const port = typeof service.port === 'number' ? service.port : 443;
  const problems = isValidPortNum(port);
  if (problems.length > 0) out.push(invalidValue(`${field}.port`, port, `port is not valid: ${problems.join(',')}`));
  const path = stringAt(service, 'path');
  if (path === '' || path === '/') return out;
  if (path === '//') return [...out, invalidValue(`${field}.path`, path, 'segment[0] may not be empty')];
  if (!path.startsWith('/')) out.push(invalidValue(`${field}.path`, path, "must start with a '/'"));
  for (const [index, step] of path.slice(1).replace(/\/$/, '').split('/').entries())
    if (step === '') out.push(invalidValue(`${field}.path`, path, `segment[${index}] may not be empty`));
    else
      for (const problem of isDns1123Subdomain(step))
        out.push(invalidValue(`${field}.path`, path, `segment[${index}]: ${problem}`));
  return out;
}

/** `validateAdmissionReviewVersions` */
function versionProblems(webhook: JsonRecord, field: string): FieldError[] {
  const versions = stringsAt(webhook, 'admissionReviewVersions');
  if (versions.length === 0) return [requiredValue(field, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)];
  const out: FieldError[] = [];
  for (const [index, version] of versions.entries()) {
    if (versions.indexOf(version) < index) {
      out.push(invalidValue(`${field}[${index}]`, version, 'duplicate version'));
      continue;
    }
    for (const problem of isDns1035Label(version)) out.push(invalidValue(`${field}[${index}]`, version, problem));
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    out.push(invalidValue(field, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  return out;
}

/** `IsFullyQualifiedName`: three segments at least. */
function fullyQualifiedName(name: string, field: string): FieldError[] {
  if (name === '') return [requiredValue(field)];
  const problems = isDns1123Subdomain(name);
  if (problems.length > 0) return [invalidValue(field, name, problems.join(','))];
  return name.split('.').length < 3
    ? [invalidValue(field, name, 'should be a domain with at least three segments separated by dots')]
    : [];
}
