import {
  type ByteAutomaton,
  compileRegex,
  literalAutomaton,
  RegexSyntaxError,
  regexAutomaton,
} from '@kind-e2e/telemetry';
import type { LineFilter } from '../syntax/ast.ts';
import { containsIp, invalidIp, parseIpPattern } from './ip.ts';
import { matchesPattern, parseLinePattern } from './pattern.ts';
import { requiredLiteral } from './regex-literal.ts';
import { type SimpleTest, simplifyRegex } from './simple-regex.ts';

/** One line filter in the forms that the scan wants. */
export interface CompiledLineFilter {
  /** Whether the line passes. */
  test(line: string): boolean;
  /** Every line that passes contains it: a byte search can go first. Absent where nothing is known. */
  readonly requires?: string;
  /** The filter is `contains one of these` (or none of these) and nothing else, so bytes are enough. */
  readonly literals?: { readonly texts: readonly string[]; readonly negative: boolean };
  /**
   * Lines that the automaton accepts pass, or where `negative` those that it does not; for texts that can be searched
   * without being unpacked. Undefined where there is none.
   */
  readonly automaton?: { readonly negative: boolean; readonly make: () => ByteAutomaton | undefined };
}

/** One of the values of a filter. */
type Part =
  | { readonly kind: 'all' }
  | { readonly kind: 'texts'; readonly texts: readonly string[] }
  | { readonly kind: 'regex'; readonly source: string; readonly test: (line: string) => boolean }
  | { readonly kind: 'other'; readonly test: (line: string) => boolean };

/** Throws an Error with Loki's text where a value is malformed. */
export function compileLineFilter(filter: LineFilter): CompiledLineFilter {
  const { operator, values } = filter;
  const negative = operator.startsWith('!');
  // Of alternatives Loki looks for addresses as for any text; of several that may not be there each is a filter.
  const asText = !negative && values.length > 1;
  const parts = (negative ? values.toReversed() : values).map(({ text, ip }) =>
    ip && !asText ? ipPart(operator, text) : partOf(operator, text),
  );
  // What holds of every line does not count beside others.
  const counting = asText ? parts.filter(({ kind }) => kind !== 'all') : parts;
  const texts = counting.flatMap((part) => (part.kind === 'texts' ? part.texts : []));
  const test = (line: string): boolean => counting.some((part) => passes(part, line)) !== negative;
  if (counting.length === 0 || counting.some(({ kind }) => kind === 'all')) return everything(negative);
  if (counting.every(({ kind }) => kind === 'texts')) {
    const [first = ''] = texts;
    return {
      test,
      automaton: { negative, make: once(() => literalAutomaton(texts)) },
      literals: { texts, negative },
      ...(!negative && texts.length === 1 ? { requires: first } : {}),
    };
  }
  const sources = counting.flatMap((part) =>
    part.kind === 'regex' ? [part.source] : part.kind === 'texts' ? part.texts.map(quoteMeta) : [],
  );
  if (counting.some(({ kind }) => kind === 'other')) return { test };
  const [only = '', ...others] = sources;
  const source = others.length === 0 ? only : sources.map((one) => `(?:${one})`).join('|');
  const requires = negative || others.length > 0 ? '' : requiredLiteral(only);
  return {
    test,
    automaton: { negative, make: once(() => regexAutomaton(source)) },
    ...(requires === '' ? {} : { requires }),
  };
}

function passes(part: Part, line: string): boolean {
  if (part.kind === 'all') return true;
  return part.kind === 'texts' ? part.texts.some((text) => line.includes(text)) : part.test(line);
}

function everything(negative: boolean): CompiledLineFilter {
  const texts = [''];
  return {
    test: () => !negative,
    automaton: { negative, make: once(() => literalAutomaton(texts)) },
    literals: { texts, negative },
  };
}

function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function ipPart(operator: LineFilter['operator'], text: string): Part {
  const range = parseIpPattern(text);
  if (operator !== '|=' && operator !== '!=') throw new Error('ip: invalid operation');
  if (range === undefined) throw invalidIp(text);
  return { kind: 'other', test: (line) => containsIp(line, range) };
}

function partOf(operator: LineFilter['operator'], text: string): Part {
  switch (operator) {
    case '|=':
    case '!=':
      return text === '' ? { kind: 'all' } : { kind: 'texts', texts: [text] };
    case '|~':
    case '!~':
      return regexPart(text);
    case '|>':
    case '!>': {
      const pattern = parseLinePattern(text);
      return { kind: 'other', test: (line) => matchesPattern(pattern, line) };
    }
  }
}

function regexPart(source: string): Part {
  let test: (line: string) => boolean;
  try {
    const regex = compileRegex(source);
    test = (line) => regex.test(line);
  } catch (error) {
    if (error instanceof RegexSyntaxError) throw new Error(error.message);
    throw error;
  }
  const simple = simplifyRegex(source, false);
  if (simple?.kind === 'all') return simple;
  const texts = simple && textsOf(simple);
  return texts === undefined ? { kind: 'regex', source, test } : { kind: 'texts', texts };
}

/** The texts of which a line must contain one, where that is all. */
function textsOf(test: SimpleTest): readonly string[] | undefined {
  if (test.kind === 'contains') return test.ignoresCase ? undefined : [test.text];
  if (test.kind !== 'any') return undefined;
  const each = test.tests.map(textsOf);
  return each.some((texts) => texts === undefined) ? undefined : each.flatMap((texts) => texts ?? []);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
