/** What of Prometheus' `--enable-feature` the parser knows. All default to false. */
export interface ParseOptions {
  /** `promql-experimental-functions` */
  readonly experimentalFunctions?: boolean;
  /** `promql-duration-expr`: arithmetic in ranges, steps and offsets. */
  readonly durationExpressions?: boolean;
}
