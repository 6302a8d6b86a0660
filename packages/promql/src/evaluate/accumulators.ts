import type { Labels } from '@kind-e2e/telemetry';
import { KahanSum } from '../functions/kahan.ts';
import { addHistograms, addToMean } from '../histogram/arithmetic.ts';
import { compact, type FloatHistogram, HistogramMismatch } from '../histogram/float-histogram.ts';
import type { Aggregation } from '../syntax/index.ts';
import type { Evaluation } from './evaluation.ts';
import { type Column, newColumn, setHistogram } from './values.ts';

/** One group of an aggregation; takes the group's series one by one and holds a value for each step. */
export abstract class Accumulator {
  protected readonly out: Column;
  protected readonly node: Aggregation;
  protected readonly evaluation: Evaluation;

  constructor(evaluation: Evaluation, node: Aggregation, labels: Labels, steps: number) {
    evaluation.hold(steps);
    this.evaluation = evaluation;
    this.node = node;
    this.out = newColumn(labels, steps);
  }

  abstract add(column: Column): void;

  finish(): Column {
    return this.out;
  }

  /** Whether the sample is a float; histograms are ignored with an info. */
  protected isFloatAt(column: Column, step: number): boolean {
    if (column.present[step] !== 1) return false;
    if (column.histograms?.[step] === undefined) return true;
    this.evaluation.annotations.histogramIgnoredInAggregation(this.node.op, this.node.expr);
    return false;
  }
}

export class CountAccumulator extends Accumulator {
  add({ present }: Column): void {
    const { values, present: known } = this.out;
    const isCount = this.node.op === 'count';
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      values[i] = isCount ? (values[i] ?? 0) + 1 : 1;
      known[i] = 1;
    }
  }
}

/** min (sign -1) and max (1). */
export class ExtremeAccumulator extends Accumulator {
  readonly #sign: 1 | -1;

  constructor(evaluation: Evaluation, node: Aggregation, labels: Labels, steps: number, sign: 1 | -1) {
    super(evaluation, node, labels, steps);
    this.#sign = sign;
  }

  add(column: Column): void {
    const { values, present } = this.out;
    const source = column.values;
    const sign = this.#sign;
    for (let i = 0; i < values.length; i++) {
      if (!this.isFloatAt(column, i)) continue;
      const value = source[i] ?? 0;
      const best = values[i] ?? 0;
      if (sign * value > sign * best || present[i] !== 1 || Number.isNaN(best)) values[i] = value;
      present[i] = 1;
    }
  }
}

/** stddev and stdvar: Welford's method. */
export class VarianceAccumulator extends Accumulator {
  readonly #means = new Float64Array(this.out.values.length);
  readonly #counts = new Uint32Array(this.out.values.length);

  add(column: Column): void {
    const { values, present } = this.out;
    const means = this.#means;
    const counts = this.#counts;
    for (let i = 0; i < values.length; i++) {
      if (!this.isFloatAt(column, i)) continue;
      const value = column.values[i] ?? 0;
      const count = (counts[i] ?? 0) + 1;
      counts[i] = count;
      const before = means[i] ?? 0;
      const delta = value - before;
      const mean = before + delta / count;
      means[i] = mean;
      values[i] = count === 1 ? (Number.isFinite(value) ? 0 : Number.NaN) : (values[i] ?? 0) + delta * (value - mean);
      present[i] = 1;
    }
  }

  override finish(): Column {
    const { values, present } = this.out;
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      const variance = (values[i] ?? 0) / (this.#counts[i] ?? 1);
      values[i] = this.node.op === 'stdvar' ? variance : Math.sqrt(variance);
    }
    return this.out;
  }
}

/** Compensated sums and means (promql/engine.go, aggregation with kahanSumInc). */
export class SumAccumulator extends Accumulator {
  readonly #compensations = new Float64Array(this.out.values.length);
  readonly #counts = new Uint32Array(this.out.values.length);
  /** 1 where a mean goes on step by step, because the sum would overflow. */
  #incremental: Uint8Array | undefined;
  #histograms: HistogramTotals | undefined;

  add(column: Column): void {
    if (column.histograms !== undefined || this.#histograms !== undefined) {
      this.#histograms ??= new HistogramTotals(this.evaluation, this.node, this.#counts);
      this.#histograms.add(column);
    }
    const sums = this.out.values;
    const compensations = this.#compensations;
    const counts = this.#counts;
    const isMean = this.node.op === 'avg';
    const { values, present, histograms } = column;
    const totals = this.#histograms;
    for (let i = 0; i < sums.length; i++) {
      if (present[i] !== 1 || histograms?.[i] !== undefined || totals?.hasFailedAt(i) === true) continue;
      const value = values[i] ?? 0;
      const count = (counts[i] ?? 0) + 1;
      counts[i] = count;
      const sum = sums[i] ?? 0;
      const total = sum + value;
      if (count === 1) sums[i] = value;
      else if (total - total === 0 && this.#incremental === undefined) {
        const rest = Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
        compensations[i] = (compensations[i] ?? 0) + rest;
        sums[i] = total;
      } else if (isMean) this.#addToMean(i, value, count);
      else {
        compensations[i] = 0;
        sums[i] = total;
      }
    }
  }

