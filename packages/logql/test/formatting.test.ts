import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatQuery, parseQuery } from '../src/index.ts';

interface Case {
  readonly query: string;
  readonly formatted: string;
}

function readCases(text: string): Case[] {
  const blocks = text.split(/\n(?! {4})/).filter((block) => block !== '' && !block.startsWith('#'));
  return blocks.map((block) => {
    const [query = '', ...lines] = block.trimEnd().split('\n');
    return { query, formatted: lines.map((line) => line.slice(4)).join('\n') };
  });
}

describe('formatted queries', () => {
  const cases = readCases(readFileSync(new URL('../testdata/formatting.txt', import.meta.url), 'utf8'));

  it.each(cases)('$query', ({ query, formatted }) => {
    expect(formatQuery(parseQuery(query))).toBe(formatted);
  });

  it('says the same when they are read again', () => {
    // Over several lines Loki loses alternatives, `on ()` and `without ()`.
    const lossless = cases.filter(({ formatted }) => !formatted.includes('\n'));
    for (const { formatted } of lossless) expect(formatQuery(parseQuery(formatted))).toBe(formatted);
  });
});
