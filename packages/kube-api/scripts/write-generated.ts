import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a generated file; with `--check` it only compares, and the process ends with 1 where they differ. */
export function writeGenerated(file: URL, text: string): void {
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
    return;
  }
  if (readFileSync(file, 'utf8') === text) return;
  process.stderr.write(`${file.pathname} is out of date\n`);
  process.exitCode = 1;
}
