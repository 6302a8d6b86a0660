/** Envoy's default histogram buckets (stats/histogram_impl.cc), which Istio's metrics use. */
export const BUCKETS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
] as const;

export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** Counts by bucket (not cumulative), sum, and for each bucket the trace seen last. */
export class Histogram {
  readonly counts = new Uint32Array(BUCKETS.length + 1);
  sum = 0;
  exemplars: (Exemplar | undefined)[] | undefined;

  observe(value: number, exemplar?: Exemplar): void {
    let bucket = 0;
    while (bucket < BUCKETS.length && value > (BUCKETS[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
    if (exemplar === undefined) return;
    this.exemplars ??= [];
    this.exemplars[bucket] = exemplar;
  }
}
