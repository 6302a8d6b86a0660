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
});
