import type { LineSet, PackedLines } from '@kind-e2e/telemetry';
import type { CompiledLineFilter } from './line-filter.ts';

/** The lines of a packed chunk that pass the filters which need no text, and the filters that are left. */
export interface PackedMatches {
  readonly count: number;
  /** Undefined where all lines are in. */
  readonly marks: (() => Uint8Array) | undefined;
  readonly rest: readonly CompiledLineFilter[];
}

export function searchPacked(packed: PackedLines, filters: readonly CompiledLineFilter[]): PackedMatches {
  const rest: CompiledLineFilter[] = [];
  const sets: { readonly set: LineSet; readonly negative: boolean }[] = [];
  for (const filter of filters) {
    const automaton = filter.automaton?.make();
    if (filter.automaton === undefined || automaton === undefined) {
      rest.push(filter);
      continue;
    }
    const { negative } = filter.automaton;
    const set = packed.search(automaton);
    const count = negative ? packed.count - set.count : set.count;
    if (count === 0) return { count: 0, marks: undefined, rest: [] };
    if (count < packed.count) sets.push({ set, negative });
  }
  const [first, ...others] = sets;
  if (!first) return { count: packed.count, marks: undefined, rest };
  let marks: Uint8Array | undefined;
  const marked = (): Uint8Array => {
    marks ??= sets.map(({ set, negative }) => (negative ? inverted(set.marks()) : set.marks())).reduce(both);
    return marks;
  };
  const count =
    others.length > 0
      ? marked().reduce((sum, mark) => sum + mark, 0)
      : first.negative
        ? packed.count - first.set.count
        : first.set.count;
  return { count, marks: marked, rest };
}

function inverted(marks: Uint8Array): Uint8Array {
  return marks.map((mark) => 1 - mark);
}

function both(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((mark, i) => mark & (b[i] ?? 0));
}

/** The marks, or only the first or last so many. */
export function marksOf(
  { marks }: PackedMatches,
  packed: PackedLines,
  { most = Number.POSITIVE_INFINITY, backward = false } = {},
): Uint8Array {
  const all = marks?.() ?? new Uint8Array(packed.count).fill(1);
  if (most >= all.length) return all;
  const kept = new Uint8Array(all.length);
  let count = 0;
  for (let i = 0; i < all.length && count < most; i++) {
    const at = backward ? all.length - 1 - i : i;
    if (all[at] !== 1) continue;
    kept[at] = 1;
    count++;
  }
  return kept;
}
