import type { LabelMatcher } from '@kind-e2e/telemetry';
import { quote } from '@kind-e2e/telemetry';
import { simplifyRegex } from '../pipeline/simple-regex.ts';
import type {
  BinaryExpr,
  Expr,
  ExtractionExpression,
  Grouping,
  LabelChoice,
  LabelFilter,
  LineFilter,
  LogExpr,
  RangeAggregation,
  Stage,
  Unwrap,
  VectorMatching,
} from './ast.ts';
import { formatGoFloat, formatPlainFloat } from './go-float.ts';
import { formatGoDuration } from './units.ts';

export function matcherText({ name, operator, value }: Pick<LabelMatcher, 'name' | 'operator' | 'value'>): string {
  return `${name}${operator}${quote(value)}`;
}

export function selectorText(matchers: readonly LabelMatcher[]): string {
  return `{${matchers.map(matcherText).join(', ')}}`;
}

function lineFilterText({ operator, values }: LineFilter): string {
  const texts = values.map(({ text, ip }) => (ip ? `ip(${quote(text)})` : quote(text)));
  // None of several is one filter for each.
  return `${operator} ${texts.join(operator.startsWith('!') ? ` ${operator} ` : ' or ')}`;
}

function comparisonText(operator: string): string {
  return operator === '=' ? '==' : operator;
}

/** go-humanize's Bytes without its blank: thousands, with a decimal below ten. */
export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes}B`;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = Math.floor((bytes / 1000 ** power) * 10 + 0.5) / 10;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)}${units[power]}`;
}

/** An expression that is run as such stands in backquotes (LineFilterLabelFilter.String). */
function conditionText(matcher: LabelMatcher): string {
  const { name, operator, value } = matcher;
  const isRun = operator === '=~' && simplifyRegex(value, true) === undefined;
  return isRun && !value.includes('`') ? `${name}=~\`${value}\`` : matcherText(matcher);
}

export function labelFilterText(filter: LabelFilter): string {
  switch (filter.kind) {
    case 'matcher':
      return conditionText(filter.matcher);
    case 'ip':
      return `${filter.name}${filter.operator}ip(${quote(filter.pattern)})`;
    case 'number':
      return `${filter.name}${comparisonText(filter.operator)}${formatPlainFloat(filter.value)}`;
    case 'duration':
      return `${filter.name}${comparisonText(filter.operator)}${formatGoDuration(BigInt(Math.round(filter.value * 1e9)))}`;
    case 'bytes':
      return `${filter.name}${comparisonText(filter.operator)}${humanBytes(filter.value)}`;
    case 'and':
    case 'or':
      return `( ${labelFilterText(filter.left)} ${filter.kind === 'and' ? ',' : 'or'} ${labelFilterText(filter.right)} )`;
  }
}

function extractionsText(expressions: readonly ExtractionExpression[]): string {
  return expressions.map(({ label, expression }) => `${label}=${quote(expression)}`).join(',');
}

function choicesText(choices: readonly LabelChoice[]): string {
  return choices.map(({ name, matcher }) => (matcher === undefined ? name : matcherText(matcher))).join(',');
}

/** A stage as Loki writes it in messages and in formatted queries. */
export function stageText(stage: Stage): string {
  switch (stage.kind) {
    case 'line-filter':
      return lineFilterText(stage);
    case 'label-filter':
      return `| ${labelFilterText(stage.filter)}`;
    case 'json':
      return stage.expressions.length === 0 ? '| json' : `| json ${extractionsText(stage.expressions)}`;
    case 'logfmt': {
      const flags = `${stage.strict ? ' --strict' : ''}${stage.keepEmpty ? ' --keep-empty' : ''}`;
      return `| logfmt${flags}${stage.expressions.length === 0 ? '' : ` ${extractionsText(stage.expressions)}`}`;
    }
    case 'regexp':
    case 'pattern':
      return `| ${stage.kind} ${quote(stage.expression)}`;
    case 'unpack':
    case 'decolorize':
      return `| ${stage.kind}`;
    case 'line-format':
      return `| line_format ${quote(stage.template)}`;
    case 'label-format':
      return `| label_format ${stage.formats.map(({ label, value, rename }) => `${label}=${rename ? value : quote(value)}`).join(',')}`;
    case 'drop':
    case 'keep':
      return `| ${stage.kind} ${choicesText(stage.choices)}`;
  }
}

