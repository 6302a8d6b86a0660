import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** Functions whose answer counts per second (prometheus: docs/querying/functions.md). */
const PER_SECOND = ['rate', 'irate', 'deriv'];
/** Functions and aggregations whose answer is a number of things, whatever went in. */
const COUNTING = [
  'count',
  'count_values',
  'group',
  'count_over_time',
  'changes',
  'resets',
  'absent',
  'present_over_time',
];
const TIMES = ['time', 'timestamp'];

const BASE_UNITS: readonly (readonly [RegExp, string])[] = [
  [/_milliseconds$/, 'ms'],
  [/_seconds$/, 's'],
  [/_bytes$/, 'bytes'],
  [/_ratio$/, 'percentunit'],
  [/_percent$/, 'percent'],
  [/_celsius$/, 'celsius'],
];

interface Found {
  metric: string;
  isRate: boolean;
}

/**
 * The unit (Grafana's id) that a PromQL query's values have, by the names of its metrics
 * (prometheus: docs/practices/naming.md) and what is done with them; undefined where that does not say.
 */
export function unitOfQuery(query: string): string | undefined {
  const text = query.trim();
  const tree = parser.parse(text);
  const found: Found[] = [];
  let isOpen = false;
  let isQuantile = false;
  tree.iterate({
    enter(node) {
      if (node.type.isError || node.name === 'BinaryExpr')
        isOpen ||= node.type.isError || !isComparison(node.node, text);
      if (node.name === 'FunctionCall' || node.name === 'AggregateExpr') {
        const name = /^\w+/.exec(text.slice(node.from, node.to))?.[0] ?? '';
        if (COUNTING.includes(name) || TIMES.includes(name)) isOpen = true;
        if (name === 'histogram_quantile') isQuantile = true;
      }
      if (node.name === 'VectorSelector') {
        const metric = /^[a-zA-Z_:][\w:]*/.exec(text.slice(node.from, node.to))?.[0];
        if (metric === undefined) isOpen = true;
        else found.push({ metric, isRate: isInRate(node.node, text) });
      }
    },
  });
  if (isOpen || found.length === 0) return undefined;
  const units = new Set(found.map((item) => unitOf(item, isQuantile)));
  return units.size === 1 ? [...units][0] : undefined;
}

function unitOf({ metric, isRate }: Found, isQuantile: boolean): string | undefined {
  const stem = metric.replace(/_(total|sum|bucket|count|created)$/, '');
  const base = BASE_UNITS.find(([pattern]) => pattern.test(stem))?.[1];
  if (isQuantile) return base;
  const counts = /_(bucket|count)$/.test(metric) || (base === undefined && /_total$/.test(metric));
  if (!isRate) return counts ? undefined : base;
  if (counts) return /requests|responses|_duration_/.test(metric) ? 'reqps' : 'cps';
  if (base === 'bytes') return 'binBps';
  // Seconds of the processor in a second: how many of them were busy.
  return base === 's' && /cpu/.test(metric) ? 'cores' : undefined;
}

function isInRate(node: SyntaxNode, text: string): boolean {
  for (let up = node.parent; up; up = up.parent)
    if (up.name === 'FunctionCall' && PER_SECOND.includes(/^\w+/.exec(text.slice(up.from, up.to))?.[0] ?? ''))
      return true;
  return false;
}

/** Filters (`> 5`) and set operators leave the unit as it is; arithmetic may not. */
function isComparison(node: SyntaxNode, text: string): boolean {
  const [left, right] = [node.firstChild, node.lastChild];
  if (!left || !right) return false;
  const between = text.slice(left.to, right.from).trim();
  return /^(==|!=|>=?|<=?)(?!\s*bool)|^(and|or|unless)\b/.test(between);
}
