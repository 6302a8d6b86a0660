const METADATA_LABELS: ReadonlySet<string> = new Set(['__name__', '__type__', '__unit__']);

/** A set of label names and values, sorted by name, immutable. To `get` and `has` an empty value is an absent label. */
export class Labels implements Iterable<readonly [name: string, value: string]> {
  static readonly EMPTY = new Labels([]);

  readonly #pairs: readonly string[];
  #key: string | undefined;
  #unnamed: Labels | undefined;

  private constructor(sortedPairs: readonly string[]) {
    this.#pairs = sortedPairs;
  }

  /** From pairs in any order; a later pair replaces an earlier one of the same name; empty values are left out. */
  static from(entries: Iterable<readonly [string, string]>): Labels {
    const byName = new Map(entries);
    const names = [...byName.keys()].sort(compareStrings);
    const pairs: string[] = [];
    for (const name of names) {
      const value = byName.get(name) ?? '';
      if (value !== '') pairs.push(name, value);
    }
    return pairs.length === 0 ? Labels.EMPTY : new Labels(pairs);
  }

  /** The same with empty values kept: a log line may have them, and they are then no absent labels. */
  static withEmpty(entries: Iterable<readonly [string, string]>): Labels {
    const byName = new Map(entries);
    const pairs: string[] = [];
    for (const name of [...byName.keys()].sort(compareStrings)) pairs.push(name, byName.get(name) ?? '');
    return pairs.length === 0 ? Labels.EMPTY : new Labels(pairs);
  }

  static fromObject(object: Readonly<Record<string, string>>): Labels {
    return Labels.from(Object.entries(object));
  }

  get size(): number {
    return this.#pairs.length / 2;
  }

  /** The value, or '' where the label is absent. */
  get(name: string): string {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1] ?? '';
    return '';
  }

  has(name: string): boolean {
    return this.get(name) !== '';
  }

  /** A string that two label sets share exactly when they are equal; fit for a Map's key. */
  get key(): string {
    this.#key ??= this.#pairs.join('\xff');
    return this.#key;
  }

  equals(other: Labels): boolean {
    return this === other || this.key === other.key;
  }

  /** A copy with these labels set; an empty value removes one. */
  with(changes: Readonly<Record<string, string>>): Labels {
    return Labels.from([...this, ...Object.entries(changes)]);
  }

  /** A copy without these names. */
  without(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => !names.has(name));
  }

  /** A copy with only these names. */
  only(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => names.has(name));
  }

  /**
   * Without the labels that tell what a metric is: what is computed from it is something else (Prometheus'
   * schema.IsMetadataLabel). Kept, since every function asks for it.
   */
  get unnamed(): Labels {
    this.#unnamed ??= this.without(METADATA_LABELS);
    return this.#unnamed;
  }

  #filter(keep: (name: string) => boolean): Labels {
    const all = this.#pairs;
    const pairs: string[] = [];
    for (let i = 0; i < all.length; i += 2) {
      const name = all[i] ?? '';
      if (keep(name)) pairs.push(name, all[i + 1] ?? '');
    }
    if (pairs.length === this.#pairs.length) return this;
    return pairs.length === 0 ? Labels.EMPTY : new Labels(pairs);
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) yield [pairs[i] ?? '', pairs[i + 1] ?? ''];
  }

  /** Name by name, value by value, a prefix first (Prometheus' model/labels.Compare). */
  static compare(a: Labels, b: Labels): number {
    const left = a.#pairs;
    const right = b.#pairs;
    const both = Math.min(left.length, right.length);
    for (let i = 0; i < both; i++) {
      const l = left[i] ?? '';
      const r = right[i] ?? '';
      if (l !== r) return l < r ? -1 : 1;
    }
    return left.length - right.length;
  }

  toObject(): Record<string, string> {
    return Object.fromEntries(this);
  }
}

/** By UTF-16 code units, as sort() without a comparator does; the stores and the APIs order names and values by this. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
