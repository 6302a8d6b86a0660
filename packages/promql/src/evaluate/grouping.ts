import { type Labels, METRIC_NAME } from '@kind-e2e/telemetry';
import type { Aggregation } from '../syntax/index.ts';

/** Finds the group of `by` or `without` that a series is in; groups are in the order in which they first appear. */
export class Groups<T> {
  readonly #create: (labels: Labels) => T;
  readonly #without: boolean;
  readonly #names: ReadonlySet<string>;
  readonly #list: readonly string[];
  readonly #byKey = new Map<string, T>();

  constructor(node: Aggregation, create: (labels: Labels) => T) {
    this.#create = create;
    this.#without = node.without;
    this.#list = node.grouping;
    this.#names = new Set(node.without ? [...node.grouping, METRIC_NAME] : node.grouping);
  }

  of(labels: Labels): T {
    const key = this.#keyOf(labels);
    let group = this.#byKey.get(key);
    if (group === undefined) {
      group = this.#create(this.#labelsOf(labels));
      this.#byKey.set(key, group);
    }
    return group;
  }

  get all(): IterableIterator<T> {
    return this.#byKey.values();
  }

  #labelsOf(labels: Labels): Labels {
    return this.#without ? labels.without(this.#names) : labels.only(this.#names);
  }

  /** The values alone tell groups of `by` apart, which saves a label set for each series. */
  #keyOf(labels: Labels): string {
    if (this.#without) return this.#labelsOf(labels).key;
    let key = '';
    for (const name of this.#list) key += `${labels.get(name)}\xff`;
    return key;
  }
}
