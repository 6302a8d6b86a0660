import { RE2JS } from 're2js';
import { type ByteAutomaton, buildAutomaton, MAX_STATES, type Node } from './byte-automaton.ts';
import { utf8Ranges } from './utf8-ranges.ts';

/** The instructions of RE2's compiled programs (re2js, `Inst`). */
const ALT = 1;
const ALT_MATCH = 2;
const CAPTURE = 3;
const EMPTY_WIDTH = 4;
const FAIL = 5;
const MATCH = 6;
const NOP = 7;
const RUNE = 8;
const RUNE1 = 9;
const RUNE_ANY = 10;
const RUNE_ANY_NOT_NL = 11;
const FOLD_CASE = 1;
const BEGIN_TEXT = 4;
const END_TEXT = 8;

interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: Int32Array | readonly number[];
}

const MAX_NODES = MAX_STATES * 8;
const MAX_RUNE = 0x10ffff;
const LINE_FEED = 10;

/** Characters beyond ASCII that are the same as an ASCII letter where case does not count (Unicode's simple folding). */
const FOLDED: Readonly<Record<string, number>> = { k: 0x212a, s: 0x17f };

/** Nodes with places that are known before what stands there. */
class NodeList {
  readonly nodes: Node[] = [];

  add(node: Node): number {
    this.nodes.push(node);
    return this.nodes.length - 1;
  }

  /** One of several. */
  anyOf(ids: readonly number[]): number {
    if (ids.length === 0) return this.add({ kind: 'fail' });
    return ids.reduce((left, right) => this.add({ kind: 'both', left, right }));
  }

  bytes(bytes: Uint8Array, out: number): number {
    return bytes.reduceRight((next, byte) => this.add({ kind: 'byte', low: byte, high: byte, out: next }), out);
  }

  runes(ranges: readonly (readonly [number, number])[], out: number): number {
    const ids: number[] = [];
    for (const [low, high] of ranges)
      for (const run of utf8Ranges(low, high))
        ids.push(
          run.reduceRight((next, [from, to]) => this.add({ kind: 'byte', low: from, high: to, out: next }), out),
        );
    return this.anyOf(ids);
  }
}

/** Texts that contain one of the strings. Undefined where the automaton would be too large. */
export function literalAutomaton(texts: readonly string[]): ByteAutomaton | undefined {
  const list = new NodeList();
  const match = list.add({ kind: 'match' });
  const encoder = new TextEncoder();
  const encoded = texts.map((text) => encoder.encode(text));
  if (encoded.reduce((sum, { length }) => sum + length, 0) >= MAX_STATES) return undefined;
  return buildAutomaton(list.nodes, list.anyOf(encoded.map((bytes) => list.bytes(bytes, match))));
}

/**
 * Texts (valid UTF-8) in which an RE2 expression matches. Undefined where the automaton would be too large, or where
 * the expression asks about words or lines inside the text.
 */
export function regexAutomaton(source: string): ByteAutomaton | undefined {
  const program = (RE2JS.compile(source).re2Input as { readonly prog?: { start?: unknown; inst?: unknown } }).prog;
  if (typeof program?.start !== 'number' || !Array.isArray(program.inst)) return undefined;
  const instructions = program.inst as readonly Instruction[];
  const list = new NodeList();
  // Each instruction has the node with its own number, which is filled in when what stands behind it is known.
  for (let i = 0; i < instructions.length; i++) list.add({ kind: 'fail' });
  for (const [i, instruction] of instructions.entries()) {
    const node = nodeOf(instruction, list);
    if (node === undefined || list.nodes.length > MAX_NODES) return undefined;
    list.nodes[i] = node;
  }
  return buildAutomaton(list.nodes, program.start);
}

function nodeOf({ op, out, arg, runes }: Instruction, list: NodeList): Node | undefined {
  const goTo = (id: number): Node => ({ kind: 'both', left: id, right: id });
  switch (op) {
    case ALT:
    case ALT_MATCH:
      return { kind: 'both', left: out, right: arg };
    case CAPTURE:
    case NOP:
      return goTo(out);
    case EMPTY_WIDTH:
      if (arg === BEGIN_TEXT) return { kind: 'begin', out };
      return arg === END_TEXT ? { kind: 'end', out } : undefined;
    case FAIL:
      return { kind: 'fail' };
    case MATCH:
      return { kind: 'match' };
    case RUNE_ANY:
      return goTo(list.runes([[0, MAX_RUNE]], out));
    case RUNE_ANY_NOT_NL:
      return goTo(
        list.runes(
          [
            [0, LINE_FEED - 1],
            [LINE_FEED + 1, MAX_RUNE],
          ],
          out,
        ),
      );
    case RUNE:
    case RUNE1: {
      const ranges = rangesOf(runes, (arg & FOLD_CASE) !== 0);
      return ranges && goTo(list.runes(ranges, out));
    }
    default:
      return undefined;
  }
}

function rangesOf(runes: Instruction['runes'], foldCase: boolean): [number, number][] | undefined {
  const [only = 0] = runes;
  if (runes.length !== 1) {
    const ranges: [number, number][] = [];
    for (let i = 0; i + 1 < runes.length; i += 2) ranges.push([runes[i] ?? 0, runes[i + 1] ?? 0]);
    return ranges;
  }
  if (!foldCase) return [[only, only]];
  if (only > 0x7f) return undefined;
  const lower = String.fromCharCode(only).toLowerCase();
  const upper = lower.toUpperCase();
  const all = [lower.charCodeAt(0), upper.charCodeAt(0), ...(FOLDED[lower] === undefined ? [] : [FOLDED[lower]])];
  return [...new Set(all)].map((rune) => [rune, rune]);
}
