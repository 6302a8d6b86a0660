import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OBSERVABILITY_FLAGS } from '@kind-e2e/embedded';
import { build } from 'esbuild';
import type { MemorySplit } from './telemetry-process.ts';

/** Stores, ingest and query APIs in a process of their own, bundled and started as the lab's. */
export interface TelemetryServer {
  readonly port: number;
  readonly grpcPort: number;
  readonly pid: number;
  /** From the start of the stores to the first answer. */
  readonly openMs: number;
  call(method: string, path: string, body?: string | Uint8Array, headers?: Record<string, string>): Promise<Answer>;
  cpuSeconds(): number;
  memoryMb(): number;
  /** What the process itself says of its memory. */
  memorySplit(): Promise<MemorySplit>;
  /** Ends it and waits; a second call does nothing. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface TelemetryServerOptions {
  /** Runs the process on this core alone (`taskset`). */
  readonly core?: number;
  /** Flags beside those of the lab. */
  readonly flags?: readonly string[];
}

const MANIFEST = join(import.meta.dirname, '../../packages/embedded/manifests/03-observability.yaml');
/** As `scripts/build.ts` has it. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** The settings of the C library's allocator in the Deployment of the lab. */
function allocatorSettings(): Record<string, string> {
  const settings = readFileSync(MANIFEST, 'utf8').matchAll(/name: (MALLOC_\w+), value: "(\d+)"/g);
  return Object.fromEntries([...settings].map(([, name = '', value = '']) => [name, value]));
}

async function bundle(): Promise<{ readonly folder: string; readonly main: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-server-'));
  const main = join(folder, 'main.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'telemetry-process.ts')],
    outfile: main,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifyWhitespace: true,
    minifySyntax: true,
    banner: { js: REQUIRE_BANNER },
    logLevel: 'warning',
  });
  return { folder, main };
}

let bundled: ReturnType<typeof bundle> | undefined;

/** Bundled once for all servers of a benchmark. */
function bundledServer(): ReturnType<typeof bundle> {
  bundled ??= bundle().then((made) => {
    process.once('exit', () => rmSync(made.folder, { recursive: true, force: true }));
    return made;
  });
  return bundled;
}

export async function startTelemetryServer(
  directory: string,
  options: TelemetryServerOptions = {},
): Promise<TelemetryServer> {
  const { main } = await bundledServer();
  const node = [process.execPath, ...OBSERVABILITY_FLAGS, ...(options.flags ?? []), main, directory];
  const [command = '', ...args] = options.core === undefined ? node : ['taskset', '-c', String(options.core), ...node];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, ...allocatorSettings() },
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const { stdout } = child;
  if (!stdout) throw new Error('the server has no output');
  const said = await new Promise<string>((resolve, reject) => {
    stdout.once('data', (data) => resolve(String(data)));
    child.once('close', () => reject(new Error('the server ended before it listened')));
  });
  const [port, grpcPort, openMs] = said.split(' ').map(Number) as [number, number, number];
  const pid = child.pid ?? 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  return {
    port,
    grpcPort,
    pid,
    openMs,
    call: (method, path, body = '', headers = {}) =>
      new Promise((resolve, reject) => {
        const sent = request(
          {
            agent,
            host: '127.0.0.1',
            port,
            path,
            method,
            headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
          },
          (answer) => {
            const parts: Buffer[] = [];
            answer.on('data', (part: Buffer) => parts.push(part));
            answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
          },
        );
        sent.on('error', reject);
        sent.end(body);
      }),
    cpuSeconds() {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    memoryMb() {
      const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
      return Math.round(Number(pss) / 1024);
    },
    memorySplit() {
      const answer = new Promise<MemorySplit>((resolve) =>
        child.once('message', (split: MemorySplit) => resolve(split)),
      );
      child.send('memory');
      return answer;
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await closed;
      agent.destroy();
    },
  };
}
