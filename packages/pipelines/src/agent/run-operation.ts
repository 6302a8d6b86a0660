import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { glob, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { LabError, messageOf } from '@kind-e2e/base';
import { MAX_TRANSFER_BYTES, type Operation, type OperationResult, type TransferredFile } from './protocol.ts';

const KILL_AFTER_MS = 3_000;
/** What ant's patterns leave out by default (org.apache.tools.ant.DirectoryScanner). */
const DEFAULT_EXCLUDES = ['**/.git/**', '**/.svn/**', '**/*~', '**/.DS_Store'];

export interface OperationContext {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly output: (text: string) => void;
}

/** Does on the agent's machine what the controller asked for. */
export async function runOperation(operation: Operation, context: OperationContext): Promise<OperationResult> {
  try {
    const place = operation.kind === 'delete' ? operation.path : operation.cwd;
    const inside = relative(context.root, resolve(place));
    if (inside === '' || inside.startsWith('..'))
      return { code: 1, error: `${place} is outside of the agent's folder` };
    switch (operation.kind) {
      case 'sh':
        return await runScript(operation, context);
      case 'read':
        return { code: 0, files: await readFiles(operation.cwd, operation.includes, operation.excludes) };
      case 'put':
        await putFiles(operation.cwd, operation.files, operation.isSecret ?? false);
        return { code: 0 };
      case 'delete':
        await rm(operation.path, { recursive: true, force: true });
        return { code: 0 };
      case 'checkout':
        return { code: 0, commit: await checkout(operation, context) };
    }
  } catch (error) {
    return { code: 1, error: messageOf(error) };
  }
}

/** As Jenkins' durable task: the script in a file beside the workspace, by `sh -xe` unless it names its own program. */
async function runScript(operation: Operation & { kind: 'sh' }, context: OperationContext): Promise<OperationResult> {
  await mkdir(operation.cwd, { recursive: true });
  const folder = join(context.root, '.scripts');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${randomUUID()}.sh`);
  await writeFile(file, operation.script, { mode: 0o700 });
  const own = /^#!\s*(\S+)(?:[ \t]+([^\n]*))?/.exec(operation.script);
  const [program, args] = own?.[1] ? [own[1], [...(own[2] ? [own[2].trim()] : []), file]] : ['sh', ['-xe', file]];
  try {
    const code = await runProcess(program, args, operation.cwd, { ...context.env, ...operation.env }, context);
    return { code };
  } finally {
    await rm(file, { force: true });
  }
}

function runProcess(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  context: OperationContext,
): Promise<number> {
  return new Promise((done, fail) => {
    if (context.signal.aborted) {
      done(143);
      return;
    }
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const signalAll = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // Its last process has ended already.
      }
    };
    let hard: NodeJS.Timeout | undefined;
    const stop = (): void => {
      signalAll('SIGTERM');
      hard = setTimeout(() => signalAll('SIGKILL'), KILL_AFTER_MS);
      hard.unref();
    };
    context.signal.addEventListener('abort', stop, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', context.output);
    }
    child.once('error', fail);
    // What the script left in the background must not hold the step open by its streams.
    child.once('exit', (code, signal) => {
      setImmediate(() => {
        context.signal.removeEventListener('abort', stop);
        clearTimeout(hard);
        if (context.signal.aborted) signalAll('SIGKILL');
        done(code ?? 128 + (signal === 'SIGTERM' ? 15 : 9));
      });
    });
  });
}

/** Files of ant-like patterns (`**` any folders, a trailing slash all below). */
async function readFiles(
  cwd: string,
  includes: readonly string[],
  excludes: readonly string[],
): Promise<readonly TransferredFile[]> {
  const names = new Set<string>();
  const all = (pattern: string): string => (pattern.endsWith('/') ? `${pattern}**` : pattern);
  const left = new Set<string>();
  for (const pattern of [...excludes, ...DEFAULT_EXCLUDES])
    for await (const name of glob(all(pattern), { cwd, exclude: (path) => path === 'node_modules' })) left.add(name);
  for (const pattern of includes)
    for await (const name of glob(all(pattern), { cwd, exclude: (path) => path === '.git' || path === 'node_modules' }))
      if (!left.has(name)) names.add(name);
  const files: TransferredFile[] = [];
  let total = 0;
  for (const name of [...names].sort()) {
    const path = join(cwd, name);
    const info = await lstat(path);
    if (!info.isFile()) continue;
    total += info.size;
    if (total > MAX_TRANSFER_BYTES)
      throw new LabError(`the files of ${includes.join(', ')} are more than ${MAX_TRANSFER_BYTES / 1024 / 1024} MB`, {
        code: 'TRANSFER_TOO_LARGE',
        side: 'user',
        remedy: 'choose fewer files',
      });
    files.push({ path: name, base64: (await readFile(path)).toString('base64'), mode: info.mode & 0o777 });
  }
  return files;
}

async function putFiles(cwd: string, files: readonly TransferredFile[], isSecret: boolean): Promise<void> {
  await mkdir(cwd, { recursive: true, ...(isSecret ? { mode: 0o700 } : {}) });
  for (const { path, base64, mode } of files) {
    const target = resolve(cwd, path);
    if (relative(cwd, target).startsWith('..'))
      throw new LabError(`${path} is outside of ${cwd}`, {
        code: 'PATH_OUTSIDE',
        side: 'user',
        remedy: 'write a path below it',
      });
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, Buffer.from(base64, 'base64'), { mode });
  }
}

async function checkout(operation: Operation & { kind: 'checkout' }, context: OperationContext): Promise<string> {
  const { cwd, url, branch, commit } = operation;
  await mkdir(cwd, { recursive: true });
  const env = { ...context.env, ...GIT_ENV };
  const git = async (args: readonly string[], quiet = false): Promise<string> => {
    let text = '';
    if (!quiet) context.output(` > git ${args.join(' ')}\n`);
    const code = await runProcess('git', args, cwd, env, { ...context, output: (part) => (text += part) });
    if (code === 0) return text.trim();
    throw new LabError(`git ${args[0]} failed: ${text.trim()}`, { code: 'GIT_FAILED', side: 'user' });
  };
  await git(['init', '--quiet']);
  await git(['fetch', '--quiet', '--no-tags', '--depth=1', fileUrl(url), branch]);
  const wanted = commit ?? (await git(['rev-parse', 'FETCH_HEAD'], true));
  const isThere = await git(['cat-file', '-e', `${wanted}^{commit}`], true).then(
    () => true,
    () => false,
  );
  if (!isThere) await git(['fetch', '--quiet', '--no-tags', '--unshallow', fileUrl(url), branch]);
  await git(['checkout', '--quiet', '--force', '--detach', wanted]);
  return wanted;
}

/** Git asks nobody, and takes folders that belong to another user. */
export const GIT_ENV = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_CONFIG_KEY_1: 'advice.detachedHead',
  GIT_CONFIG_VALUE_1: 'false',
};

/** A path as a URL: else `--depth` has no effect. */
export function fileUrl(url: string): string {
  return url.startsWith('/') ? `file://${url}` : url;
}
