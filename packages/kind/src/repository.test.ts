import { expect, it } from 'vitest';
import { isRepositoryUrl, pipelineNote } from './repository.ts';

it.each([
  'https://github.com/you/kind-e2e.git',
  'http://git.example:3000/you/kind-e2e',
  'https://you@dev.example.com/org/project/_git/kind-e2e',
  'ssh://git@github.com:22/you/kind-e2e.git',
  'git@github.com:you/kind-e2e.git',
])('Jenkins can be given %s', (url) => {
  expect(isRepositoryUrl(url)).toBe(true);
});

it.each([
  '/home/you/kind-e2e',
  'file:///home/you/kind-e2e',
  'https://you:secret@github.com/you/kind-e2e.git',
  "https://github.com/you/'); evil('",
  'https://github.com/you/a,b=c',
  'https://github.com/${SECRET}',
  'https://github.com/you\nx',
  'https://github.com',
  '-u@x:y z',
  '',
])('Jenkins cannot be given %j', (url) => {
  expect(isRepositoryUrl(url)).toBe(false);
});

it('what keeps the pipeline from running is said, with what to do', () => {
  const lab = { app: true, repository: 'https://git.example/x', appNamespace: 'default' };
  expect(pipelineNote(lab)).toBeUndefined();
  expect(pipelineNote({ ...lab, app: false })).toContain('--no-app');
  expect(pipelineNote({ ...lab, repository: undefined })).toContain('up --repository https://');
  expect(pipelineNote({ ...lab, appNamespace: 'demo-app' })).toContain('RELEASE_NAMESPACE');
});
