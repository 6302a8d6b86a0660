/**
 * Writes the engine's present answers below every `eval` of the corpus:
 *
 *     node packages/logql/test/update-corpus.ts --update [file…]
 *
 * Without --update it prints what would change. Read the difference before you commit it: the corpus says what
 * Loki answers, not what we do.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { apply, compare, runEval } from './corpus-run.ts';
import { parseCorpus } from './corpus-syntax.ts';
import { MemoryReader } from './memory-reader.ts';

const folder = new URL('../testdata/corpus/', import.meta.url);
const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const update = process.argv.includes('--update');
for (const file of names.length > 0 ? names : readdirSync(folder)) {
  const path = new URL(file, folder);
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n');
  const out: string[] = [];
  let at = 0;
  const reader = new MemoryReader();
  for (const command of parseCorpus(text)) {
    if (command.kind !== 'eval') {
      apply(reader, command);
      continue;
    }
    const actual = await runEval(reader, command);
    const problem = compare(command, actual);
    if (problem === undefined) continue;
    process.stdout.write(`${file}:${command.line}: ${command.query}\n    ${problem}\n`);
    out.push(...lines.slice(at, command.line), ...actual.map((line) => `  ${line}`));
    at = command.line - 1 + command.lineCount;
  }
  out.push(...lines.slice(at));
  if (update) writeFileSync(path, out.join('\n'));
}
