import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseJenkinsfile } from '../src/index.ts';
import { POST_CONDITIONS } from '../src/jenkinsfile/ast.ts';
import { REFUSED_STEPS, STEP_NAMES } from '../src/jenkinsfile/step-table.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** The names in a cell of the guide's table. */
function namesOf(row: string, cell: number): readonly string[] {
  const guide = readFileSync(join(ROOT, 'docs', 'guides', 'pipeline.md'), 'utf8');
  const line = guide.split('\n').find((one) => one.startsWith(`| ${row} |`)) ?? '';
  return [...(line.split(' | ')[cell] ?? '').matchAll(/`([A-Za-z]\w*)[^`]*`/g)].map((match) => match[1] ?? '');
}

it('the guide names the steps that there are, and none that is refused', () => {
  expect([...namesOf('steps', 1)].sort()).toEqual([...STEP_NAMES].sort());
  for (const name of STEP_NAMES) expect(Object.keys(REFUSED_STEPS)).not.toContain(name);
});

it('the guide names the options, conditions and parameters that are taken', () => {
  const refused = (section: string): string => {
    try {
      parseJenkinsfile(`pipeline { agent any\n ${section}\n stages { stage('a') { steps { echo 'a' } } } }`);
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  for (const name of namesOf('`options`', 1))
    expect(refused(`options { ${name}() }`), name).not.toMatch(/unknown|plugin/);
  for (const name of namesOf('`parameters`', 1))
    expect(refused(`parameters { ${name}(name: 'A'${name === 'choice' ? ", choices: ['a']" : ''}) }`), name).toBe('');
  expect(refused('parameters { file(name: "A") }')).toContain('is not taken here');
  expect(POST_CONDITIONS).toHaveLength(10);
});

it("the repository's own Jenkinsfile is right", () => {
  const pipeline = parseJenkinsfile(readFileSync(join(ROOT, 'jenkins', 'Jenkinsfile'), 'utf8'));
  expect(pipeline.stages.map(({ name }) => name)).toEqual([
    'Check out',
    'Install',
    'Check',
    'Images',
    'Deploy',
    'Smoke test',
  ]);
});
