/**
 * Requests a second through the data plane against peers, one after the other on the same machine. Prints ratios; the
 * absolute figures depend on the machine. Usage: node packages/proxy/test/bench/proxy.ts [seconds] [connections] [extra sidecars]
 */
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

interface Result {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failures: number;
  readonly requests: number;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = Number(process.argv[2] ?? 5);
const connections = Number(process.argv[3] ?? 32);
const sidecars = process.argv[4] ?? '30';
const here = import.meta.dirname;
const net = `127.${241 + (process.pid % 8)}`;
const children: ChildProcess[] = [];

function start(file: string, args: readonly string[]): Promise<ChildProcess> {
  const child = fork(join(here, file), args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  children.push(child);
  return new Promise((resolve) => child.stdout?.once('data', () => resolve(child)));
}

function load(port: number, path: string, address = `${net}.0.1`): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(here, 'load.ts'), {
      workerData: { address, port, path, host: 'site', connections, ms: seconds * 1000 },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function usage(child: ChildProcess): Promise<{ cpu: { user: number; system: number }; rss: number }> {
  return new Promise((resolve) => {
    child.once('message', (answer) => resolve(answer as never));
    child.send('usage');
  });
}

function startNginx(): ChildProcess | undefined {
  if (spawnSync('nginx', ['-v']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; events { worker_connections 4096; }
http { access_log off; ${temporary} upstream app { server ${net}.0.2:8080; keepalive 64; }
server { listen ${net}.0.1:9003; location / { proxy_pass http://app/; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  children.push(child);
  return child;
}

try {
  await start('backend.ts', [`${net}.0.2`, '8080']);
  const plane = await start('data-plane.ts', [
    `${net}.0.1`,
    '9001',
    '9002',
    `${net}.0.3`,
    `${net}.0.4`,
    `${net}.0.2`,
    '8080',
    sidecars,
  ]);
  await start('peer.ts', [`${net}.0.1`, '9004', `${net}.0.2`, '8080']);
  const nginx = startNginx();
  if (nginx) await new Promise((resolve) => setTimeout(resolve, 500));
  const idle = await usage(plane);
  const rows: [string, Result, number?][] = [];
  const measure = async (name: string, port: number, child?: ChildProcess, address?: string): Promise<Result> => {
    const before = child && (await usage(child));
    const result = await load(port, '/demo-app/x', address);
    const after = child && (await usage(child));
    const cpu =
      before && after
        ? (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / result.requests
        : undefined;
    rows.push([name, result, cpu]);
    return result;
  };
  await load(9001, '/demo-app/x');
  await measure('backend alone', 8080, undefined, `${net}.0.2`);
  const direct = await measure('gateway, no sidecar', 9001, plane);
  const meshed = await measure('gateway and sidecar, mutual TLS', 9002, plane);
  const peer = await measure('node:http proxy', 9004);
  const other = nginx ? await measure('nginx', 9003) : undefined;
  for (const [name, result, cpu] of rows)
    print(
      `${name.padEnd(34)} ${result.perSecond.toFixed(0).padStart(7)} req/s  p50 ${result.p50.toFixed(2)} ms  p99 ${result.p99.toFixed(2)} ms  failed ${result.failures}${cpu === undefined ? '' : `  ${cpu.toFixed(0)} µs CPU a request`}`,
    );
  print(`gateway against node:http proxy: ${(direct.perSecond / peer.perSecond).toFixed(2)}`);
  print(`gateway and sidecar against node:http proxy: ${(meshed.perSecond / peer.perSecond).toFixed(2)}`);
  if (other) print(`gateway against nginx: ${(direct.perSecond / other.perSecond).toFixed(2)}`);
  const last = await usage(plane);
  print(
    `memory: ${(idle.rss / 1e6).toFixed(0)} MB idle with ${sidecars} more sidecars, ${(last.rss / 1e6).toFixed(0)} MB after load`,
  );
} finally {
  for (const child of children) child.kill('SIGKILL');
}
