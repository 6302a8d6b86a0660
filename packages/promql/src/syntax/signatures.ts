import type { ValueType } from './ast.ts';

/** What a function takes and gives; the table follows Prometheus 3.5's promql/parser/functions.go. */
export interface FunctionSignature {
  readonly name: string;
  readonly args: readonly ValueType[];
  /** How many times the last argument may come beyond the list less one; -1 without bound, 0 for exactly the list. */
  readonly variadic: number;
  readonly returns: ValueType;
  readonly experimental: boolean;
}

const V: ValueType = 'instant vector';
const M: ValueType = 'range vector';
const S: ValueType = 'scalar';
const T: ValueType = 'string';

const table = new Map<string, FunctionSignature>();

function define(
  names: string,
  args: readonly ValueType[],
  more: { readonly variadic?: number; readonly returns?: ValueType; readonly experimental?: boolean } = {},
): void {
  for (const name of names.split(' ')) {
    table.set(name, {
      name,
      args,
      variadic: more.variadic ?? 0,
      returns: more.returns ?? V,
      experimental: more.experimental ?? false,
    });
  }
}

define('abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh', [V]);
define('sort sort_desc sqrt tan tanh timestamp', [V]);
define('histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar', [V]);
define('absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time', [M]);
define('max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time', [
  M,
]);
define('mad_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time', [M], { experimental: true });
define('days_in_month day_of_month day_of_week day_of_year hour minute month year', [V], { variadic: 1 });
define('clamp', [V, S, S]);
define('clamp_max clamp_min', [V, S]);
define('double_exponential_smoothing', [M, S, S], { experimental: true });
define('histogram_fraction', [S, S, V]);
define('histogram_quantile', [S, V]);
define('info', [V, V], { variadic: 1, experimental: true });
define('label_join', [V, T, T, T], { variadic: -1 });
define('label_replace', [V, T, T, T, T]);
define('pi time', [], { returns: S });
define('predict_linear', [M, S]);
define('quantile_over_time', [S, M]);
define('round', [V, S], { variadic: 1 });
define('scalar', [V], { returns: S });
define('sort_by_label sort_by_label_desc', [V, T], { variadic: -1, experimental: true });
define('vector', [S]);

export const FUNCTIONS: ReadonlyMap<string, FunctionSignature> = table;
