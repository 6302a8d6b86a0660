import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Clock } from '@kind-e2e/base';
import type { ContainerRecord } from './container-record.ts';
import { hostTool } from './host-tools.ts';
import type { ViewMode } from './view-probe.ts';

export interface ExecCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
}

/** Standard descriptor 3, where there is one, hears of a program that does not exist. */
const ENTER_SCRIPT = `cd "$1" 2>/dev/null || cd /
user=$2
shift 2
command -v -- "$1" >/dev/null || { echo missing >&3; exit 127; } 2>/dev/null
exec 3>&-
if [ "$user" != - ]; then
  exec /usr/bin/unshare --user --map-user="\${user%:*}" --map-group="\${user#*:}" -- "$@"
fi
exec "$@"
`;

/** How to start a program inside a container that runs: in its namespaces, with its environment, folder and user. */
export function execCommand(record: ContainerRecord, mode: ViewMode, argv: readonly string[]): ExecCommand {
  const env: Record<string, string> = {};
  for (const entry of record.env ?? []) {
    const equals = entry.indexOf('=');
    env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  const cwd = record.cwd ?? '/';
  // The shell drops variables whose names are not its own kind of names.
  const strange = Object.entries(env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name));
  const program =
    strange.length > 0 ? ['/usr/bin/env', ...strange.map(([name, value]) => `${name}=${value}`), ...argv] : argv;
  if (record.directRoot !== undefined || mode.kind === 'direct' || !record.launcher)
    return {
      file: '/bin/sh',
      args: ['-c', ENTER_SCRIPT, 'sh', join(record.directRoot ?? '/', cwd), '-', ...program],
      env,
      cwd: '/',
    };
  return {
    file: hostTool('nsenter'),
    args: [
      '--target',
      String(record.launcher.pid),
      '--user',
      '--mount',
      '--uts',
      '--preserve-credentials',
      '--',
      '/bin/sh',
      '-c',
      ENTER_SCRIPT,
      'sh',
      cwd,
      record.user !== undefined && mode.canMapUser ? record.user : '-',
      ...program,
    ],
    env,
    cwd: '/',
  };
}

export function spawnInContainer(
  record: ContainerRecord,
  mode: ViewMode,
  argv: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const command = execCommand(record, mode, argv);
  return spawn(command.file, [...command.args], { ...options, cwd: command.cwd, env: command.env });
}

export interface ExecResult {
  /** Undefined when it did not end in time and was killed. */
  readonly exitCode: number | undefined;
  /** Standard output and error, the first 10 KiB. */
  readonly output: string;
}

const MAX_OUTPUT_BYTES = 10 * 1024;

/** Runs a program inside a container to its end or for `timeoutMs`; for probes and hooks. */
export function runInContainer(
  record: ContainerRecord,
  mode: ViewMode,
  argv: readonly string[],
  timeoutMs: number,
  clock: Clock,
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const child = spawnInContainer(record, mode, argv, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      if (size < MAX_OUTPUT_BYTES) chunks.push(chunk.subarray(0, MAX_OUTPUT_BYTES - size));
      size += chunk.length;
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    let isLate = false;
    const timer = clock.after(timeoutMs, () => {
      isLate = true;
      if (child.pid !== undefined) killGroup(child.pid);
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
    child.once('error', (error) => {
      timer[Symbol.dispose]();
      reject(error);
    });
    child.once('close', (code, signal) => {
      timer[Symbol.dispose]();
      const exitCode = isLate ? undefined : (code ?? (signal === null ? 0 : 137));
      resolve({ exitCode, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
