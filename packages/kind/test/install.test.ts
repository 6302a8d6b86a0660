/** Our charts installed by the real Helm, newest and oldest, on the embedded API server with Istio's admission. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createApiServer } from '@kind-e2e/apiserver';
import { fetchTools, OLDEST_TOOLS, PINNED_PLATFORM, PINNED_TOOLS } from '@kind-e2e/embedded';
import { createKubeClient, loadKubeconfig, RESOURCES } from '@kind-e2e/kube-client';
import { istioCrds, istioValidator, sidecarInjector } from '@kind-e2e/mesh';
import { createAuthority } from '@kind-e2e/pki';
import { expect, test } from 'vitest';
import { ROOT } from './lab-on-stand-ins.ts';

const run = promisify(execFile);
const TOOLS = join(ROOT, 'node_modules', '.cache', 'kind-e2e', 'tools');

for (const tools of [PINNED_TOOLS, OLDEST_TOOLS])
  test.skipIf(`${process.platform}-${process.arch}` !== PINNED_PLATFORM)(
    `app and platform with the values of kind: install, upgrade, uninstall by Helm ${tools.helmVersion}`,
    async () => {
      const helmPath = join(TOOLS, `${tools.package.split('/').at(-1)}-${tools.version}`, 'helm');
      if (!existsSync(helmPath)) await fetchTools(tools, TOOLS);
      const folder = mkdtempSync(join(tmpdir(), 'kind-install-'));
      const authority = createAuthority({ commonName: 'kubernetes' });
      const tls = authority.issue({
        subject: { commonName: 'kube-apiserver' },
        altNames: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
        use: 'server',
      });
      await using api = await createApiServer({
        listen: { host: '127.0.0.1', port: 0 },
        tls: { ...tls, caPem: authority.certPem },
        tokens: [{ token: 'admin', user: 'kubernetes-admin', groups: ['system:masters'] }],
        mutators: [sidecarInjector, istioValidator],
      });
      const kubeconfig = join(folder, 'kubeconfig');
      writeFileSync(
        kubeconfig,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'test',
          clusters: [
            {
              name: 'test',
              cluster: {
                server: api.url,
                'certificate-authority-data': Buffer.from(authority.certPem).toString('base64'),
              },
            },
          ],
          users: [{ name: 'admin', user: { token: 'admin' } }],
          contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
        }),
      );
      await using client = createKubeClient(await loadKubeconfig(kubeconfig));
      const helm = async (...args: readonly string[]): Promise<string> =>
        (
          await run(helmPath, [...args], {
            cwd: ROOT,
            env: { KUBECONFIG: kubeconfig, HOME: folder, PATH: process.env.PATH },
          })
        ).stdout;
      try {
        for (const crd of istioCrds())
          await create(api.url, authority.certPem, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
        for (const name of ['istio-system', 'jenkins'])
          await create(api.url, authority.certPem, '/api/v1/namespaces', {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name },
          });
        const platform = ['platform', './helm/platform', '--values', 'helm/platform/values.kind.yaml'];
        const dashboard = 'dashboards.business-logic=packages/console/dashboards/business-logic.json';
        await helm('upgrade', '--install', ...platform, '--namespace', 'istio-system', '--set-file', dashboard);
        const app = ['upgrade', '--install', 'app', './helm/app', '--namespace', 'default'];
        await helm(...app, '--values', 'helm/app/values.kind.yaml', '--set-string', 'front-end.image.tag=src-1');
        const deployments = await client.list(RESOURCES.deployments, { namespace: 'default' });
        expect(deployments.items.map(({ metadata }) => metadata?.name).sort()).toEqual(['business-logic', 'front-end']);
        await helm(...app, '--values', 'helm/app/values.kind.yaml', '--set-string', 'front-end.image.tag=src-2');
        const list = JSON.parse(await helm('list', '--all-namespaces', '--output', 'json')) as {
          name: string;
          status: string;
          revision: string;
        }[];
        expect(list.map(({ name, status, revision }) => `${name} ${status} ${revision}`).sort()).toEqual([
          'app deployed 2',
          'platform deployed 1',
        ]);
        await helm('uninstall', 'app', '--namespace', 'default');
        expect((await client.list(RESOURCES.deployments, { namespace: 'default' })).items).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );

async function create(url: string, caPem: string, path: string, object: unknown): Promise<void> {
  const { request } = await import('node:https');
  const body = JSON.stringify(object);
  const status = await new Promise<number>((resolve, reject) => {
    const sent = request(
      `${url}${path}`,
      {
        method: 'POST',
        ca: caPem,
        agent: false,
        headers: {
          authorization: 'Bearer admin',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
  expect(status, path).toBe(201);
}
