import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appAddressOf, createAddressPlan } from '@kind-e2e/base';
import { expect, test } from 'vitest';
import { startApi } from './api.ts';
import { pod, service } from './world.ts';

const plan = createAddressPlan(10 + (process.pid % 10));
const prefix = plan.podCidr(3).split('.').slice(0, 2).join('.');
const FRONT = `${prefix}.3.21`;
const GATEWAY = `${prefix}.3.22`;

function freePort(): Promise<number> {
  const probe = createTcpServer();
  return new Promise((resolve) =>
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    }),
  );
}

test('the data plane goes on without the control half, and comes back with its last snapshot', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'data-plane-'));
  const port = await freePort();
  const api = await startApi({
    addressPlan: plan,
    gatewayAddresses: [{ servicePort: 80, address: '127.0.0.1', port }],
  });
  const app = createServer((request, response) => response.end(`front ${request.url}`));
  await new Promise<void>((resolve) => app.listen(8080, appAddressOf(FRONT), resolve));
  await api.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: istio-ingressgateway, namespace: istio-system}
`);
  await api.apply(
    [
      pod('front-end-1', FRONT, { port: 8080 }),
      pod('istio-ingressgateway-1', GATEWAY, {
        namespace: 'istio-system',
        injected: false,
        labels: { istio: 'ingressgateway', app: 'istio-ingressgateway' },
      }),
      service('front-end', 8080, [{ name: 'front-end-1', ip: FRONT }], { clusterIP: '' }),
      `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec: {hosts: ["*"], gateways: [g], http: [{route: [{destination: {host: front-end}}]}]}
`,
    ].join('\n'),
  );
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, await api.token('istio-system', 'istio-ingressgateway'));
  const snapshotFile = join(folder, 'snapshot.json');
  const discovery = api.mesh.port;
  const main = createRequire(import.meta.url).resolve('@kind-e2e/proxy/main');
  const start = (): ChildProcess =>
    spawn(process.execPath, [main], {
      stdio: 'ignore',
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        DISCOVERY_ADDRESS: `127.0.0.1:${discovery}`,
        TOKEN_FILE: tokenFile,
        SNAPSHOT_FILE: snapshotFile,
        POD_LOG_DIR: join(folder, 'logs'),
      },
    });
  const answers = async (): Promise<void> => {
    const end = Date.now() + 15_000;
    for (;;) {
      const text = await fetch(`http://127.0.0.1:${port}/x`)
        .then((response) => response.text())
        .catch(() => '');
      if (text === 'front /x') return;
      if (Date.now() > end) throw new Error(`never: an answer through the gateway (last: ${text})`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
  let process1 = start();
  try {
    await answers();
    expect(statSync(snapshotFile).mode & 0o777).toBe(0o600);
    await api[Symbol.asyncDispose]();
    await answers();
    const ended = new Promise((resolve) => process1.once('exit', resolve));
    process1.kill('SIGKILL');
    await ended;
    process1 = start();
    await answers();
    const graceful = new Promise<number | null>((resolve) => process1.once('exit', resolve));
    process1.kill('SIGTERM');
    expect(await graceful).toBe(0);
    const uid = (JSON.parse(readFileSync(snapshotFile, 'utf8')) as { metadata: Record<string, { uid?: string }> })
      .metadata['istio-system/istio-ingressgateway-1']?.uid;
    expect(
      readFileSync(join(folder, 'logs', `istio-system_istio-ingressgateway-1_${uid}`, 'istio-proxy', '0.log'), 'utf8'),
    ).toMatch(/^\d{4}-\S+ stdout F \[\d{4}-.*"GET \/x HTTP\/1\.1" 200 - via_upstream/m);
  } finally {
    process1.kill('SIGKILL');
    app.closeAllConnections();
    app.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
