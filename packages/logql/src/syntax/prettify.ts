import { quote } from '@kind-e2e/telemetry';
import type { BinaryExpr, Expr, Grouping, LineFilter, LogExpr, RangeAggregation, Stage, Unwrap } from './ast.ts';
import { cardinalityText, durationText, exprText, labelFilterText, selectorText, stageText } from './format.ts';
import { formatGoFloat } from './go-float.ts';

/** What is longer is broken over lines. */
const MAX_LINE_BYTES = 100;
const encoder = new TextEncoder();

function isLong(text: string): boolean {
  return encoder.encode(text).length > MAX_LINE_BYTES;
}

function indent(level: number): string {
  return '  '.repeat(level);
}

/** The query over several lines where it is long, as `/loki/api/v1/format_query` answers (pkg/logql/syntax/prettier.go). */
export function formatQuery(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  const at = indent(level);
  const line = exprText(expr);
  if (!isLong(line)) return at + line;
  switch (expr.kind) {
    case 'log':
      return prettyLog(expr, level);
    case 'range-aggregation': {
      const param = expr.param === undefined ? '' : `${indent(level + 1)}${formatGoFloat(expr.param)},\n`;
      return `${at}${expr.operation}(\n${param}${prettyRange(expr, level + 1)}\n${at})${prettyGrouping(expr.grouping)}`;
    }
    case 'vector-aggregation': {
      const param = expr.param === undefined ? '' : `${indent(level + 1)}${expr.param},\n`;
      return `${at}${expr.operation}${prettyGrouping(expr.grouping)}(\n${param}${pretty(expr.expr, level + 1)}\n${at})`;
    }
    case 'binary':
      return `${pretty(expr.left, level + 1)}\n${at}${prettyOperator(expr)}\n${pretty(expr.right, level + 1)}`;
    case 'label-replace': {
      const strings = [expr.destination, expr.replacement, expr.source, expr.expression]
        .map((text) => `${indent(level + 1)}${quote(text)}`)
        .join(',\n');
      return `${at}label_replace(\n${pretty(expr.expr, level + 1)},\n${strings}\n${at})`;
    }
    case 'literal':
    case 'vector':
      return at + line;
  }
}

function prettyLog(expr: LogExpr, level: number): string {
  const line = exprText(expr);
  if (!isLong(line)) return indent(level) + line;
  const selector = indent(level) + selectorText(expr.matchers);
  return [selector, ...stageGroups(expr.stages).map((group) => prettyStages(group, level + 1))].join('\n');
}

/** Line filters that follow one another are one stage. */
function stageGroups(stages: readonly Stage[]): Stage[][] {
  const groups: Stage[][] = [];
  for (const stage of stages) {
    const last = groups.at(-1);
    if (stage.kind === 'line-filter' && last?.[0]?.kind === 'line-filter') last.push(stage);
    else groups.push([stage]);
  }
  return groups;
}

function prettyStages(group: readonly Stage[], level: number): string {
  const text = group.map(stageText).join(' ');
  if (group[0]?.kind === 'decolorize') return text;
  if (!isLong(text) || group[0]?.kind !== 'line-filter') return indent(level) + text;
  return group
    .flatMap((stage) => (stage.kind === 'line-filter' ? singleFilters(stage) : []))
    .map((filter) => indent(level) + stageText(filter))
    .join('\n');
}

/** Of alternatives Loki keeps the first, where it breaks filters over lines. */
function singleFilters(filter: LineFilter): LineFilter[] {
  const each = filter.values.map((value) => ({ ...filter, values: [value] }));
  return filter.operator.startsWith('!') ? each : each.slice(0, 1);
}

function prettyRange(expr: RangeAggregation, level: number): string {
  const unwrap = expr.unwrap === undefined ? '' : `\n${prettyUnwrap(expr.unwrap, level + 1)}`;
  const offset = expr.offsetNs === 0n ? '' : ` offset ${durationText(expr.offsetNs)}`;
  return `${prettyLog(expr.log, level)}${unwrap} [${durationText(expr.rangeNs)}]${offset}`;
}

function prettyUnwrap({ label, conversion, filters }: Unwrap, level: number): string {
  const head = conversion === undefined ? `| unwrap ${label}` : `| unwrap ${conversion}(${label})`;
  return [head, ...filters.map((filter) => `| ${labelFilterText(filter)}`)]
    .map((line) => indent(level) + line)
    .join('\n');
}

function prettyGrouping(grouping: Grouping | undefined): string {
  if (grouping === undefined) return '';
  const word = grouping.without ? ' without' : grouping.labels.length > 0 ? ' by' : '';
  return word + (grouping.labels.length > 0 ? ` (${grouping.labels.join(', ')})` : '');
}

function prettyOperator({ operator, bool, matching }: BinaryExpr): string {
  const out = operator + (bool ? ' bool' : '');
  if (matching.labels.length === 0) return out;
  const include = matching.include.length === 0 ? '' : ` (${matching.include.join(', ')})`;
  return `${out} ${matching.on ? 'on' : 'ignoring'} (${matching.labels.join(', ')}) ${cardinalityText(matching)}${include}`;
}
