import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { originOf } from './origin.ts';

let folder: string;
// No configuration of the user's, and no repository above the folder.
const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CEILING_DIRECTORIES: tmpdir() };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'origin-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const git = (...args: readonly string[]): Buffer => execFileSync('git', ['-C', folder, ...args], { env });

it.each([
  ['an https URL', 'https://git.example/you/kind-e2e.git', 'https://git.example/you/kind-e2e.git'],
  ['the scp-like form', 'git@git.example:you/kind-e2e.git', 'git@git.example:you/kind-e2e.git'],
  ['a folder', '/srv/git/kind-e2e', undefined],
  ['a URL with a password', 'https://you:secret@git.example/you/kind-e2e.git', undefined],
])('origin is %s', async (_, url, expected) => {
  git('init', '--quiet');
  git('remote', 'add', 'origin', url);
  expect(await originOf(folder, env)).toBe(expected);
});

it('there is no origin, no checkout, no git', async () => {
  expect(await originOf(folder, env)).toBeUndefined();
  git('init', '--quiet');
  expect(await originOf(folder, env)).toBeUndefined();
  expect(await originOf(folder, { PATH: folder })).toBeUndefined();
});
