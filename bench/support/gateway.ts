import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lab } from '@kind-e2e/lab';
import autocannon from 'autocannon';
import httpProxy from 'http-proxy';

const SECONDS = 8;
const CONNECTIONS = 32;
const ROUNDS = 2;

/**
 * Requests per second of one page of front-end through gateway and sidecar (mTLS, spans, metrics and all), and of a page
 * as small through `http-proxy`, which does none of that. In turn, so that the machine's mood hits both.
 */
export async function compareGateway(lab: Lab, print: (title: string, value: string) => void): Promise<void> {
  const backend = createServer((_request, response) => response.end('ok'));
  await listen(backend);
  const proxy = httpProxy.createProxyServer({ target: urlOf(backend), agent: undefined });
  // What is still open when the measuring ends is cut off.
  proxy.on('error', (_error, _request, response) => response.destroy());
  const front = createServer((request, response) => proxy.web(request, response));
  await listen(front);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await requestsPerSecond(`${lab.gateway}/demo-app/healthz`));
    theirs.push(await requestsPerSecond(urlOf(front)));
  }
  front.close();
  backend.close();
  proxy.close();
  const [own, other] = [Math.max(...ours), Math.max(...theirs)];
  print('requests/s through gateway and sidecar to front-end', own.toFixed(0));
  print('requests/s through http-proxy to a bare server', other.toFixed(0));
  print('ratio', (own / other).toFixed(2));
}

async function requestsPerSecond(url: string): Promise<number> {
  const result = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`);
  return result.requests.average;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
