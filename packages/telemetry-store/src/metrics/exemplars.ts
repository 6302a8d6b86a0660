import type { Exemplar } from '@kind-e2e/telemetry';

interface Entry<S> {
  readonly series: S;
  readonly exemplar: Exemplar;
  /** Record of the write-ahead log; 0 once it is in the file. */
  sequence: number;
}

/** The newest exemplars of all series together, as Prometheus' circular buffer (tsdb/exemplar.go). */
export class ExemplarRing<S extends object> {
  readonly #capacity: number;
  #entries: Entry<S>[] = [];
  readonly #newest = new Map<S, Exemplar>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** False for one that is no newer than the newest of its series. */
  isNew(series: S, exemplar: Exemplar): boolean {
    const newest = this.#newest.get(series);
    return !newest || exemplar.timestampMs > newest.timestampMs;
  }

  add(series: S, exemplar: Exemplar, sequence: number): void {
    this.#newest.set(series, exemplar);
    this.#entries.push({ series, exemplar, sequence });
    if (this.#entries.length > this.#capacity * 1.25) {
      this.#entries = this.#entries.slice(-this.#capacity);
      const alive = new Set(this.#entries.map((entry) => entry.series));
      for (const known of this.#newest.keys()) if (!alive.has(known)) this.#newest.delete(known);
    }
  }

  /** Exemplars of a set of series in a range, both ends inclusive. */
  select(series: ReadonlySet<S>, startMs: number, endMs: number): Map<S, Exemplar[]> {
    const found = new Map<S, Exemplar[]>();
    for (const { series: of, exemplar } of this.#entries) {
      if (exemplar.timestampMs < startMs || exemplar.timestampMs > endMs || !series.has(of)) continue;
      const list = found.get(of);
      if (list) list.push(exemplar);
      else found.set(of, [exemplar]);
    }
    return found;
  }

  unsealed(): Entry<S>[] {
    return this.#entries.filter((entry) => entry.sequence > 0);
  }

  forget(series: S): void {
    this.#entries = this.#entries.filter((entry) => entry.series !== series);
    this.#newest.delete(series);
  }
}
