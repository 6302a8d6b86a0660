import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inClusterConnection, loadKubeconfig } from './kubeconfig.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});
afterAll(() => rm(folder, { recursive: true }));

const config = `
apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster: { server: 'https://127.0.0.1:6443', certificate-authority-data: ${Buffer.from('CA').toString('base64')} }
contexts:
- name: lab
  context: { cluster: lab, user: admin }
- name: other
  context: { cluster: lab, user: cert, namespace: ns }
- name: plugin
  context: { cluster: lab, user: plugin }
users:
- name: admin
  user: { token: t }
- name: cert
  user: { client-certificate: c.pem, client-key: k.pem }
- name: plugin
  user: { exec: { command: login } }
`;

describe('loadKubeconfig', () => {
  it('reads the current context, another one, and refuses what it cannot do', async () => {
    const path = join(folder, 'config');
    await writeFile(path, config);
    await writeFile(join(folder, 'c.pem'), 'CERT');
    await writeFile(join(folder, 'k.pem'), 'KEY');
    expect(await loadKubeconfig(path)).toEqual({
      server: 'https://127.0.0.1:6443',
      caPem: 'CA',
      token: 't',
      namespace: 'default',
    });
    expect(await loadKubeconfig(path, { context: 'other' })).toEqual({
      server: 'https://127.0.0.1:6443',
      caPem: 'CA',
      clientCertPem: 'CERT',
      clientKeyPem: 'KEY',
      namespace: 'ns',
    });
    await expect(loadKubeconfig(path, { context: 'plugin' })).rejects.toThrow(/exec plugin/);
    await expect(loadKubeconfig(path, { context: 'none' })).rejects.toThrow('context "none" does not exist');
    await expect(loadKubeconfig(join(folder, 'none'))).rejects.toMatchObject({ code: 'KUBECONFIG_UNUSABLE' });
  });
});

describe('inClusterConnection', () => {
  it('reads the service account and refuses to run elsewhere', async () => {
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'namespace'), 'ns\n');
    const env = { KUBERNETES_SERVICE_HOST: '127.11.0.1', KUBERNETES_SERVICE_PORT: '443' };
    expect(await inClusterConnection(env, { directory: folder })).toEqual({
      server: 'https://127.11.0.1:443',
      caPem: 'CA',
      tokenFile: join(folder, 'token'),
      namespace: 'ns',
    });
    await expect(inClusterConnection({}, { directory: folder })).rejects.toThrow('KUBERNETES_SERVICE_HOST');
  });
});
