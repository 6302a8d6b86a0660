import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createQueryApi, listen } from '@kind-e2e/query-api';
import { createReceiver, listenGrpc, openTelemetryStore } from '@kind-e2e/telemetry-store';

/** Stores, ingest and query APIs in a process of their own. */
export interface TelemetryServer {
  readonly port: number;
  readonly grpcPort: number;
  readonly pid: number;
  /** From the start of the stores to the first answer. */
  readonly openMs: number;
  call(method: string, path: string, body?: string | Uint8Array, headers?: Record<string, string>): Promise<Answer>;
  cpuSeconds(): number;
  memoryMb(): number;
  /** Ends it and waits; a second call does nothing. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** As in the lab's images. */
const NODE_FLAGS = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];

async function serve(directory: string): Promise<void> {
  const began = performance.now();
  const store = openTelemetryStore({ directory, retention: 'off' });
  const api = createQueryApi(store);
  const server = await listen({
    addresses: [{ host: '127.0.0.1', port: 0 }],
    handlers: [createReceiver({ store }), api.handle],
  });
  const opened = performance.now() - began;
  const grpc = await listenGrpc({ store, addresses: [{ host: '127.0.0.1', port: 0 }] });
  console.log(`${server.addresses[0]?.port} ${grpc.addresses[0]?.port} ${opened}`);
  process.on('SIGTERM', () => {
    void Promise.all([server[Symbol.asyncDispose](), grpc[Symbol.asyncDispose]()])
      .then(() => store.close())
      .then(() => process.exit(0));
  });
}

export async function startTelemetryServer(directory: string): Promise<TelemetryServer> {
  const child = spawn(process.execPath, [...NODE_FLAGS, import.meta.filename, '--serve', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data)));
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
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await closed;
      agent.destroy();
    },
  };
}

if (import.meta.main && process.argv[2] === '--serve') await serve(process.argv[3] ?? '');
