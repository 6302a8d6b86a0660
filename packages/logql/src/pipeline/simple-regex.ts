/**
 * What a regular expression amounts to where Loki makes plain comparisons of it. They differ from the expression at
 * the edges, and answers differ with them: of a label, `warn|warning` is looked for anywhere in the value, and an
 * alternative that matches everything is left out.
 */
export type SimpleTest =
  | { readonly kind: 'all' }
  | { readonly kind: 'not-empty' }
  | { readonly kind: 'contains' | 'equals'; readonly text: string; readonly ignoresCase: boolean }
  | { readonly kind: 'any'; readonly tests: readonly SimpleTest[] };

/** An expression as Go's regexp/syntax has it after parsing, as far as it can be simple. */
type Node =
  | { readonly op: 'literal'; readonly text: string }
  | { readonly op: 'empty' | 'star' | 'plus' }
  | { readonly op: 'concat' | 'alternate'; readonly nodes: readonly Node[] }
  | { readonly op: 'capture'; readonly node: Node };

const ALL: SimpleTest = { kind: 'all' };

/**
 * The comparisons that Loki makes of an expression, undefined where it is run as it is (pkg/logql/log/filter.go,
 * RegexSimplifier; regexp/syntax of Go for the shape of what it looks at).
 */
export function simplifyRegex(source: string, ofLabel: boolean): SimpleTest | undefined {
  const ignoresCase = source.startsWith('(?i)');
  const node = new Parser(ignoresCase ? source.slice(4).toLowerCase() : source).parse();
  return node && simplify(node, { ofLabel, ignoresCase });
}

interface Context {
  readonly ofLabel: boolean;
  readonly ignoresCase: boolean;
}

function simplify(node: Node, context: Context): SimpleTest | undefined {
  switch (node.op) {
    case 'alternate': {
      let joined: SimpleTest | undefined;
      for (const leg of node.nodes) {
        const test = simplify(withoutCapture(leg), context);
        if (test === undefined) return undefined;
        joined = joined === undefined ? test : either(joined, test);
      }
      return joined;
    }
    case 'concat':
      return simplifyConcat(node.nodes, context, undefined);
    case 'capture':
      return simplify(node.node, context);
    case 'literal':
      return literalTest(context.ofLabel ? 'equals' : 'contains', node.text, context);
    case 'plus':
      return { kind: 'not-empty' };
    case 'star':
    case 'empty':
      return ALL;
  }
}

function literalTest(kind: 'contains' | 'equals', text: string, { ignoresCase }: Context): SimpleTest {
  return { kind, text, ignoresCase };
}

/** One of two, where one that holds of everything does not count. */
export function either(left: SimpleTest, right: SimpleTest): SimpleTest {
  if (left.kind === 'all') return right;
  if (right.kind === 'all') return left;
  return { kind: 'any', tests: [left, right] };
}

function withoutCapture(node: Node): Node {
  return node.op === 'capture' ? node.node : node;
}

/** A literal with `.*` on its sides, or a literal and alternatives of its end. */
function simplifyConcat(nodes: readonly Node[], context: Context, before: string | undefined): SimpleTest | undefined {
  const parts = nodes.map(withoutCapture).filter(({ op }) => op !== 'empty');
  if (parts.length > 3) return undefined;
  let base = before;
  let joined: SimpleTest | undefined;
  let literals = 0;
  for (const part of parts) {
    if (part.op === 'literal') {
      if (++literals > 1) return undefined;
      base = (base ?? '') + part.text;
    } else if (part.op === 'alternate' && base !== undefined) {
      joined = simplifyEnds(part.nodes, context, base, joined);
      if (joined === undefined) return undefined;
    } else if (part.op !== 'star') return undefined;
  }
  return joined ?? (base === undefined ? undefined : literalTest('contains', base, context));
}

function simplifyEnds(
  ends: readonly Node[],
  context: Context,
  base: string,
  before: SimpleTest | undefined,
): SimpleTest | undefined {
  let joined = before;
  for (const end of ends) {
    let test: SimpleTest | undefined;
    if (end.op === 'empty' || end.op === 'star') test = literalTest('contains', base, context);
    else if (end.op === 'literal') test = literalTest('contains', base + end.text, context);
    else if (end.op === 'concat') test = simplifyConcat(end.nodes, context, base);
    if (test === undefined) return undefined;
    joined = joined === undefined ? test : either(joined, test);
  }
  return joined;
}

