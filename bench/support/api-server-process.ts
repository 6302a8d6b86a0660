/**
 * An API server in a process of its own. As a program: `node api-server-process.ts DATA_FILE`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createApiServer } from '@kind-e2e/apiserver';
import { createAuthority } from '@kind-e2e/pki';

/** Bearer token of the user that may do anything. */
export const BENCH_TOKEN = 'bench-token';

export interface ServerUse {
  readonly rssMb: number;
  readonly cpuMs: number;
}

export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** From the start of the process until it answers. */
  readonly readyMs: number;
  use(): Promise<ServerUse>;
}

interface Ready {
  readonly url: string;
  readonly readyMs: number;
}

/** With `BENCH_PROFILE=folder` the process leaves a CPU profile there. */
export async function startServerProcess(dataFile: string): Promise<ServerProcess> {
  const folder = process.env.BENCH_PROFILE;
  const child = fork(import.meta.filename, [dataFile], {
    execArgv: folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ready = await answer<Ready>(child);
  return {
    ...ready,
    use() {
      const used = answer<ServerUse>(child);
      child.send('use');
      return used;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const failed = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('the API server ended before its time');
  });
  try {
    const [message] = await Promise.race([once(child, 'message'), failed]);
    return message as T;
  } finally {
    failed.catch(() => {});
    ended.abort();
  }
}

async function serve(dataFile: string): Promise<void> {
  const authority = createAuthority({ commonName: 'bench' });
  const tls = authority.issue({
    subject: { commonName: 'bench' },
    altNames: { ipAddresses: ['127.0.0.1'] },
    use: 'server',
  });
  const server = await createApiServer({
    dataFile,
    listen: { host: '127.0.0.1', port: 0 },
    tls,
    tokens: [{ token: BENCH_TOKEN, user: 'bench', groups: ['system:masters'] }],
  });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({
      rssMb: Math.round(process.memoryUsage.rss() / 1e6),
      cpuMs: (user + system) / 1_000,
    } satisfies ServerUse);
  });
  process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
  process.send?.({ url: server.url, readyMs: Math.round(performance.now()) } satisfies Ready);
}

if (import.meta.main) await serve(process.argv[2] ?? '');
