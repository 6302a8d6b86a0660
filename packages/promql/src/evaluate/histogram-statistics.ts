import { detectReset } from '../histogram/arithmetic.ts';
import type { FloatHistogram } from '../histogram/float-histogram.ts';
import { childrenOf, type Expr, type VectorSelector } from '../syntax/index.ts';

/** Functions that need no buckets, and those that need them whatever stands around them. */
const NEEDS_BUCKETS: Readonly<Record<string, boolean>> = {
  histogram_count: false,
  histogram_sum: false,
  histogram_avg: false,
  histogram_quantile: true,
  histogram_fraction: true,
};

/**
 * The selector whose histograms are read without their buckets, because only counts and sums are asked for. It shows:
 * without buckets all histograms go together. As in Prometheus it is only ever the first selector of the query, and the
 * outermost call does not count (promql/engine.go, detectHistogramStatsDecoding).
 */
export function selectorWithoutBuckets(query: Expr): VectorSelector | undefined {
  const path: Expr[] = [];
  let node = query;
  while (node.kind !== 'vector-selector') {
    const next = firstWithSelector(node);
    if (next === undefined) return undefined;
    path.push(node);
    node = next;
  }
  for (const outer of path.slice(1).reverse()) {
    const needsBuckets = outer.kind === 'call' ? NEEDS_BUCKETS[outer.fn.name] : undefined;
    if (needsBuckets !== undefined) return needsBuckets ? undefined : node;
  }
  return undefined;
}

function firstWithSelector(node: Expr): Expr | undefined {
  // The parameter of an aggregation is looked at after what is aggregated.
  const children = node.kind === 'aggregation' ? childrenOf(node).toReversed() : childrenOf(node);
  return children.find(hasSelector);
}

function hasSelector(expr: Expr): boolean {
  return expr.kind === 'vector-selector' || childrenOf(expr).some(hasSelector);
}

/** The histograms of one series, in the order of their times, without buckets (promql/histogram_stats_iterator.go). */
export class BucketRemover {
  #previous: FloatHistogram | undefined;

  /** What the buckets say about counter resets is kept as the hint. */
  remove(histogram: FloatHistogram): FloatHistogram {
    let { hint } = histogram;
    if (hint === 'unknown' && this.#previous !== undefined)
      hint = detectReset(histogram, this.#previous) ? 'reset' : 'not-reset';
    this.#previous = histogram;
    return { ...NO_BUCKETS, hint, count: histogram.count, sum: histogram.sum };
  }
}

const NO_BUCKETS: FloatHistogram = {
  hint: 'unknown',
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  sum: 0,
  positive: { indexes: [], counts: [] },
  negative: { indexes: [], counts: [] },
  customValues: [],
};
