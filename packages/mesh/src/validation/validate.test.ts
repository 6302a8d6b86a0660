import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { validateIstioObject } from './validate.ts';

const cases = parse(readFileSync(join(import.meta.dirname, '..', '..', 'testdata', 'validation.yaml'), 'utf8')) as {
  problems: string[];
  object: Parameters<typeof validateIstioObject>[0];
}[];

test.each(
  cases.map(({ problems, object }, i) => ({
    name: `${i} ${object.kind}: ${problems[0] ?? 'valid'}`,
    problems,
    object,
  })),
)('$name', ({ problems, object }) => {
  expect(validateIstioObject(object)).toEqual(problems);
});
