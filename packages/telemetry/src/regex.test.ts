import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex, expandTemplate, LinearRegex, RegexSyntaxError } from './regex.ts';

/** Processor time of this process so far: what a busy machine does to others does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

describe('LinearRegex', () => {
  it.each([
    ['(', 'error parsing regexp: missing closing ): `(`'],
    ['a**', 'error parsing regexp: invalid nested repetition operator: `**`'],
    ['*a', 'error parsing regexp: missing argument to repetition operator: `*`'],
    ['[z-a]', 'error parsing regexp: invalid character class range: `z-a`'],
    ['a{1001}', 'error parsing regexp: invalid repeat count: `{1001}`'],
  ])('refuses %s as Go does', (source, message) => {
    expect(() => new LinearRegex(source)).toThrow(RegexSyntaxError);
    expect(() => new LinearRegex(source, { dotAll: true })).toThrow(message);
  });

  it.each([
    ['(a+)+$', `${'a'.repeat(50_000)}!`],
    ['(a|aa)+$', `${'a'.repeat(50_000)}!`],
    ['a*a*a*a*a*b', 'a'.repeat(50_000)],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(50_000)],
    ['(.*)(.*)(.*)(.*)(.*)x', 'a'.repeat(20_000)],
  ])('takes linear time for %s', (source, text) => {
    const regex = new LinearRegex(source);
    const started = cpuMs();
    regex.test(text);
    regex.testFull(text);
    regex.find(text);
    expect(cpuMs() - started).toBeLessThan(2000);
  });

  it('matches as RE2 where the meanings of JavaScript differ', () => {
    expect(compileRegex('a.b').test('a\rb')).toBe(true);
    expect(compileRegex('a.b').test('a\nb')).toBe(false);
    expect(compileRegex('a.b', { dotAll: true }).test('a\nb')).toBe(true);
    expect(compileRegex('^b$').test('a\nb')).toBe(false);
    expect(compileRegex('(?m)^b$').test('a\nb')).toBe(true);
    expect(compileRegex('\\s').test('\u00a0')).toBe(false);
    expect(compileRegex('^.$').test('😀')).toBe(true);
    expect(compileRegex('[[:digit:]]+x').test('12x')).toBe(true);
    expect(compileRegex('\\pL+').testFull('äb')).toBe(true);
    expect(compileRegex('\\Qa.b\\E').test('axb')).toBe(false);
    expect(compileRegex('[a-]').test('-')).toBe(true);
    expect(compileRegex('[]a]').test(']')).toBe(true);
    expect(compileRegex('a{,2}').test('a{,2}')).toBe(true);
    expect(compileRegex('(?i)straße').test('STRAßE')).toBe(true);
    expect(compileRegex('x|').testFull('')).toBe(true);
  });

  it('finds groups by number and name', () => {
    const regex = compileRegex('(?P<key>\\w+)=(\\d*)');
    expect(regex.groupNames).toEqual(['key', undefined]);
    const match = regex.find('a b=12');
    expect([match?.start, match?.end, match?.groups[1], match?.groups[2]]).toEqual([2, 6, 'b', '12']);
    expect(regex.find('nothing')).toBeUndefined();
    expect(regex.findFull('b=12')?.groups[1]).toBe('b');
    expect(regex.findFull('a b=12')).toBeUndefined();
  });

  it('replaces as ReplaceAllStringFunc', () => {
    expect(compileRegex('a*').replaceAll('baac', () => 'x')).toBe('xbxcx');
    expect(compileRegex('').replaceAll('😀', () => '-')).toBe('-😀-');
  });

  it('expands templates as Regexp.Expand', () => {
    const regex = compileRegex('(?P<first>.)(.)');
    const match = regex.find('ab');
    if (match === undefined) throw new Error('no match');
    const expand = (template: string): string => expandTemplate(template, regex, match);
    expect(expand('$1-$2-$0')).toBe('a-b-ab');
    expect(expand('${first}x $firstx $$1 $9')).toBe('ax  $1 ');
  });

  it("agrees between V8's engine and RE2's", () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      '(a|b)',
      'a*',
      'b+',
      'c?',
      '\\d',
      '\\w',
      '^',
      '$',
      '(?:ab)',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '\n') }),
        (pieces, text) => {
          const source = pieces.join('');
          const fast = new LinearRegex(source);
          const slow = new LinearRegex(`(?:${source})(?:\\pL{0})`);
          expect(fast.test(text)).toBe(slow.test(text));
          expect(fast.testFull(text)).toBe(slow.testFull(text));
          expect(fast.find(text)?.end).toBe(slow.find(text)?.end);
          expect(fast.testBytes(new TextEncoder().encode(text))).toBe(fast.test(text));
        },
      ),
    );
  });
});
