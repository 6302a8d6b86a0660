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

/** Throws an Error with Loki's text where a value is malformed. */
export function compileLineFilter(filter: LineFilter): CompiledLineFilter {
  const { operator, values } = filter;
  const negative = operator.startsWith('!');
  const tests = values.map(({ text, ip }) => {
    if (ip) {
      const range = parseIpPattern(text);
      if (operator !== '|=' && operator !== '!=') throw new Error('ip: invalid operation');
      if (range === undefined) throw invalidIp(text);
      return (line: string) => containsIp(line, range);
    }
    return testOf(operator, text);
  });
  const [only] = tests;
  const any = tests.length === 1 && only !== undefined ? only : (line: string) => tests.some((test) => test(line));
  const test = negative ? (line: string) => !any(line) : any;
  if (values.some(({ ip }) => ip)) return { test };
  if (operator === '|=' || operator === '!=') {
    const texts = values.map(({ text }) => text);
    const [first = ''] = texts;
    return {
      test,
      automaton: { negative, make: once(() => literalAutomaton(texts)) },
      literals: { texts, negative },
      ...(!negative && texts.length === 1 && first !== '' ? { requires: first } : {}),
    };
  }
  if (operator === '|>' || operator === '!>') return { test };
  const [first = '', ...others] = values.map(({ text }) => text);
  const source = others.length === 0 ? first : values.map(({ text }) => `(?:${text})`).join('|');
  const automaton = { negative, make: once(() => regexAutomaton(source)) };
  const requires = negative || others.length > 0 ? '' : requiredLiteral(first);
  return { test, automaton, ...(requires === '' ? {} : { requires }) };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function testOf(operator: LineFilter['operator'], text: string): (line: string) => boolean {
  switch (operator) {
    case '|=':
    case '!=':
      return (line) => line.includes(text);
    case '|~':
    case '!~': {
      try {
        const regex = compileRegex(text);
        return (line) => regex.test(line);
      } catch (error) {
        if (error instanceof RegexSyntaxError) throw new Error(error.message);
        throw error;
      }
    }
    case '|>':
    case '!>': {
      const parts = parseLinePattern(text);
      return (line) => matchesPattern(parts, line);
    }
  }
}
