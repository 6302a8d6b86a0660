import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appAddressOf } from '@kind-e2e/base';
import { type ApiObject, RESOURCES } from '@kind-e2e/kube-client';
import type { Lab } from '@kind-e2e/lab';
import autocannon from 'autocannon';
import httpProxy from 'http-proxy';

const SECONDS = 8;
const CONNECTIONS = 32;
const ROUNDS = 2;

interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const MESH = 'gateway and sidecar';
const PAGE = '/healthz';
const APP_PORT = 8080;

interface Pod extends ApiObject {
  readonly status?: { readonly podIP?: string };
}

/**
 * Requests per second of one page of front-end: from the app itself, through gateway and sidecar (mTLS, spans, metrics
 * and all), and through `http-proxy`, and nginx where it is installed, which do none of that. In turn, so that the
 * machine's mood hits all.
 */
export async function compareGateway(lab: Lab, print: (title: string, value: string) => void): Promise<void> {
  const app = await addressOfApp(lab);
  const agent = new Agent({ keepAlive: true });
  const proxy = httpProxy.createProxyServer({ target: `http://${app}`, agent });
  // What is still open when the measuring ends is cut off.
  proxy.on('error', (_error, _request, response) => response.destroy());
  const front = createServer((request, response) => proxy.web(request, response));
  await listen(front);
  using nginx = startNginx(app, await freePort());
  const urls = new Map([
    ['the app itself', `http://${app}${PAGE}`],
    [MESH, `${lab.gateway}/demo-app${PAGE}`],
    ['http-proxy', `${urlOf(front)}${PAGE}`],
    ...(nginx ? [['nginx', `${nginx.url}${PAGE}`] as const] : []),
  ]);
  const best = new Map<string, Load>();
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, url] of urls) {
      const load = await loadOf(url);
      if (load.perSecond > (best.get(name)?.perSecond ?? 0)) best.set(name, load);
    }
  front.close();
  proxy.close();
  agent.destroy();
  const own = best.get(MESH)?.perSecond ?? Number.NaN;
  for (const [name, { perSecond, p50Ms, p99Ms }] of best) {
    const ratio = name === MESH ? '' : `, the mesh to it × ${(own / perSecond).toFixed(2)}`;
    print(
      `requests/s of a page of front-end, ${name}`,
      `${perSecond.toFixed(0)}, p50 ${p50Ms} ms, p99 ${p99Ms} ms${ratio}`,
    );
  }
}

/** Where front-end listens behind its sidecar. */
async function addressOfApp(lab: Lab): Promise<string> {
  const { items } = await lab.client.list<Pod>(RESOURCES.pods, {
    namespace: 'default',
    labelSelector: 'app.kubernetes.io/name=front-end',
  });
  const podIP = items[0]?.status?.podIP;
  if (podIP === undefined) throw new Error('front-end has no running pod');
  return `${appAddressOf(podIP)}:${APP_PORT}`;
}

async function loadOf(url: string): Promise<Load> {
  const result = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`);
  return { perSecond: result.requests.average, p50Ms: result.latency.p50, p99Ms: result.latency.p99 };
}

/** One worker with kept-alive connections to the app; undefined where there is no nginx. */
function startNginx(app: string, port: number): ({ readonly url: string } & Disposable) | undefined {
  if (spawnSync('nginx', ['-v']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; events { worker_connections 4096; }
http { access_log off; ${temporary} upstream app { server ${app}; keepalive 64; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`,
  );
  const child: ChildProcess = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]() {
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await listen(server);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