/** Reads expressions of characters, `.*`, `.+`, groups and alternatives; gives undefined of all others. */
class Parser {
  readonly #source: string;
  #at = 0;
  #failed = false;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node | undefined {
    const node = this.#alternatives();
    return this.#failed || this.#at < this.#source.length ? undefined : node;
  }

  #alternatives(): Node {
    const legs = [this.#sequence()];
    while (this.#source[this.#at] === '|') {
      this.#at += 1;
      legs.push(this.#sequence());
    }
    const flat = legs.flatMap((leg) => (leg.op === 'alternate' ? leg.nodes : [leg]));
    return legs.length === 1 ? (legs[0] ?? { op: 'empty' }) : this.#alternation(flat);
  }

  #alternation(nodes: readonly Node[]): Node {
    const factored = this.#factor(nodes);
    const [only] = factored;
    return factored.length === 1 && only !== undefined ? only : { op: 'alternate', nodes: factored };
  }

  /** What follows one another, characters in one piece. */
  #sequence(): Node {
    const nodes: Node[] = [];
    const push = (node: Node): void => {
      const last = nodes.at(-1);
      if (node.op === 'literal' && last?.op === 'literal')
        nodes[nodes.length - 1] = { op: 'literal', text: last.text + node.text };
      else nodes.push(node);
    };
    while (!this.#failed && this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at] ?? ''))
      push(this.#item());
    const flat = nodes.flatMap((node) => (node.op === 'concat' ? node.nodes : [node]));
    const [only] = flat;
    if (only === undefined) return { op: 'empty' };
    return flat.length === 1 ? only : { op: 'concat', nodes: flat };
  }

  #item(): Node {
    const rest = this.#source.slice(this.#at);
    const open = /^\((?:\?(?::|P?<\w+>))?/.exec(rest)?.[0];
    if (open !== undefined) {
      this.#at += open.length;
      const inner = this.#alternatives();
      if (this.#source[this.#at] !== ')') return this.#fail();
      this.#at += 1;
      if (this.#isQuantified()) return this.#fail();
      return open === '(?:' ? inner : { op: 'capture', node: inner };
    }
    const repeated = /^\.([*+])\??(?![*+?{])/.exec(rest);
    if (repeated !== null) {
      this.#at += repeated[0].length;
      return { op: repeated[1] === '*' ? 'star' : 'plus' };
    }
    const text = /^(?:\\([^\p{L}\p{N}\s])|([^\\.+*?()|[\]{}^$]))/u.exec(rest);
    if (text === null) return this.#fail();
    this.#at += text[0].length;
    if (this.#isQuantified()) return this.#fail();
    return { op: 'literal', text: text[1] ?? text[2] ?? '' };
  }

  #isQuantified(): boolean {
    return '*+?{'.includes(this.#source[this.#at] ?? '|');
  }

  #fail(): Node {
    this.#failed = true;
    return { op: 'empty' };
  }

  /**
   * Alternatives that begin alike share their beginning, several empty ones are one, and single characters beside each
   * other become a class of characters, which is not simple (parse.go, factor).
   */
  #factor(nodes: readonly Node[]): Node[] {
    const out: Node[] = [];
    for (let start = 0; start < nodes.length; ) {
      let common = leadingText(nodes[start]);
      let end = start + 1;
      for (; common !== '' && end < nodes.length; end++) {
        const shared = sharedPrefix(common, leadingText(nodes[end]));
        if (shared === '') break;
        common = shared;
      }
      const first = nodes[start];
      if (first !== undefined && end === start + 1) {
        out.push(first);
        start += 1;
        continue;
      }
      const ends = nodes.slice(start, end).map((node) => withoutLeading(node, common.length));
      const tail = this.#alternation(ends);
      const prefix: Node = { op: 'literal', text: common };
      out.push({ op: 'concat', nodes: [prefix, tail] });
      start = end;
    }
    const isCharacter = (node: Node | undefined): boolean => node?.op === 'literal' && [...node.text].length === 1;
    if (out.some((node, i) => isCharacter(node) && isCharacter(out[i + 1]))) this.#failed = true;
    return out.filter((node, i) => node.op !== 'empty' || out[i - 1]?.op !== 'empty');
  }
}

function leadingText(node: Node | undefined): string {
  const first = node?.op === 'concat' ? node.nodes[0] : node;
  return first?.op === 'literal' ? first.text : '';
}

function sharedPrefix(a: string, b: string): string {
  const left = [...a];
  const right = [...b];
  let same = 0;
  while (same < left.length && same < right.length && left[same] === right[same]) same++;
  return left.slice(0, same).join('');
}

function withoutLeading(node: Node, length: number): Node {
  if (node.op === 'literal') {
    const text = node.text.slice(length);
    return text === '' ? { op: 'empty' } : { op: 'literal', text };
  }
  if (node.op !== 'concat') return node;
  const [first, ...others] = node.nodes;
  const rest =
    first === undefined
      ? []
      : [withoutLeading(first, length), ...others].filter(({ op }, i) => i > 0 || op !== 'empty');
  const [only] = rest;
  return rest.length === 1 && only !== undefined ? only : { op: 'concat', nodes: rest };
}

/** Whether a text passes. */
export function simpleTest(test: SimpleTest): (text: string) => boolean {
  switch (test.kind) {
    case 'all':
      return () => true;
    case 'not-empty':
      return (text) => text !== '';
    case 'contains': {
      const { text: wanted, ignoresCase } = test;
      return ignoresCase ? (text) => text.toLowerCase().includes(wanted) : (text) => text.includes(wanted);
    }
    case 'equals': {
      const { text: wanted, ignoresCase } = test;
      return ignoresCase ? (text) => text.toLowerCase() === wanted : (text) => text === wanted;
    }
    case 'any': {
      const tests = test.tests.map(simpleTest);
      return (text) => tests.some((passes) => passes(text));
    }
  }
}
