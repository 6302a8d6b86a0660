import { ACCEPT, type ByteAutomaton, DEAD, START } from '@kind-e2e/telemetry';
import { AutomatonTables } from './automaton-tables.ts';
import { type Column, columnLengths, type Shape } from './shape-index.ts';

/** Of the lines of one shape: all, none, or those with a 1. */
export type ShapeMatches = true | false | Uint8Array;

/**
 * Walks an automaton over all lines of a shape at once. As long as they are all in one state there is one walk; a
 * column of words that cannot lead out of the state is passed by unread.
 */
export class ShapeWalk {
  readonly #automaton: ByteAutomaton;
  readonly #tables: AutomatonTables;
  readonly #shape: Shape;
  #state = START;
  #at = 0;

  constructor(automaton: ByteAutomaton, shape: Shape) {
    this.#automaton = automaton;
    this.#tables = AutomatonTables.of(automaton);
    this.#shape = shape;
  }

  /** Goes as far as the shape alone tells; true where words must be read. */
  withoutColumns(): boolean {
    const { texts, columns } = this.#shape;
    this.#state = this.#through(texts[0], START);
    for (let i = 0; i < columns.length; i++) {
      if (this.#state === ACCEPT || this.#state === DEAD) break;
      const column = columns[i];
      if (column && !this.#stays(column, this.#state)) {
        this.#at = i;
        return true;
      }
      this.#state = this.#through(texts[i + 1], this.#state);
    }
    this.#at = columns.length;
    return false;
  }

  finish(partOf: (column: Column) => Uint8Array): ShapeMatches {
    const { rows, texts, columns } = this.#shape;
    const { acceptsAtEnd } = this.#automaton;
    if (this.#at === columns.length) return acceptsAtEnd[this.#state] === 1;
    const states = new Uint16Array(rows).fill(this.#state);
    let present: ReadonlySet<number> = new Set([this.#state]);
    for (let i = this.#at; i < columns.length; i++) {
      const column = columns[i];
      if (column && ![...present].every((state) => this.#stays(column, state)))
        present = this.#throughColumn(column, states, partOf(column));
      const text = texts[i + 1];
      if (!text || text.length === 0) continue;
      const moved = new Map<number, number>();
      for (const state of present) moved.set(state, this.#through(text, state));
      present = move(states, moved);
      if (present.size === 1 && (present.has(ACCEPT) || present.has(DEAD))) return present.has(ACCEPT);
    }
    for (let row = 0; row < rows; row++) states[row] = acceptsAtEnd[states[row] ?? DEAD] ?? 0;
    return Uint8Array.from(states);
  }

  #through(text: Uint8Array | undefined, from: number): number {
    const { next } = this.#automaton;
    let state = from;
    for (let i = 0; text && i < text.length; i++) state = next[(state << 8) | (text[i] ?? 0)] ?? DEAD;
    return state;
  }

  #stays(column: Column, state: number): boolean {
    return this.#tables.settled(column.bytes)[state] === 1;
  }

  #throughColumn(column: Column, states: Uint16Array, part: Uint8Array): Set<number> {
    const { next } = column.isHex ? { next: this.#tables.pairs() } : this.#automaton;
    const settled = this.#tables.settled(column.bytes);
    const bytesEach = column.isHex ? column.width / 2 : column.width;
    const rows = states.length;
    const lengths = columnLengths(column, rows, part);
    const seen = new Uint8Array(settled.length);
    let at = column.offset + rows * column.lengthBytes;
    for (let row = 0; row < rows; row++) {
      const end = at + (lengths === undefined ? bytesEach : (lengths[row] ?? 0));
      let state = states[row] ?? DEAD;
      for (; at < end && settled[state] === 0; at++) state = next[(state << 8) | (part[at] ?? 0)] ?? DEAD;
      at = end;
      states[row] = state;
      seen[state] = 1;
    }
    const present = new Set<number>();
    seen.forEach((mark, state) => {
      if (mark === 1) present.add(state);
    });
    return present;
  }
}

/** Moves every state; gives those that are there now. */
function move(states: Uint16Array, moved: ReadonlyMap<number, number>): Set<number> {
  if ([...moved].some(([from, to]) => from !== to)) {
    const table = new Uint16Array(Math.max(...moved.keys()) + 1);
    for (const [from, to] of moved) table[from] = to;
    for (let row = 0; row < states.length; row++) states[row] = table[states[row] ?? 0] ?? DEAD;
  }
  return new Set(moved.values());
}
