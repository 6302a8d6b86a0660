import { type ParseOptions, parseExpr } from '@kind-e2e/promql';
import { parse } from 'yaml';
import { ConfigReader, configError } from '../scrape/config-reader.ts';

export interface RuleFile {
  readonly name: string;
  readonly yaml: string;
}

interface RuleBase {
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface RecordingRule extends RuleBase {
  readonly kind: 'recording';
  readonly record: string;
}

export interface AlertingRule extends RuleBase {
  readonly kind: 'alerting';
  readonly alert: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly file: string;
  readonly intervalMs: number;
  readonly limit: number;
  readonly queryOffsetMs: number;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Reads a Prometheus rule file (prometheus.io, "Recording rules"); a LabError names the first field that is wrong. */
export function parseRuleFile(file: RuleFile, defaultIntervalMs: number, features: ParseOptions = {}): RuleGroup[] {
  let value: unknown;
  try {
    value = parse(file.yaml, { maxAliasCount: 100 });
  } catch (error) {
    throw configError(file.name, error instanceof Error ? error.message : String(error));
  }
  const reader = new ConfigReader(value, file.name);
  const names = new Set<string>();
  const groups = reader.many('groups', (group): RuleGroup => {
    const name = group.string('name') ?? '';
    if (name === '') throw configError(`${group.path}.name`, 'Groupname must not be empty');
    if (names.has(name))
      throw configError(`${group.path}.name`, `groupname: ${JSON.stringify(name)} is repeated in the same file`);
    names.add(name);
    const shared = group.labels('labels');
    return {
      name,
      file: file.name,
      intervalMs: group.duration('interval') || defaultIntervalMs,
      limit: group.count('limit') ?? 0,
      queryOffsetMs: group.duration('query_offset') ?? 0,
      rules: group.many('rules', (rule) => readRule(rule, shared, features)),
    };
  });
  reader.done();
  return groups;
}

function readRule(
  rule: ConfigReader,
  shared: Readonly<Record<string, string>>,
  features: ParseOptions,
): RecordingRule | AlertingRule {
  const record = rule.string('record');
  const alert = rule.string('alert');
  const expr = rule.string('expr') ?? '';
  if (record !== undefined && alert !== undefined)
    throw configError(rule.path, "only one of 'record' and 'alert' must be set");
  if (expr === '') throw configError(`${rule.path}.expr`, "field 'expr' must be set in rule");
  try {
    parseExpr(expr, features);
  } catch (error) {
    throw configError(
      `${rule.path}.expr`,
      `could not parse expression: ${error instanceof Error ? error.message : error}`,
    );
  }
  const labels = { ...shared, ...rule.labels('labels') };
  if (record !== undefined) {
    if (!METRIC_NAME.test(record)) throw configError(`${rule.path}.record`, `invalid recording rule name: ${record}`);
    return { kind: 'recording', record, expr, labels };
  }
  if (alert === undefined) throw configError(rule.path, "one of 'record' or 'alert' must be set");
  return {
    kind: 'alerting',
    alert,
    expr,
    labels,
    forMs: rule.duration('for') ?? 0,
    keepFiringForMs: rule.duration('keep_firing_for') ?? 0,
    annotations: rule.labels('annotations'),
  };
}