function logText(expr: LogExpr): string {
  return [selectorText(expr.matchers), ...expr.stages.map(stageText)].join(' ');
}

function unwrapText({ label, conversion, filters }: Unwrap): string {
  const head = conversion === undefined ? `| unwrap ${label}` : `| unwrap ${conversion}(${label})`;
  return [head, ...filters.map((filter) => `| ${labelFilterText(filter)}`)].join(' ');
}

const MODEL_UNITS: readonly (readonly [unit: string, ns: bigint, exact: boolean])[] = [
  ['y', 31_536_000_000_000_000n, true],
  ['w', 604_800_000_000_000n, true],
  ['d', 86_400_000_000_000n, false],
  ['h', 3_600_000_000_000n, false],
  ['m', 60_000_000_000n, false],
  ['s', 1_000_000_000n, false],
  ['ms', 1_000_000n, false],
];

/** A range as Prometheus' model.Duration prints it. */
export function durationText(ns: bigint): string {
  if (ns === 0n) return '0s';
  let rest = ns;
  let out = '';
  for (const [unit, size, exact] of MODEL_UNITS) {
    if (exact && rest % size !== 0n) continue;
    if (rest / size > 0n) out += `${rest / size}${unit}`;
    rest %= size;
  }
  return out;
}

function offsetText(ns: bigint): string {
  return ns === 0n ? '' : ` offset ${formatGoDuration(ns)}`;
}

export function groupingText(grouping: Grouping | undefined): string {
  return grouping === undefined ? '' : ` ${grouping.without ? 'without' : 'by'} (${grouping.labels.join(',')})`;
}

function rangeText(expr: RangeAggregation): string {
  const param = expr.param === undefined ? '' : `${formatPlainFloat(expr.param)},`;
  const unwrap = expr.unwrap === undefined ? '' : ` ${unwrapText(expr.unwrap)}`;
  const range = `${logText(expr.log)}${unwrap}[${durationText(expr.rangeNs)}]${offsetText(expr.offsetNs)}`;
  return `${expr.operation}(${param}${range})${groupingText(expr.grouping)}`;
}

/** Where there is no `group_left` a blank stands in its place. */
function operatorText({ operator, bool, matching }: BinaryExpr): string {
  const out = operator + (bool ? ' bool' : '');
  if (!matching.on && matching.labels.length === 0) return out;
  const include = matching.include.length === 0 ? '' : ` (${matching.include.join(',')})`;
  return `${out} ${matching.on ? 'on' : 'ignoring'} (${matching.labels.join(',')}) ${cardinalityText(matching)}${include}`;
}

export function cardinalityText({ cardinality }: VectorMatching): string {
  return cardinality === 'one-to-one' ? '' : cardinality === 'many-to-one' ? 'group_left' : 'group_right';
}

/** The query on one line. */
export function exprText(expr: Expr): string {
  switch (expr.kind) {
    case 'log':
      return logText(expr);
    case 'range-aggregation':
      return rangeText(expr);
    case 'vector-aggregation': {
      const { grouping } = expr;
      const param = expr.param === undefined ? '' : `${expr.param},`;
      const isPlain = grouping !== undefined && !grouping.without && grouping.labels.length === 0;
      return `${expr.operation}${isPlain ? '' : groupingText(grouping)}(${param}${exprText(expr.expr)})`;
    }
    case 'binary':
      return `(${exprText(expr.left)} ${operatorText(expr)} ${exprText(expr.right)})`;
    case 'literal':
      return formatGoFloat(expr.value);
    case 'vector':
      return `vector(${Number.isFinite(expr.value) ? expr.value.toFixed(6) : formatGoFloat(expr.value)})`;
    case 'label-replace': {
      const strings = [expr.destination, expr.replacement, expr.source, expr.expression].map(quote).join(',');
      return `label_replace(${exprText(expr.expr)},${strings})`;
    }
  }
}