  /** The n-th value of a mean whose sum is or was not finite. */
  #addToMean(i: number, value: number, count: number): void {
    const sums = this.out.values;
    const compensations = this.#compensations;
    if (this.#incremental?.[i] !== 1) {
      const total = new KahanSum(sums[i], compensations[i]);
      total.add(value);
      if (Math.abs(total.sum) !== Number.POSITIVE_INFINITY) {
        sums[i] = total.sum;
        compensations[i] = total.compensation;
        return;
      }
      this.#incremental ??= new Uint8Array(sums.length);
      this.#incremental[i] = 1;
      sums[i] = (sums[i] ?? 0) / (count - 1);
      compensations[i] = (compensations[i] ?? 0) / (count - 1);
    }
    const weight = (count - 1) / count;
    const mean = new KahanSum((sums[i] ?? 0) * weight, (compensations[i] ?? 0) * weight);
    mean.add(value / count);
    sums[i] = mean.sum;
    compensations[i] = mean.compensation;
  }

  override finish(): Column {
    const { values, present } = this.out;
    const isMean = this.node.op === 'avg';
    for (let i = 0; i < values.length; i++) {
      const count = this.#counts[i] ?? 0;
      if (count === 0) continue;
      present[i] = 1;
      const total = values[i] ?? 0;
      const rest = this.#compensations[i] ?? 0;
      if (isMean && this.#incremental?.[i] !== 1) values[i] = total / count + rest / count;
      else values[i] = total + rest;
    }
    this.#histograms?.finish(this.out);
    return this.out;
  }
}

/** The histograms of a group at each step; a mix with floats, or with others that do not fit, gives no result there. */
class HistogramTotals {
  readonly #evaluation: Evaluation;
  readonly #node: Aggregation;
  /** Of floats, kept by the owner. */
  readonly #floats: Uint32Array;
  readonly #counts: Uint32Array;
  readonly #totals: (FloatHistogram | undefined)[];
  readonly #mixed: Uint8Array;
  readonly #failed: Uint8Array;

  constructor(evaluation: Evaluation, node: Aggregation, floats: Uint32Array) {
    this.#evaluation = evaluation;
    this.#node = node;
    this.#floats = floats;
    this.#counts = new Uint32Array(floats.length);
    this.#totals = new Array(floats.length).fill(undefined);
    this.#mixed = new Uint8Array(floats.length);
    this.#failed = new Uint8Array(floats.length);
  }

  /** Prometheus looks at nothing of the group after histograms that do not go together. */
  hasFailedAt(step: number): boolean {
    return this.#failed[step] === 1;
  }

  /** Before the column's floats are counted. */
  add({ labels, present, histograms }: Column): void {
    for (let i = 0; i < present.length; i++) {
      if (present[i] !== 1 || this.#failed[i] === 1) continue;
      const histogram = histograms?.[i];
      const before = this.#counts[i] ?? 0;
      if (histogram === undefined) {
        if (before > 0) this.#mixed[i] = 1;
        continue;
      }
      const hasFloats = (this.#floats[i] ?? 0) > 0;
      if (hasFloats) this.#mixed[i] = 1;
      this.#counts[i] = before + 1;
      if (before === 0 && !hasFloats) this.#totals[i] = histogram;
      const total = this.#totals[i];
      // Prometheus adds nothing up where a float came first.
      if (before === 0 || total === undefined) continue;
      try {
        this.#totals[i] =
          this.#node.op === 'sum' ? addHistograms(total, histogram) : addToMean(total, histogram, before + 1);
      } catch (error) {
        if (!(error instanceof HistogramMismatch)) throw error;
        this.#evaluation.annotations.histogramMismatch(error.reason, labels.get('__name__'), this.#node.expr);
        this.#failed[i] = 1;
      }
    }
  }

  finish(out: Column): void {
    for (let i = 0; i < out.present.length; i++) {
      if (this.#counts[i] === 0) continue;
      const total = this.#totals[i];
      out.present[i] = 0;
      if (this.#mixed[i] === 1) this.#evaluation.annotations.mixedFloatsHistogramsInAggregation(this.#node.expr);
      else if (this.#failed[i] !== 1 && total !== undefined) setHistogram(out, i, compact(total));
    }
  }
}
