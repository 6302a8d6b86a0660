import type { BatchSeries } from '@kind-e2e/telemetry';

/** Forgotten all at once beyond it: no client sends so many series in turn. */
const MAX_SLOTS = 100_000;
const MAX_ARENA_BYTES = 32 * 1024 * 1024;
/** Series whose hashes collide beyond it are decoded each time. */
const MAX_PROBES = 64;

/** A series, or why its labels cannot be kept. */
export type SeriesOrProblem = BatchSeries | string;

/**
 * Finds series by the bytes of their label fields, as a client writes them again and again, so that labels are decoded
 * once. A client keeps the order of its series, so the one that came after the last one is looked at first; the rest is
 * a hash table with open addressing, and equal means that every byte is.
 */
export class LabelSlots {
  #arena = new Uint8Array(64 * 1024);
  #words = new DataView(this.#arena.buffer);
  #arenaEnd = 0;
  #starts: number[] = [0];
  #series: SeriesOrProblem[] = [];
  #table = new Int32Array(1024).fill(-1);
  #last = -1;

  find(view: DataView, from: number, to: number): SeriesOrProblem | undefined {
    const next = this.#last + 1;
    const slot = this.#isSame(next, view, from, to) ? next : this.#slotOf(view, from, to);
    if (slot < 0) return undefined;
    this.#last = slot;
    return this.#series[slot];
  }

  add(view: DataView, from: number, to: number, series: SeriesOrProblem): void {
    if (this.#series.length >= MAX_SLOTS || this.#arenaEnd + to - from > MAX_ARENA_BYTES) this.#clear();
    if (this.#series.length * 2 >= this.#table.length) this.#grow();
    const slot = this.#series.push(series) - 1;
    this.#copy(view, from, to);
    this.#starts.push(this.#arenaEnd);
    this.#put(slot, view, from, to);
    this.#last = slot;
  }

  #clear(): void {
    this.#arenaEnd = 0;
    this.#starts = [0];
    this.#series = [];
    this.#table = new Int32Array(1024).fill(-1);
    this.#last = -1;
  }

  #copy(view: DataView, from: number, to: number): void {
    const end = this.#arenaEnd + to - from;
    if (end > this.#arena.length) {
      const grown = new Uint8Array(Math.max(end, this.#arena.length * 2));
      grown.set(this.#arena.subarray(0, this.#arenaEnd));
      this.#arena = grown;
      this.#words = new DataView(grown.buffer);
    }
    this.#arena.set(new Uint8Array(view.buffer, view.byteOffset + from, to - from), this.#arenaEnd);
    this.#arenaEnd = end;
  }

  #slotOf(view: DataView, from: number, to: number): number {
    return this.#table[this.#placeOf(hashOf(view, from, to), view, from, to)] ?? -1;
  }

  /** The place in the table that has these bytes, or is free for them; -1 where there are too many of one hash. */
  #placeOf(hash: number, view: DataView, from: number, to: number): number {
    const mask = this.#table.length - 1;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const place = (hash + probe) & mask;
      const slot = this.#table[place] ?? -1;
      if (slot < 0 || this.#isSame(slot, view, from, to)) return place;
    }
    return -1;
  }

  #put(slot: number, view: DataView, from: number, to: number): void {
    const place = this.#placeOf(hashOf(view, from, to), view, from, to);
    if (place >= 0) this.#table[place] = slot;
  }

  #isSame(slot: number, view: DataView, from: number, to: number): boolean {
    if (slot >= this.#series.length) return false;
    const start = this.#starts[slot] ?? 0;
    const length = to - from;
    if ((this.#starts[slot + 1] ?? 0) - start !== length) return false;
    const arena = this.#arena;
    const words = this.#words;
    // Series of one metric differ near the end.
    let i = length;
    for (; i >= 4; i -= 4) if (words.getInt32(start + i - 4, true) !== view.getInt32(from + i - 4, true)) return false;
    while (--i >= 0) if (arena[start + i] !== view.getUint8(from + i)) return false;
    return true;
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 2).fill(-1);
    for (let slot = 0; slot < this.#series.length; slot++) {
      this.#put(slot, this.#words, this.#starts[slot] ?? 0, this.#starts[slot + 1] ?? 0);
    }
  }
}

/** FNV-1a, mixed at the end so that the low bits are good for a table. */
function hashOf(view: DataView, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ view.getUint8(i), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 1;
}
