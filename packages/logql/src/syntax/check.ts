import type { LabelMatcher } from '@kind-e2e/telemetry';
import type { Grouping, RangeOperation, Unwrap, VectorOperation } from './ast.ts';
import { LogqlSyntaxError } from './errors.ts';

const EMPTY_SELECTOR =
  'queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will';

/** A selector must have a matcher that an absent label does not meet (pkg/logql/syntax/parser.go, validateMatchers). */
export function checkSelector(matchers: readonly LabelMatcher[]): void {
  const selective = matchers.some(({ operator, matches }) => (operator === '=' || operator === '=~') && !matches(''));
  if (!selective) throw new LogqlSyntaxError(EMPTY_SELECTOR);
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

/** pkg/logql/syntax/ast.go, newRangeAggregationExpr and RangeAggregationExpr.validate. */
export function checkRangeAggregation(
  operation: RangeOperation,
  param: number | undefined,
  grouping: Grouping | undefined,
  unwrap: Unwrap | undefined,
): void {
  if (operation === 'quantile_over_time' && param === undefined)
    throw new LogqlSyntaxError(`parameter required for operation ${operation}`);
  if (operation !== 'quantile_over_time' && param !== undefined)
    throw new LogqlSyntaxError(`parameter ${param} not supported for operation ${operation}`);
  if (grouping !== undefined && !GROUPED.includes(operation))
    throw new LogqlSyntaxError(`grouping not allowed for ${operation} aggregation`);
  if (unwrap !== undefined) {
    if (!UNWRAPPED.includes(operation)) throw new LogqlSyntaxError(`invalid aggregation ${operation} with unwrap`);
  } else if (!OF_LINES.includes(operation))
    throw new LogqlSyntaxError(`invalid aggregation ${operation} without unwrap`);
}

/** pkg/logql/syntax/ast.go, mustNewVectorAggregationExpr. */
export function checkVectorAggregation(
  operation: VectorOperation,
  param: number | undefined,
  grouping: Grouping | undefined,
): void {
  const ranked = operation === 'topk' || operation === 'bottomk' || operation === 'approx_topk';
  if (ranked) {
    if (param === undefined) throw new LogqlSyntaxError(`parameter required for operation ${operation}`);
    if (!Number.isInteger(param) || param <= 0)
      throw new LogqlSyntaxError(`invalid parameter (must be greater than 0) ${operation}(${param}`);
    if (operation === 'approx_topk' && grouping !== undefined)
      throw new LogqlSyntaxError(`grouping not allowed for ${operation} aggregation`);
  } else if (param !== undefined)
    throw new LogqlSyntaxError(`unsupported parameter for operation ${operation}(${param},`);
  if ((operation === 'sort' || operation === 'sort_desc') && (grouping?.labels.length ?? 0) > 0)
    throw new LogqlSyntaxError(`grouping not allowed for ${operation} aggregation`);
}
