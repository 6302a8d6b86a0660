import { createHash } from 'node:crypto';
import { parseMetricSelector } from '@kind-e2e/promql';
import { type LabelMatcher, Labels, matchesAll, quote } from '@kind-e2e/telemetry';
import { ApiError } from '../http/api-error.ts';
import { invalidParameter } from './errors.ts';
import { parseInteger } from './parameters.ts';
import type { RuleGroupState, RuleProvider, RuleState } from './providers.ts';

/** `data` of /api/v1/rules (web/api/v1/api.go, rules). */
export function ruleGroups(parameters: URLSearchParams, rules: RuleProvider | undefined): unknown {
  const selectors = parameters.getAll('match[]').map(selectorOf);
  const type = (parameters.get('type') ?? '').toLowerCase();
  if (type !== '' && type !== 'alert' && type !== 'record')
    throw invalidParameter('type', `not supported value ${quote(type)}`);
  const withAlerts = !excludesAlerts((parameters.get('exclude_alerts') ?? '').toLowerCase());
  const { limit, token } = pageOf(parameters);
  const wanted = (name: string, value: string): boolean => {
    const all = parameters.getAll(`${name}[]`);
    return all.length === 0 || all.includes(value);
  };
  const shown = (rule: RuleState): boolean =>
    wanted('rule_name', rule.name) &&
    (type === '' || (type === 'alert') === (rule.type === 'alerting')) &&
    (selectors.length === 0 ||
      selectors.some((matchers) => matchesAll(Labels.fromObject(rule.labels ?? {}), matchers)));

  let all = rules?.groups() ?? [];
  if (token !== '') {
    const from = all.findIndex((group) => tokenOf(group) === token);
    if (from < 0)
      throw invalidParameter('group_next_token', `invalid group_next_token '${token}'. were rule groups changed?`);
    all = all.slice(from);
  }
  const groups = all
    .filter((group) => wanted('rule_group', group.name) && wanted('file', group.file))
    .map((group) => ({
      ...group,
      rules: group.rules
        .filter(shown)
        .map((rule) => (rule.type === 'alerting' && !withAlerts ? { ...rule, alerts: [] } : rule)),
    }))
    .filter((group) => group.rules.length > 0);
  const next = groups[limit];
  return { groups: groups.slice(0, limit), ...(next && { groupNextToken: tokenOf(next) }) };
}

function selectorOf(text: string): readonly LabelMatcher[] {
  const { matchers } = parseMetricSelector(text);
  if (!matchers.some((matcher) => !matcher.matches('')))
    throw new ApiError(400, 'match[] must contain at least one non-empty matcher');
  return matchers;
}

/** Go's strconv.ParseBool, of lower case. */
function excludesAlerts(text: string): boolean {
  if (['1', 't', 'true'].includes(text)) return true;
  if (['', '0', 'f', 'false'].includes(text)) return false;
  throw invalidParameter(
    'exclude_alerts',
    `error converting exclude_alerts: strconv.ParseBool: parsing ${quote(text)}: invalid syntax`,
  );
}

function pageOf(parameters: URLSearchParams): { limit: number; token: string } {
  const text = parameters.get('group_limit') ?? '';
  const token = parameters.get('group_next_token') ?? '';
  if (text === '') {
    if (token === '') return { limit: Number.POSITIVE_INFINITY, token };
    throw invalidParameter('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
  }
  const limit = parseInteger(text);
  if (limit === undefined || limit !== (limit | 0)) {
    const why = /^[+-]?\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
    const parsing = `strconv.ParseInt: parsing ${quote(text)}: ${why}`;
    throw invalidParameter('group_limit', `group_limit needs to be a valid number: ${parsing}`);
  }
  if (limit <= 0) throw invalidParameter('group_limit', 'group_limit needs to be greater than 0');
  return { limit, token };
}

function tokenOf({ file, name }: RuleGroupState): string {
  return createHash('sha1').update(`${file};${name}`).digest('hex');
}
