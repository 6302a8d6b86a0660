import type { CollectionChange } from './collection.ts';

/** How much of the past one resource keeps for watches that resume. */
const MAX_EVENTS = 20_000;
const MAX_BYTES = 8 << 20;
/** This many are kept however large they are. */
const MIN_EVENTS = 100;

/** The window of past changes of one resource, oldest first (kube-apiserver's watch cache). */
export class EventHistory {
  #events: CollectionChange[] = [];
  #first = 0;
  #bytes = 0;
  #start: number;

  constructor(start: number) {
    this.#start = start;
  }

  /** Every change after this revision is here. */
  get start(): number {
    return this.#start;
  }

  push(change: CollectionChange): void {
    this.#events.push(change);
    this.#bytes += change.record.json.length;
    while (this.#isTooLong()) {
      const dropped = this.#events[this.#first];
      if (!dropped) break;
      this.#first++;
      this.#bytes -= dropped.record.json.length;
      this.#start = dropped.record.revision;
    }
    if (this.#first > 1_000 && this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Changes after a revision in order, or undefined where some of them are forgotten. */
  since(revision: number): CollectionChange[] | undefined {
    if (revision < this.#start) return undefined;
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.record.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }

  #isTooLong(): boolean {
    const count = this.#events.length - this.#first;
    return count > MAX_EVENTS || (this.#bytes > MAX_BYTES && count > MIN_EVENTS);
  }
}
