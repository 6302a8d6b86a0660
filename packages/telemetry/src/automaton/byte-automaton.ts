/**
 * A deterministic automaton over bytes that tells whether a text contains something. It is walked a byte at a time:
 * `state = next[(state << 8) | byte]` from `START`. A text is accepted where the walk reaches `ACCEPT`, which it never
 * leaves, or ends in a state of `acceptsAtEnd`.
 */
export interface ByteAutomaton {
  readonly next: Uint16Array;
  /** 1 by state. */
  readonly acceptsAtEnd: Uint8Array;
}

export const START = 0;
export const ACCEPT = 1;
/** From here nothing can be accepted any more. */
export const DEAD = 2;

/** States beyond which an automaton is not made. */
export const MAX_STATES = 512;
/** Looks at nodes beyond which it is not made either: an expression may be short and its automaton large. */
const MAX_WORK = 2_000_000;

/** What may come at one place of a text. */
export type Node =
  | { readonly kind: 'byte'; readonly low: number; readonly high: number; readonly out: number }
  | { readonly kind: 'both'; readonly left: number; readonly right: number }
  | { readonly kind: 'begin' | 'end'; readonly out: number }
  | { readonly kind: 'match' | 'fail' };

/** Where the text stands when conditions are looked at. */
interface Place {
  readonly isBegin: boolean;
  readonly isEnd: boolean;
}

/** Makes the automaton of a search for what the nodes accept, by subsets; undefined where it would be too large. */
export function buildAutomaton(nodes: readonly Node[], root: number): ByteAutomaton | undefined {
  const sets: (readonly number[])[] = [];
  const known = new Map<string, number>();
  const acceptsAtEnd: number[] = [];
  const rows: Uint16Array[] = [];
  let work = 0;

  const stateOf = (set: readonly number[], isBegin: boolean): number => {
    if (!isBegin && set.some((id) => nodes[id]?.kind === 'match')) return ACCEPT;
    if (!isBegin && set.length === 0) return DEAD;
    const key = `${isBegin ? '^' : ''}${set.join(',')}`;
    let state = known.get(key);
    if (state === undefined) {
      state = sets.length;
      known.set(key, state);
      sets.push(set);
      acceptsAtEnd[state] = endsInMatch(nodes, set, isBegin) ? 1 : 0;
    }
    return state;
  };

  const first = closure(nodes, [root], { isBegin: true, isEnd: false });
  stateOf(first, true);
  for (const state of [ACCEPT, DEAD]) {
    sets.push([]);
    acceptsAtEnd[state] = state === ACCEPT ? 1 : 0;
  }
  // What can begin anywhere but at the beginning.
  const again = closure(nodes, [root], { isBegin: false, isEnd: false });
  for (let state = 0; state < sets.length; state++) {
    work += (sets[state]?.length ?? 0) * 2 + again.length;
    if (sets.length > MAX_STATES || work > MAX_WORK) return undefined;
    const row = new Uint16Array(256);
    rows.push(row);
    if (state === ACCEPT || state === DEAD) row.fill(state);
    else if (sets[state]?.some((id) => nodes[id]?.kind === 'match')) row.fill(ACCEPT);
    else work += fillRow(nodes, sets[state] ?? [], again, row, (set) => stateOf(set, false));
  }
  const next = new Uint16Array(rows.length * 256);
  for (const [state, row] of rows.entries()) next.set(row, state * 256);
  if (first.some((id) => nodes[id]?.kind === 'match')) acceptsAtEnd[START] = 1;
  return { next, acceptsAtEnd: Uint8Array.from(acceptsAtEnd) };
}

function fillRow(
  nodes: readonly Node[],
  set: readonly number[],
  again: readonly number[],
  row: Uint16Array,
  stateOf: (set: readonly number[]) => number,
): number {
  let work = 0;
  const edges = new Set([0]);
  for (const id of set) {
    const node = nodes[id];
    if (node?.kind !== 'byte') continue;
    edges.add(node.low);
    edges.add(node.high + 1);
  }
  const bounds = [...edges].filter((edge) => edge < 256).sort((a, b) => a - b);
  bounds.forEach((from, i) => {
    const outs: number[] = [];
    for (const id of set) {
      const node = nodes[id];
      if (node?.kind === 'byte' && node.low <= from && from <= node.high) outs.push(node.out);
    }
    const reached = closure(nodes, outs, { isBegin: false, isEnd: false });
    row.fill(stateOf(union(reached, again)), from, bounds[i + 1] ?? 256);
    work += set.length + reached.length + again.length;
  });
  return work;
}

function union(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((x, y) => x - y);
}

/** The nodes that are reached without a byte; conditions that do not hold yet stay, in case the end comes. */
function closure(nodes: readonly Node[], roots: readonly number[], place: Place): number[] {
  const found = new Set<number>();
  const seen = new Set<number>();
  const open = [...roots];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const node = nodes[id];
    switch (node?.kind) {
      case 'both':
        open.push(node.left, node.right);
        break;
      case 'begin':
        if (place.isBegin) open.push(node.out);
        break;
      case 'end':
        found.add(id);
        if (place.isEnd) open.push(node.out);
        break;
      case 'byte':
      case 'match':
        found.add(id);
        break;
      case 'fail':
      case undefined:
        break;
    }
  }
  return [...found].sort((x, y) => x - y);
}

function endsInMatch(nodes: readonly Node[], set: readonly number[], isBegin: boolean): boolean {
  return closure(nodes, set, { isBegin, isEnd: true }).some((id) => nodes[id]?.kind === 'match');
}

/** Whether the automaton accepts a text; for tests, and for text that is in one piece. */
export function accepts({ next, acceptsAtEnd }: ByteAutomaton, text: Uint8Array, from = 0, to = text.length): boolean {
  let state = START;
  for (let i = from; i < to; i++) {
    state = next[(state << 8) | (text[i] ?? 0)] ?? DEAD;
    if (state === ACCEPT) return true;
  }
  return acceptsAtEnd[state] === 1;
}
