import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@kind-e2e/base';
import { hostTool } from './host-tools.ts';
import { type ProcessIdentity, parseProcessStat, readProcess } from './processes.ts';
import { type ContainerMount, prepareDirectView, prepareNamespaceView, rewritePath } from './view.ts';
import { NAMESPACE_ARGUMENTS, type ViewMode } from './view-probe.ts';

export interface StartOptions {
  readonly mode: ViewMode;
  readonly clock: Clock;
  /** Folder of this run. */
  readonly directory: string;
  /** The launch script as a file. */
  readonly launchScript: string;
  readonly rootfs: string;
  readonly mounts: readonly ContainerMount[];
  readonly readOnlyRoot: boolean;
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly cwd: string;
  /** `uid:gid` to appear as; undefined stays as 0:0. */
  readonly user?: string;
  /** Added to the niceness of this process. */
  readonly niceness: number;
  /** A pipe that never ends, one that ends when its holder is closed, or nothing. */
  readonly stdin: 'none' | 'kept' | 'once';
  readonly tty: boolean;
  /** `cgroup.procs` of the group that the launch script joins first. */
  readonly cpuGroup?: string;
}

export interface StartedContainer {
  readonly launcher: ProcessIdentity;
  readonly main: ProcessIdentity;
  /** Folder that stands for `/` where the view is direct. */
  readonly directRoot?: string;
  /** The environment as the program has it, where paths in it were rewritten. */
  readonly env?: readonly string[];
  /** Descriptor that keeps a `once` input open; the caller closes it. */
  readonly stdinHolder?: number;
}

/** The program did not come to run; the message is the runtime's (`exec: "x": executable file not found in $PATH`). */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartError';
  }
}

const START_TIMEOUT_MS = 20_000;
const IDENTIFIER = /^[A-Za-z_]\w*$/;

/**
 * Starts the program of a container as a session of its own whose output goes to the files `out` and `err`. It does
 * not depend on this process. Throws StartError.
 */
export async function startContainer(options: StartOptions): Promise<StartedContainer> {
  const { directory, mode } = options;
  await mkdir(directory, { recursive: true });
  if (options.cpuGroup !== undefined) await writeFile(join(directory, 'cgroup'), `${options.cpuGroup}\n`);
  let { argv, cwd } = options;
  let env = options.env;
  let directRoot: string | undefined;
  if (mode.kind === 'namespace') await prepareNamespaceView(options);
  else {
    directRoot = await prepareDirectView(options);
    const root = directRoot;
    const prefixes = await pathPrefixes(root, options.mounts);
    argv = argv.map((part) => rewritePath(part, prefixes, root));
    cwd = rewritePath(cwd, prefixes, root);
    const mapping = prefixes.map((prefix) => [prefix, join(root, prefix)]);
    env = [...rewriteEnv(env, prefixes, root), `KIND_E2E_PATHS=${JSON.stringify(mapping)}`];
  }
  const strange = env.filter((entry) => !IDENTIFIER.test(entry.slice(0, entry.indexOf('='))));
  const program = strange.length > 0 ? ['/usr/bin/env', ...strange, ...argv] : argv;
  const script = [
    options.launchScript,
    directory,
    mode.kind,
    cwd,
    options.user !== undefined && mode.canMapUser ? options.user : '-',
    options.readOnlyRoot ? 'ro' : 'rw',
    String(options.niceness),
    ...(options.tty ? ttyCommand(program) : program),
  ];
  const holder = options.stdin === 'once' ? openSync(join(directory, 'stdin'), constants.O_RDWR) : undefined;
  try {
    const child = spawnDetached(options, env, script);
    const failure = await new Promise<Error | undefined>((resolve) => {
      child.once('spawn', () => resolve(undefined));
      child.once('error', resolve);
    });
    if (failure || child.pid === undefined) throw new StartError(failure?.message ?? 'the launch script did not start');
    child.unref();
    const main = await waitForMain(options, child);
    const launcher = readProcess(child.pid);
    return {
      launcher: { pid: child.pid, startTime: launcher?.startTime ?? main.startTime },
      main,
      ...(directRoot === undefined ? {} : { directRoot, env }),
      ...(holder === undefined ? {} : { stdinHolder: holder }),
    };
  } catch (error) {
    if (holder !== undefined) closeSync(holder);
    throw error;
  }
}

