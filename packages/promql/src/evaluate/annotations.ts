import { quote } from '@kind-e2e/telemetry';
import { shortNumber } from '../syntax/format.ts';
import { describePosition, type Position } from '../syntax/index.ts';

/**
 * Warnings and infos of one query, with Prometheus' texts (util/annotations/annotations.go). Of several with one text
 * only the last is kept, with its position.
 */
export class Annotations {
  readonly #query: string;
  readonly #warnings = new Map<string, Position>();
  readonly #infos = new Map<string, Position>();

  constructor(query: string) {
    this.#query = query;
  }

  get warnings(): readonly string[] {
    return this.#withPositions(this.#warnings);
  }

  get infos(): readonly string[] {
    return this.#withPositions(this.#infos);
  }

  #withPositions(texts: ReadonlyMap<string, Position>): string[] {
    return Array.from(texts, ([text, at]) => `${text} (${describePosition(this.#query, at.start)})`);
  }

  #warn(text: string, at: Position): void {
    this.#warnings.set(`PromQL warning: ${text}`, at);
  }

  #info(text: string, at: Position): void {
    this.#infos.set(`PromQL info: ${text}`, at);
  }

  invalidQuantile(q: number, at: Position): void {
    this.#warn(`quantile value should be between 0 and 1, got ${shortNumber(q)}`, at);
  }

  invalidRatio(ratio: number, capped: number, at: Position): void {
    this.#warn(
      `ratio value should be between -1 and 1, got ${shortNumber(ratio)}, capping to ${shortNumber(capped)}`,
      at,
    );
  }

  badBucketLabel(metricName: string, label: string, at: Position): void {
    this.#warn(
      `bucket label "le" is missing or has a malformed value of ${quote(label)} for metric name ${quote(metricName)}`,
      at,
    );
  }

  mixedFloatsHistograms(metricName: string, at: Position): void {
    this.#warn(`encountered a mix of histograms and floats for metric name ${quote(metricName)}`, at);
  }

  mixedFloatsHistogramsInAggregation(at: Position): void {
    this.#warn('encountered a mix of histograms and floats for aggregation', at);
  }

  mixedClassicNative(metricName: string, at: Position): void {
    this.#warn(`vector contains a mix of classic and native histograms for metric name ${quote(metricName)}`, at);
  }

  histogramNotCounter(metricName: string, at: Position): void {
    this.#warn(`this native histogram metric is not a counter: ${quote(metricName)}`, at);
  }

  histogramNotGauge(metricName: string, at: Position): void {
    this.#warn(`this native histogram metric is not a gauge: ${quote(metricName)}`, at);
  }

  histogramMismatch(reason: 'schema' | 'bounds', metricName: string, at: Position): void {
    const what =
      reason === 'schema'
        ? 'vector contains a mix of histograms with exponential and custom buckets schemas for metric name'
        : 'vector contains histograms with incompatible custom buckets for metric name';
    this.#warn(`${what} ${quote(metricName)}`, at);
  }

  incompatibleBuckets(operator: string, at: Position): void {
    this.#warn(`incompatible bucket layout encountered for binary operator ${operator}`, at);
  }

  incompatibleTypes(left: string, operator: string, right: string, at: Position): void {
    this.#info(
      `incompatible sample types encountered for binary operator ${quote(operator)}: ${left} ${operator} ${right}`,
      at,
    );
  }

  possibleNonCounter(metricName: string, at: Position): void {
    this.#info(
      `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(metricName)}`,
      at,
    );
  }

  forcedMonotonicity(metricName: string, at: Position): void {
    this.#info(
      `input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name ${quote(metricName)}`,
      at,
    );
  }

  histogramIgnoredInAggregation(aggregation: string, at: Position): void {
    this.#info(`ignored histogram in ${aggregation} aggregation`, at);
  }

  histogramIgnoredInMixedRange(metricName: string, at: Position): void {
    this.#info(
      `ignored histograms in a range containing both floats and histograms for metric name ${quote(metricName)}`,
      at,
    );
  }

  histogramQuantileNaN(kind: 'result' | 'skew', metricName: string, at: Position): void {
    const effect = kind === 'result' ? 'result is NaN' : 'result is skewed higher';
    this.#info(`input to histogram_quantile has NaN observations, ${effect} for metric name ${quote(metricName)}`, at);
  }

  histogramFractionNaN(metricName: string, at: Position): void {
    this.#info(
      `input to histogram_fraction has NaN observations, which are excluded from all fractions for metric name ${quote(metricName)}`,
      at,
    );
  }
}
