import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apply, compare, runEval } from './corpus-run.ts';
import { parseCorpus } from './corpus-syntax.ts';
import { MemoryReader } from './memory-reader.ts';

const folder = new URL('../testdata/corpus/', import.meta.url);
let evaluations = 0;

for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.test'))
  .sort()) {
  it(`corpus ${file}`, async () => {
    const reader = new MemoryReader();
    const problems: string[] = [];
    for (const command of parseCorpus(readFileSync(new URL(file, folder), 'utf8'))) {
      if (command.kind !== 'eval') {
        apply(reader, command);
        continue;
      }
      evaluations++;
      const problem = compare(command, await runEval(reader, command));
      if (problem !== undefined) problems.push(`${file}:${command.line}: ${command.query}\n    ${problem}`);
    }
    expect(problems.join('\n')).toBe('');
  });
}

describe('the corpus', () => {
  it('has at least 500 evaluations', () => {
    expect(evaluations).toBeGreaterThanOrEqual(500);
  });
});
