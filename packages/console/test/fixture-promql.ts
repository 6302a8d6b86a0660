import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { FIXTURE_SERIES, type FixtureSeries } from './fixture-metrics.ts';

/**
 * Just enough PromQL for the fixture: selectors, rate and increase as the series' own rate, aggregations,
 * histogram_quantile, arithmetic and comparison. It is not an engine: answers are plausible, not exact.
 */
export interface Point {
  labels: Record<string, string>;
  value: number;
}

interface Selected {
  series: FixtureSeries[];
  seconds: number;
}

const childrenOf = (node: SyntaxNode): SyntaxNode[] => {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) found.push(child);
  return found;
};
const withoutName = ({ __name__: _name, ...rest }: Record<string, string>): Record<string, string> => rest;
const keyOf = (labels: Record<string, string>): string =>
  Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`)
    .join(',');

export class FixtureQueryError extends Error {}

const AGGREGATES: Record<string, (values: number[]) => number> = {
  sum: (values) => values.reduce((a, b) => a + b, 0),
  avg: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  count: (values) => values.length,
  group: () => 1,
  stddev: () => 0.1,
  quantile: (values) => Math.max(...values),
};

const OPERATORS: Record<string, (a: number, b: number) => number | undefined> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': (a, b) => a ** b,
  '>': (a, b) => (a > b ? a : undefined),
  '<': (a, b) => (a < b ? a : undefined),
  '>=': (a, b) => (a >= b ? a : undefined),
  '<=': (a, b) => (a <= b ? a : undefined),
  '==': (a, b) => (a === b ? a : undefined),
  '!=': (a, b) => (a !== b ? a : undefined),
};

export function parseQuery(query: string): (second: number) => Point[] | number {
  const tree = parser.parse(query);
  let broken: number | undefined;
  tree.iterate({
    enter(node) {
      if (node.type.isError && broken === undefined) broken = node.from;
    },
  });
  if (broken !== undefined || query.trim() === '')
    throw new FixtureQueryError(
      `invalid parameter "query": 1:${(broken ?? 0) + 1}: parse error: unexpected ${query.slice(broken ?? 0, (broken ?? 0) + 8) || 'end of input'}`,
    );
  const top = tree.topNode.firstChild;
  if (!top) throw new FixtureQueryError('invalid parameter "query": empty');
  return (second) => evaluate(top, query, second);
}

function select(node: SyntaxNode, query: string): FixtureSeries[] {
  const text = query.slice(node.from, node.to);
  const name = /^[a-zA-Z_:][\w:]*/.exec(text)?.[0];
  const matchers = [...text.matchAll(/([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)].map(
    ([, label, op, raw]) => ({
      label: label ?? '',
      op: op ?? '=',
      value: JSON.parse(`"${raw}"`) as string,
    }),
  );
  return FIXTURE_SERIES.filter(
    (series) =>
      (name === undefined || series.labels.__name__ === name) &&
      matchers.every(({ label, op, value }) => {
        const own = series.labels[label] ?? '';
        if (op === '=') return own === value;
        if (op === '!=') return own !== value;
        return new RegExp(`^(?:${value})$`).test(own) === (op === '=~');
      }),
  );
}

function selection(node: SyntaxNode, query: string): Selected | undefined {
  const matrix = node.name === 'MatrixSelector' ? node : node.getChild('MatrixSelector');
  const target = matrix ?? node;
  const vector = target.getChild('VectorSelector');
  if (!vector) return undefined;
  const duration = /\[(\d+)([smhd])/.exec(query.slice(target.from, target.to));
  const factor = { s: 1, m: 60, h: 3600, d: 86_400 }[duration?.[2] ?? 'm'] ?? 60;
  return { series: select(vector, query), seconds: Number(duration?.[1] ?? 5) * factor };
}

function evaluate(node: SyntaxNode, query: string, second: number): Point[] | number {
  const text = query.slice(node.from, node.to);
  switch (node.name) {
    case 'NumberDurationLiteral':
    case 'NumberLiteral':
      return Number(text);
    case 'ParenExpr':
    case 'StepInvariantExpr':
    case 'OffsetExpr': {
      const inner = childrenOf(node).find((child) => /Expr$|Selector$|Call$|Literal$/.test(child.name));
      return inner ? evaluate(inner, query, second) : [];
    }
    case 'UnaryExpr': {
      const inner = node.lastChild ? evaluate(node.lastChild, query, second) : 0;
      return typeof inner === 'number' ? -inner : inner.map((point) => ({ ...point, value: -point.value }));
    }
    case 'VectorSelector':
      return select(node, query).map((series) => ({
        labels: series.labels,
        value: series.counter ? Math.round(series.at(second) * (100_000 + (second % 86_400))) : series.at(second),
      }));
    case 'FunctionCall':
      return call(node, query, second);
    case 'AggregateExpr':
      return aggregate(node, query, second);
    case 'BinaryExpr':
      return binary(node, query, second);
    default:
      return [];
  }
}

function argumentsOf(node: SyntaxNode): SyntaxNode[] {
  const body = node.getChild('FunctionCallBody');
  return body ? childrenOf(body).filter((child) => /Expr$|Selector$|Call$|Literal$/.test(child.name)) : [];
}

function call(node: SyntaxNode, query: string, second: number): Point[] | number {
  const name = /^\w+/.exec(query.slice(node.from, node.to))?.[0] ?? '';
  const parts = argumentsOf(node);
  const first = parts[0];
  if (['rate', 'irate', 'increase', 'delta', 'deriv'].includes(name) && first) {
    const chosen = selection(first, query);
    return (chosen?.series ?? []).map((series) => ({
      labels: withoutName(series.labels),
      value: name === 'increase' ? series.at(second) * (chosen?.seconds ?? 60) : series.at(second),
    }));
  }
  if (name.endsWith('_over_time') && first) {
    const chosen = selection(first, query);
    return (chosen?.series ?? []).map((series) => ({ labels: withoutName(series.labels), value: series.at(second) }));
  }
  if (name === 'histogram_quantile' && first && parts[1]) {
    const q = evaluate(first, query, second);
    const buckets = evaluate(parts[1], query, second);
    return typeof q === 'number' && typeof buckets !== 'number' ? quantile(q, buckets) : [];
  }
  if (name === 'time') return second;
  if (name === 'vector' && first) {
    const value = evaluate(first, query, second);
    return [{ labels: {}, value: typeof value === 'number' ? value : 0 }];
  }
  const inner = first ? evaluate(first, query, second) : [];
  if (typeof inner === 'number') return inner;
  const one: Record<string, (value: number) => number> = {
    abs: Math.abs,
    ceil: Math.ceil,
    floor: Math.floor,
    round: Math.round,
  };
  return inner.map((point) => ({ labels: withoutName(point.labels), value: one[name]?.(point.value) ?? point.value }));
}

function quantile(q: number, buckets: Point[]): Point[] {
  const groups = new Map<string, { labels: Record<string, string>; list: { le: number; value: number }[] }>();
  for (const point of buckets) {
    const { le, ...labels } = point.labels;
    const key = keyOf(labels);
    const group = groups.get(key) ?? { labels, list: [] };
    group.list.push({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value: point.value });
    groups.set(key, group);
  }
  return [...groups.values()].map(({ labels, list }) => {
    list.sort((a, b) => a.le - b.le);
    const rank = q * (list.at(-1)?.value ?? 0);
    const at = list.findIndex((bucket) => bucket.value >= rank);
    const bucket = list[at];
    const before = list[at - 1];
    if (!bucket || bucket.le === Number.POSITIVE_INFINITY) return { labels, value: before?.le ?? Number.NaN };
    const from = before?.le ?? 0;
    const share = (rank - (before?.value ?? 0)) / Math.max(bucket.value - (before?.value ?? 0), 1e-9);
    return { labels, value: from + (bucket.le - from) * share };
  });
}

function aggregate(node: SyntaxNode, query: string, second: number): Point[] {
  const text = query.slice(node.from, node.to);
  const name = /^\w+/.exec(text)?.[0] ?? 'sum';
  const parts = argumentsOf(node);
  const value = parts.length > 0 ? evaluate(parts[parts.length - 1] as SyntaxNode, query, second) : [];
  const points = typeof value === 'number' ? [{ labels: {}, value }] : value;
  const modifier = node.getChild('AggregateModifier');
  const words = modifier ? [...query.slice(modifier.from, modifier.to).matchAll(/\w+/g)].map((match) => match[0]) : [];
  const keep = words.slice(1);
  if (name === 'topk' || name === 'bottomk') {
    const k = parts[0] ? Number(query.slice(parts[0].from, parts[0].to)) : 5;
    const sign = name === 'topk' ? 1 : -1;
    return [...points].sort((a, b) => sign * (b.value - a.value)).slice(0, k);
  }
  const groups = new Map<string, { labels: Record<string, string>; values: number[] }>();
  for (const point of points) {
    const labels = Object.fromEntries(
      Object.entries(withoutName(point.labels)).filter(([key]) =>
        words[0] === 'by' ? keep.includes(key) : words[0] === 'without' ? !keep.includes(key) : false,
      ),
    );
    const key = keyOf(labels);
    const group = groups.get(key) ?? { labels, values: [] };
    group.values.push(point.value);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => ({
    labels: group.labels,
    value: (AGGREGATES[name] ?? AGGREGATES.sum)?.(group.values) ?? 0,
  }));
}

function binary(node: SyntaxNode, query: string, second: number): Point[] | number {
  const parts = childrenOf(node).filter((child) => /Expr$|Selector$|Call$|Literal$/.test(child.name));
  const [left, right] = parts;
  if (!left || !right) return [];
  const between = query.slice(left.to, right.from);
  const word = /^\s*([-+*/%^]|[<>]=?|[!=]=|and|or|unless)/.exec(between)?.[1] ?? '+';
  const a = evaluate(left, query, second);
  const b = evaluate(right, query, second);
  const on = /\bon\s*\(([^)]*)\)/
    .exec(between)?.[1]
    ?.split(',')
    .map((label) => label.trim());
  const signature = (labels: Record<string, string>): string =>
    keyOf(on ? Object.fromEntries(on.map((label) => [label, labels[label] ?? ''])) : withoutName(labels));
  if (word === 'or' && typeof a !== 'number' && typeof b !== 'number') {
    const have = new Set(a.map((point) => signature(point.labels)));
    return [...a, ...b.filter((point) => !have.has(signature(point.labels)))];
  }
  const operate = OPERATORS[word] ?? ((x: number) => x);
  if (typeof a === 'number' && typeof b === 'number') return operate(a, b) ?? 0;
  if (typeof a === 'number') return (b as Point[]).map((point) => ({ ...point, value: operate(a, point.value) ?? 0 }));
  const out: Point[] = [];
  const other = typeof b === 'number' ? undefined : new Map(b.map((point) => [signature(point.labels), point.value]));
  for (const point of a) {
    const rhs = typeof b === 'number' ? b : other?.get(signature(point.labels));
    if (rhs === undefined) continue;
    const value = operate(point.value, rhs);
    if (value !== undefined) out.push({ labels: withoutName(point.labels), value });
  }
  return out;
}
