import { type LabelMatcher, METRIC_NAME, quote } from '@kind-e2e/telemetry';
import { formatValue } from '../numbers.ts';
import { type BinaryExpr, type Expr, isSetOperator, type TimeModifiers, type VectorSelector } from './ast.ts';
import { formatDurationMs } from './literals.ts';

const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A longer expression is broken over lines (promql/parser/prettier.go). */
const MAX_LINE_LENGTH = 100;

function labelName(name: string): string {
  return LABEL_NAME.test(name) ? name : quote(name);
}

export function matcherText(matcher: LabelMatcher): string {
  return `${labelName(matcher.name)}${matcher.operator}${quote(matcher.value)}`;
}

/** Go's %v and %g of a float64: shortest digits, with an exponent from 1e6 up and below 1e-4. */
export function shortNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    const sign = exponent.startsWith('-') ? '-' : '+';
    return `${digits}e${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  return String(value);
}

function timeText(time: TimeModifiers): string {
  let out = '';
  if (time.atMs !== undefined) out += ` @ ${(time.atMs / 1000).toFixed(3)}`;
  else if (time.atBoundary !== undefined) out += ` @ ${time.atBoundary}()`;
  if (time.offsetText !== undefined) out += ` offset ${time.offsetText}`;
  else if (time.offsetMs > 0) out += ` offset ${formatDurationMs(time.offsetMs)}`;
  else if (time.offsetMs < 0) out += ` offset -${formatDurationMs(-time.offsetMs)}`;
  return out;
}

function selectorText(selector: VectorSelector): string {
  const matchers = selector.matchers
    .filter((m) => !(m.name === METRIC_NAME && m.operator === '=' && m.value === selector.name && m.value !== ''))
    .map(matcherText)
    .sort();
  if (matchers.length === 0) return selector.name === '' ? '{}' : selector.name;
  return `${selector.name}{${matchers.join(',')}}`;
}

function operatorText(expr: BinaryExpr): string {
  const { matching } = expr;
  let out = expr.op + (expr.bool ? ' bool' : '');
  const grouped = matching.cardinality === 'many-to-one' || matching.cardinality === 'one-to-many';
  if (matching.labels.length > 0 || matching.on || grouped) {
    out += ` ${matching.on ? 'on' : 'ignoring'} (${matching.labels.map(labelName).join(', ')})`;
    if (grouped && !isSetOperator(expr.op)) {
      out += matching.cardinality === 'many-to-one' ? ' group_left' : ' group_right';
      out += ` (${matching.include.map(labelName).join(', ')})`;
    }
  }
  return out;
}

function subquerySuffix(expr: Extract<Expr, { kind: 'subquery' }>): string {
  const step = expr.stepText ?? (expr.stepMs === 0 ? '' : formatDurationMs(expr.stepMs));
  return `[${expr.rangeText ?? formatDurationMs(expr.rangeMs)}:${step}]${timeText(expr.time)}`;
}

function aggregationHead(expr: Extract<Expr, { kind: 'aggregation' }>): string {
  const labels = expr.grouping.map(labelName).join(', ');
  if (expr.without) return `${expr.op} without (${labels}) `;
  return expr.grouping.length > 0 ? `${expr.op} by (${labels}) ` : expr.op;
}

/** The expression on one line, as Prometheus' Expr.String(). */
export function exprText(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      if (expr.duration) return formatDurationMs(expr.value * 1000);
      return formatValue(expr.value);
    case 'string':
      return quote(expr.value);
    case 'vector-selector':
      return selectorText(expr) + timeText(expr.time);
    case 'matrix-selector':
      return `${selectorText(expr.selector)}[${expr.rangeText ?? formatDurationMs(expr.rangeMs)}]${timeText(expr.selector.time)}`;
    case 'subquery':
      return exprText(expr.expr) + subquerySuffix(expr);
    case 'aggregation': {
      const param = expr.param === undefined ? '' : `${exprText(expr.param)}, `;
      return `${aggregationHead(expr)}(${param}${exprText(expr.expr)})`;
    }
    case 'binary':
      return `${exprText(expr.left)} ${operatorText(expr)} ${exprText(expr.right)}`;
    case 'call':
      return `${expr.fn.name}(${expr.args.map(exprText).join(', ')})`;
    case 'paren':
      return `(${exprText(expr.expr)})`;
    case 'unary':
      return expr.op + exprText(expr.expr);
  }
}

/** The expression over several lines where it is long, as `/api/v1/format_query` answers. */
export function formatExpr(expr: Expr): string {
  return pretty(expr, 0);
}

function indent(level: number): string {
  return '  '.repeat(level);
}

function pretty(expr: Expr, level: number): string {
  const line = exprText(expr);
  if (line.length <= MAX_LINE_LENGTH) return indent(level) + line;
  switch (expr.kind) {
    case 'aggregation': {
      const param = expr.param === undefined ? '' : `${pretty(expr.param, level + 1)},\n`;
      return `${indent(level)}${aggregationHead(expr)}(\n${param}${pretty(expr.expr, level + 1)}\n${indent(level)})`;
    }
    case 'binary':
      return `${pretty(expr.left, level + 1)}\n${indent(level)}${operatorText(expr)}\n${pretty(expr.right, level + 1)}`;
    case 'call': {
      const args = expr.args.map((arg) => pretty(arg, level + 1)).join(',\n');
      return `${indent(level)}${expr.fn.name}(\n${args}\n${indent(level)})`;
    }
    case 'paren':
      return `${indent(level)}(\n${pretty(expr.expr, level + 1)}\n${indent(level)})`;
    case 'subquery':
      return pretty(expr.expr, level) + subquerySuffix(expr);
    case 'unary':
      return indent(level) + expr.op + pretty(expr.expr, level).trimStart();
    case 'number':
    case 'string':
    case 'vector-selector':
    case 'matrix-selector':
      return indent(level) + line;
  }
}
