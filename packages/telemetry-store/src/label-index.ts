import { compareStrings, type LabelMatcher, Labels } from '@kind-e2e/telemetry';

export interface Labelled {
  readonly labels: Labels;
  /** Place in the order of label sets; kept by the index. */
  rank: number;
}

/** Finds series or streams by matchers (an inverted index, as Prometheus' tsdb/index/postings.go), in label order. */
export class LabelIndex<T extends Labelled> {
  readonly #byKey = new Map<string, T>();
  readonly #postings = new Map<string, Map<string, T[]>>();
  #sorted: T[] = [];
  #unsorted: T[] = [];
  #removed = false;

  get size(): number {
    return this.#byKey.size;
  }

  get(labels: Labels): T | undefined {
    return this.#byKey.get(labels.key);
  }

  values(): IterableIterator<T> {
    return this.#byKey.values();
  }

  add(item: T): void {
    this.#byKey.set(item.labels.key, item);
    this.#unsorted.push(item);
    for (const [name, value] of item.labels) {
      let byValue = this.#postings.get(name);
      if (!byValue) {
        byValue = new Map();
        this.#postings.set(name, byValue);
      }
      const list = byValue.get(value);
      if (list) list.push(item);
      else byValue.set(value, [item]);
    }
  }

  remove(item: T): void {
    if (!this.#byKey.delete(item.labels.key)) return;
    this.#removed = true;
    item.rank = -1;
    for (const [name, value] of item.labels) {
      const byValue = this.#postings.get(name);
      const list = byValue?.get(value);
      if (!byValue || !list) continue;
      const rest = list.filter((other) => other !== item);
      if (rest.length > 0) byValue.set(value, rest);
      else byValue.delete(value);
      if (byValue.size === 0) this.#postings.delete(name);
    }
  }

  /** Matching items in the order of their label sets. */
  select(matchers: readonly LabelMatcher[]): T[] {
    this.#order();
    const found = this.#candidates(matchers);
    return found.sort((a, b) => a.rank - b.rank);
  }

  /** Items that match any of the selectors; every item where there is no selector. */
  selectAny(selectors: readonly (readonly LabelMatcher[])[]): T[] {
    if (selectors.length === 0) {
      this.#order();
      return [...this.#sorted];
    }
    const [first, ...rest] = selectors;
    if (first && rest.length === 0) return this.select(first);
    this.#order();
    const union = new Set<T>();
    for (const matchers of selectors) for (const item of this.#candidates(matchers)) union.add(item);
    return [...union].sort((a, b) => a.rank - b.rank);
  }

  /** Values of a label in order, of items that pass. */
  labelValues(name: string, passes: (item: T) => boolean): string[] {
    const values: string[] = [];
    for (const [value, items] of this.#postings.get(name) ?? []) if (items.some(passes)) values.push(value);
    return values.sort(compareStrings);
  }

  /** How many items each value of each label has, for cardinality reports. */
  *cardinalities(): Generator<{ name: string; values: number; items: number; bytes: number }> {
    for (const [name, byValue] of this.#postings) {
      let items = 0;
      let bytes = 0;
      for (const [value, list] of byValue) {
        items += list.length;
        bytes += value.length * list.length;
      }
      yield { name, values: byValue.size, items, bytes };
    }
  }

  /** How many items each `name=value` has. */
  *countByPair(): Generator<{ name: string; value: number }> {
    for (const [name, byValue] of this.#postings)
      for (const [value, list] of byValue) yield { name: `${name}=${value}`, value: list.length };
  }

  countByValue(name: string): { value: string; items: number }[] {
    return [...(this.#postings.get(name) ?? [])].map(([value, list]) => ({ value, items: list.length }));
  }

  #candidates(matchers: readonly LabelMatcher[]): T[] {
    let smallest: readonly T[] = this.#sorted;
    for (const matcher of matchers) {
      if (matcher.operator !== '=' || matcher.value === '') continue;
      const list = this.#postings.get(matcher.name)?.get(matcher.value);
      if (!list) return [];
      if (list.length < smallest.length) smallest = list;
    }
    // Each distinct value meets an expression once.
    const tests = matchers.map((matcher) => {
      if (matcher.operator === '=') return (labels: Labels) => labels.get(matcher.name) === matcher.value;
      if (matcher.operator === '!=') return (labels: Labels) => labels.get(matcher.name) !== matcher.value;
      const known = new Map<string, boolean>();
      return (labels: Labels) => {
        const value = labels.get(matcher.name);
        let matches = known.get(value);
        if (matches === undefined) {
          matches = matcher.matches(value);
          known.set(value, matches);
        }
        return matches;
      };
    });
    return smallest.filter((item) => item.rank >= 0 && tests.every((test) => test(item.labels)));
  }

  #order(): void {
    if (this.#removed) {
      this.#sorted = this.#sorted.filter((item) => item.rank >= 0);
      this.#unsorted = this.#unsorted.filter((item) => this.#byKey.get(item.labels.key) === item);
      this.#removed = false;
    }
    if (this.#unsorted.length === 0) return;
    const added = this.#unsorted.sort((a, b) => Labels.compare(a.labels, b.labels));
    const before = this.#sorted;
    const merged: T[] = [];
    let i = 0;
    let j = 0;
    for (;;) {
      const a = before[i];
      const b = added[j];
      if (a && (!b || Labels.compare(a.labels, b.labels) <= 0)) {
        merged.push(a);
        i++;
      } else if (b) {
        merged.push(b);
        j++;
      } else break;
    }
    merged.forEach((item, rank) => {
      item.rank = rank;
    });
    this.#sorted = merged;
    this.#unsorted = [];
  }
}
