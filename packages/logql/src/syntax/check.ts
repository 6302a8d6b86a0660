import type { LabelMatcher } from '@kind-e2e/telemetry';
import { type Expr, type Grouping, logExprsOf, type RangeOperation, type Unwrap, type VectorOperation } from './ast.ts';
import { LogqlSyntaxError } from './errors.ts';

const EMPTY_SELECTOR =
  'queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will';

/** A selector must have a matcher that an absent label does not meet (pkg/util/matchers.go, SplitFiltersAndMatchers). */
export function checkSelector(matchers: readonly LabelMatcher[]): void {
  if (matchers.every(({ matches }) => matches(''))) throw new LogqlSyntaxError(EMPTY_SELECTOR);
}

/** What Loki checks once the whole query is read (pkg/logql/syntax/parser.go, validateExpr). */
export function checkExpr(expr: Expr): void {
  for (const { matchers } of logExprsOf(expr)) checkSelector(matchers);
}

const GROUPED: readonly RangeOperation[] = [
  'avg_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'quantile_over_time',
  'max_over_time',
  'min_over_time',
  'first_over_time',
  'last_over_time',
];
const UNWRAPPED: readonly RangeOperation[] = [...GROUPED, 'sum_over_time', 'rate', 'rate_counter', 'absent_over_time'];
const OF_LINES: readonly RangeOperation[] = [
  'bytes_over_time',
  'bytes_rate',
  'count_over_time',
  'rate',
  'absent_over_time',
];

/** What is wrong with it, or undefined (pkg/logql/syntax/ast.go, newRangeAggregationExpr and its validate). */
export function problemOfRangeAggregation(
  operation: RangeOperation,
  param: string | undefined,
  grouping: Grouping | undefined,
  unwrap: Unwrap | undefined,
): string | undefined {
  if (operation === 'quantile_over_time' && param === undefined) return `parameter required for operation ${operation}`;
  if (operation !== 'quantile_over_time' && param !== undefined)
    return `parameter ${param} not supported for operation ${operation}`;
  if (grouping !== undefined && !GROUPED.includes(operation))
    return `grouping not allowed for ${operation} aggregation`;
  if (unwrap !== undefined)
    return UNWRAPPED.includes(operation) ? undefined : `invalid aggregation ${operation} with unwrap`;
  return OF_LINES.includes(operation) ? undefined : `invalid aggregation ${operation} without unwrap`;
}

/** What is wrong with it, or undefined (pkg/logql/syntax/ast.go, mustNewVectorAggregationExpr). */
export function problemOfVectorAggregation(
  operation: VectorOperation,
  param: string | undefined,
  grouping: Grouping | undefined,
): string | undefined {
  if (operation === 'topk' || operation === 'bottomk' || operation === 'approx_topk') {
    if (param === undefined) return `parameter required for operation ${operation}`;
    if (!/^\d+$/.test(param)) return `invalid parameter ${operation}(${param},`;
    if (Number(param) <= 0) return `invalid parameter (must be greater than 0) ${operation}(${param}`;
    return operation === 'approx_topk' && grouping !== undefined
      ? `grouping not allowed for ${operation} aggregation`
      : undefined;
  }
  if (param !== undefined) return `unsupported parameter for operation ${operation}(${param},`;
  return (operation === 'sort' || operation === 'sort_desc') && (grouping?.labels.length ?? 0) > 0
    ? "sort and sort_desc doesn't allow grouping by "
    : undefined;
}