function spawnDetached(options: StartOptions, env: readonly string[], script: readonly string[]): ChildProcess {
  const file = (name: string, flags: number): number => openSync(join(options.directory, name), flags, 0o644);
  const append = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;
  const out = file('out', append);
  const err = file('err', append);
  const access = options.stdin === 'once' ? constants.O_RDONLY : constants.O_RDWR;
  const stdin = options.stdin === 'none' ? undefined : openSync(join(options.directory, 'stdin'), access);
  try {
    const isNamespace = options.mode.kind === 'namespace';
    return spawn(
      isNamespace ? hostTool('unshare') : '/bin/sh',
      isNamespace ? [...NAMESPACE_ARGUMENTS, '/bin/sh', ...script] : [...script],
      {
        detached: true,
        cwd: '/',
        stdio: [stdin ?? 'ignore', out, err],
        env: Object.fromEntries(
          env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
        ),
      },
    );
  } finally {
    closeSync(out);
    closeSync(err);
    if (stdin !== undefined) closeSync(stdin);
  }
}

/** `script` gives the program a terminal of its own and copies what it writes to standard output. */
function ttyCommand(argv: readonly string[]): string[] {
  const quoted = argv.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  return ['script', '-q', '-e', '-f', '-c', `exec ${quoted}`, '/dev/null'];
}

async function waitForMain(options: StartOptions, child: ChildProcess): Promise<ProcessIdentity> {
  const pidFile = join(options.directory, 'pid');
  let hasEnded = child.exitCode !== null;
  child.once('exit', () => {
    hasEnded = true;
  });
  const deadline = options.clock.monotonic() + START_TIMEOUT_MS;
  for (let wait = 2; options.clock.monotonic() < deadline; wait = Math.min(wait * 1.5, 20)) {
    const ended = hasEnded;
    const text = await readFile(pidFile, 'latin1').catch(() => '');
    if (text.endsWith('\n')) {
      const stat = parseProcessStat(text) ?? readProcess(Number.parseInt(text, 10));
      if (stat) return { pid: stat.pid, startTime: stat.startTime };
    }
    if (ended) break;
    await options.clock.sleep(wait);
  }
  const log = (await readFile(join(options.directory, 'setup.log'), 'utf8').catch(() => '')).trim();
  if (!hasEnded && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  throw new StartError(startFailure(log, options));
}

/** runc's words, as the kubelet shows them in a container's state. */
function startFailure(log: string, options: StartOptions): string {
  const prefix =
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ';
  const [program = ''] = options.argv;
  const last = log.split('\n').at(-1) ?? '';
  if (last === 'not found') {
    const why = program.includes('/')
      ? `stat ${program}: no such file or directory`
      : 'executable file not found in $PATH';
    return `${prefix}exec: "${program}": ${why}: unknown`;
  }
  if (last === 'permission denied') return `${prefix}exec: "${program}": permission denied: unknown`;
  return `${prefix}${log === '' ? 'the program did not start in time' : log}: unknown`;
}

/** Paths that the container's own root has: what an argument may name. */
async function pathPrefixes(root: string, mounts: readonly ContainerMount[]): Promise<string[]> {
  const own = (await readdir(root)).filter(
    (name) => !['usr', 'bin', 'lib', 'lib64', 'sbin', 'etc', 'dev', 'proc', 'sys'].includes(name),
  );
  return [...mounts.map((mount) => mount.target.replace(/\/$/, '')), ...own.map((name) => `/${name}`)].sort(
    (a, b) => b.length - a.length,
  );
}

function rewriteEnv(env: readonly string[], prefixes: readonly string[], root: string): string[] {
  return env.map((entry) => {
    const equals = entry.indexOf('=');
    return `${entry.slice(0, equals)}=${rewritePath(entry.slice(equals + 1), prefixes, root)}`;
  });
}

/** Makes the pipe from which a container with `stdin: true` reads. */
export async function makeStdinPipe(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await new Promise<void>((resolve, reject) => {
    spawn('mkfifo', ['-m', '600', join(directory, 'stdin')], { stdio: 'ignore' })
      .once('error', reject)
      .once('exit', (code) => (code === 0 ? resolve() : reject(new StartError('cannot make the pipe for stdin'))));
  });
}

export async function writeLaunchScript(path: string, content: string): Promise<void> {
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== content) await writeFile(path, content, { mode: 0o755 });
}
