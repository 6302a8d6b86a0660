import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LabError } from '@kind-e2e/base';
import { fileUrl, GIT_ENV } from '../agent/run-operation.ts';
import type { JobDefinition } from '../build/build-store.ts';

const run = promisify(execFile);

export interface Source {
  readonly text: string;
  readonly commit: string | undefined;
  readonly branch: string;
}

/** Reads a job's Jenkinsfile; from a repository the one of the branch's newest commit. */
export async function readSource(job: JobDefinition, cacheDirectory: string, signal?: AbortSignal): Promise<Source> {
  if (job.script !== undefined) return { text: job.script, commit: undefined, branch: 'main' };
  const { scm } = job;
  if (!scm) throw new LabError(`the job ${job.name} has no Jenkinsfile`, { code: 'NO_JENKINSFILE', side: 'user' });
  const repository = join(cacheDirectory, `${job.name}.git`);
  mkdirSync(repository, { recursive: true });
  const git = async (...args: string[]): Promise<string> => {
    try {
      const { stdout } = await run('git', args, {
        cwd: repository,
        env: { ...process.env, ...GIT_ENV },
        signal,
        maxBuffer: 1 << 24,
      });
      return stdout;
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      throw new LabError(`git ${args[0]} failed for ${scm.url}: ${stderr.trim()}`, {
        code: 'GIT_FAILED',
        side: 'user',
        remedy: 'see that the repository and the branch are there',
        cause: error,
      });
    }
  };
  await git('init', '--bare', '--quiet');
  await git('fetch', '--quiet', '--no-tags', '--depth=1', fileUrl(scm.url), scm.branch);
  const commit = (await git('rev-parse', 'FETCH_HEAD')).trim();
  const text = await git('show', `${commit}:${scm.scriptPath ?? 'Jenkinsfile'}`);
  const branch = scm.branch === 'HEAD' ? await headBranch(git, scm.url) : scm.branch;
  return { text, commit, branch };
}

/** The branch that a repository's HEAD names. */
async function headBranch(git: (...args: string[]) => Promise<string>, url: string): Promise<string> {
  const text = await git('ls-remote', '--symref', fileUrl(url), 'HEAD');
  return /^ref: refs\/heads\/(\S+)/.exec(text)?.[1] ?? 'HEAD';
}

/** A commit, as `changelog` and `changeset` look at it. */
export interface Change {
  readonly commit: string;
  readonly message: string;
  readonly files: readonly string[];
}

/** The commits after `from` up to `to`, newest first. In a repository of its own, as it needs the history. */
export async function readChanges(
  job: JobDefinition,
  cacheDirectory: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<readonly Change[]> {
  if (!job.scm || from === to) return [];
  const repository = join(cacheDirectory, `${job.name}.changes.git`);
  mkdirSync(repository, { recursive: true });
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', args, { cwd: repository, env: { ...process.env, ...GIT_ENV }, maxBuffer: 1 << 26 })).stdout;
  await git('init', '--bare', '--quiet');
  await git('fetch', '--quiet', '--no-tags', fileUrl(job.scm.url), job.scm.branch);
  try {
    // Records are begun by %x1e, fields ended by %x1f; names come after the last one, each ended by a zero.
    const text = await git('log', '-z', '--name-only', '--format=%x1e%H%x1f%B%x1f', `${from}..${to}`);
    return text
      .split('\x1e')
      .slice(1)
      .map((record) => {
        const [commit = '', message = '', names = ''] = record.split('\x1f');
        return {
          commit,
          message: message.trim(),
          files: names
            .split('\0')
            .map((name) => name.trim())
            .filter(Boolean),
        };
      });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    // The history was written anew: the last build's commit is gone, and nobody knows what changed.
    if (/unknown revision|bad object|Invalid revision range/i.test(stderr)) return [];
    throw error;
  }
}

/** The newest commit of the job's branch, without fetching it. */
export async function newestCommit(job: JobDefinition): Promise<string | undefined> {
  if (!job.scm) return undefined;
  const { stdout } = await run('git', ['ls-remote', fileUrl(job.scm.url), job.scm.branch], {
    env: { ...process.env, ...GIT_ENV },
    timeout: 30_000,
  });
  return /^([0-9a-f]{40})/.exec(stdout)?.[1];
}
