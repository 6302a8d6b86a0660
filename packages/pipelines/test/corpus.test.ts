import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { JenkinsfileError, parseJenkinsfile } from '../src/index.ts';

/**
 * `testdata/valid/*.Jenkinsfile` must parse; `testdata/invalid/*.Jenkinsfile` has one mistake each, and
 * `NAME.expected` holds what is said of it. `UPDATE_CORPUS=1` writes these files anew.
 */
const root = join(import.meta.dirname, '..', 'testdata');
const files = (folder: string): readonly string[] =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith('.Jenkinsfile'));

function problemsOf(text: string): string {
  try {
    parseJenkinsfile(text);
    return '';
  } catch (error) {
    if (error instanceof JenkinsfileError) return `${error.message}\n`;
    throw error;
  }
}

describe('corpus of Jenkinsfiles', () => {
  it('has at least 30 of each kind', () => {
    expect(files('valid').length).toBeGreaterThanOrEqual(30);
    expect(files('invalid').length).toBeGreaterThanOrEqual(30);
  });

  it.each(files('valid'))('takes %s', (name) => {
    expect(problemsOf(readFileSync(join(root, 'valid', name), 'utf8'))).toBe('');
  });

  it.each(files('invalid'))('refuses %s', (name) => {
    const said = problemsOf(readFileSync(join(root, 'invalid', name), 'utf8'));
    const expectedFile = join(root, 'invalid', name.replace(/Jenkinsfile$/, 'expected'));
    if (process.env.UPDATE_CORPUS === '1' || !existsSync(expectedFile)) writeFileSync(expectedFile, said);
    expect(said).toBe(readFileSync(expectedFile, 'utf8'));
    expect(said.trim().split('\n')).toHaveLength(1);
  });

  it('says the same place in a file with the line ends of Windows', () => {
    for (const name of files('invalid')) {
      const text = readFileSync(join(root, 'invalid', name), 'utf8').replaceAll('\r\n', '\n');
      expect(problemsOf(text.replaceAll('\n', '\r\n')), name).toBe(problemsOf(text));
    }
  });

  it('refuses what is nested without end, and never overflows', () => {
    const inSteps = (steps: string): string => `pipeline { agent any\n stages { stage('a') { steps { ${steps} } } } }`;
    for (const text of [
      inSteps(`${'retry(2) { '.repeat(5_000)}echo 'a'${' }'.repeat(5_000)}`),
      inSteps(`echo ${'['.repeat(5_000)}${']'.repeat(5_000)}`),
    ])
      expect(problemsOf(text)).toContain('more than 200 blocks and brackets in one another');
    expect(problemsOf(`pipeline ${'{'.repeat(50_000)}`)).toContain('nest less deeply');
  });

  /** Pieces that break a file in every way. */
  const PIECES = [
    ...'{}()[]"\'$\\/,:;\n=+.-!@#~`<>|&\u0000é',
    "'''",
    '"""',
    '${',
    '//',
    '/*',
    '*/',
    'def ',
    'if (x) {',
    'script {',
    'null',
    'env.X',
    '->',
    '[:]',
    '$/',
    'stage("a")',
  ];

  it('says what is wrong of every broken file, with a place in it and a remedy', () => {
    let state = 42;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state % below;
    };
    const texts = files('valid').map((name) => readFileSync(join(root, 'valid', name), 'utf8'));
    for (let round = 0; round < 4_000; round++) {
      let text = texts[random(texts.length)] ?? '';
      for (let change = random(3); change >= 0; change--) {
        const at = random(text.length + 1);
        text = text.slice(0, at) + PIECES[random(PIECES.length)] + text.slice(at + (random(3) === 0 ? random(20) : 0));
      }
      try {
        parseJenkinsfile(text);
      } catch (error) {
        if (!(error instanceof JenkinsfileError))
          throw new Error(`not refused but broken by:\n${text}`, { cause: error });
        const lines = text.split('\n').length;
        for (const { line, column, message, remedy } of error.problems) {
          expect([message.length > 0, remedy.length > 0, line >= 1 && line <= lines, column >= 1], text).toEqual(
            Array(4).fill(true),
          );
        }
      }
    }
  });
});
