import type { TestCase, TestSuite } from './record.ts';

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const TAG =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g;

/** Reads JUnit's XML report: `testsuite` elements with `testcase`, `failure`, `error`, `skipped`. */
export function parseJunit(xml: string): readonly TestSuite[] {
  const suites: { name: string; durationSeconds: number; cases: TestCase[] }[] = [];
  let suite: (typeof suites)[number] | undefined;
  let open: { -readonly [K in keyof TestCase]: TestCase[K] } | undefined;
  for (const found of xml.matchAll(TAG)) {
    const [, , slash, name, attributeText = '', selfClosing] = found;
    if (name === undefined) continue;
    const attributes = readAttributes(attributeText);
    if (name === 'testsuite' && slash === '') {
      suite = { name: attributes.name ?? '', durationSeconds: Number(attributes.time ?? 0) || 0, cases: [] };
      suites.push(suite);
    } else if (name === 'testcase' && slash === '') {
      open = {
        className: attributes.classname ?? suite?.name ?? '',
        name: attributes.name ?? '',
        status: 'PASSED',
        durationSeconds: Number(attributes.time ?? 0) || 0,
        message: undefined,
      };
      if (selfClosing === '/') {
        suite?.cases.push(open);
        open = undefined;
      }
    } else if (name === 'testcase' && open) {
      suite?.cases.push(open);
      open = undefined;
    } else if ((name === 'failure' || name === 'error') && slash === '' && open) {
      open.status = 'FAILED';
      open.message = attributes.message ?? 'failed';
    } else if (name === 'skipped' && slash === '' && open) open.status = 'SKIPPED';
  }
  return suites.filter((one) => one.cases.length > 0);
}

function readAttributes(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, name = '', double, single] of text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g))
    found[name] = (double ?? single ?? '').replace(
      /&(#x?)?(\w+);/g,
      (whole, number: string | undefined, what: string) => {
        if (number === undefined) return ENTITIES[what] ?? whole;
        return String.fromCodePoint(Number.parseInt(what, number === '#x' ? 16 : 10) || 0xfffd);
      },
    );
  return found;
}

export function countTests(suites: readonly TestSuite[]): { total: number; failed: number; skipped: number } {
  const cases = suites.flatMap((suite) => suite.cases);
  return {
    total: cases.length,
    failed: cases.filter((one) => one.status === 'FAILED').length,
    skipped: cases.filter((one) => one.status === 'SKIPPED').length,
  };
}
