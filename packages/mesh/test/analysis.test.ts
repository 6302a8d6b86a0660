import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../src/analysis/analyze.ts';
import { formatMessage } from '../src/analysis/message.ts';
import { APP, worldOf } from './world.ts';

/** Each `name.input.yaml` is added to the app of the lab; what is found must be `name.output.txt`. UPDATE=1 writes it. */
const folder = join(import.meta.dirname, '..', 'testdata', 'analysis');

test.each(globSync('*.input.yaml', { cwd: folder }).sort())('%s', (file) => {
  const found = analyze(worldOf(`${APP}\n---\n${readFileSync(join(folder, file), 'utf8')}`));
  const text = found
    .map((message) => `${formatMessage(message)}${message.path ? ` (${message.path})` : ''}\n`)
    .join('');
  const output = join(folder, file.replace('.input.yaml', '.output.txt'));
  if (process.env.UPDATE === '1') writeFileSync(output, text);
  expect(text).toBe(readFileSync(output, 'utf8'));
});
