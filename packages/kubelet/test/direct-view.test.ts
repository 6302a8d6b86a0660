import { RESOURCES } from '@kind-e2e/kube-client';
import type { ConfigMap } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { execIn, isReady, logsOf, startLab, type TestLab } from './lab.ts';

let lab: TestLab;

beforeAll(async () => {
  lab = await startLab({ block: 29, shared: { view: 'direct' } });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

it('a pod runs without namespaces: its paths are found where they are on the host', async () => {
  const image = await lab.image(
    'direct:1',
    `const fs = require('node:fs');
     console.log(process.argv[2], fs.readFileSync('/etc/settings/color', 'utf8'), fs.readdirSync('/app').join(), fs.existsSync('/scratch'));
     fs.writeFileSync('/scratch/made', 'x');
     import('node:fs/promises').then(async (p) => console.log(await p.readFile('/scratch/made', 'utf8')));
     setInterval(() => {}, 1000);`,
  );
  await lab.client.create<ConfigMap>(RESOURCES.configmaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { color: 'red' },
  });
  await lab.pod('direct', {
    volumes: [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'scratch', emptyDir: {} },
    ],
    containers: [
      {
        name: 'app',
        image,
        command: ['node', '/app/main.js', 'word'],
        volumeMounts: [
          { name: 'settings', mountPath: '/etc/settings' },
          { name: 'scratch', mountPath: '/scratch' },
        ],
      },
    ],
  });
  await expect.poll(async () => isReady(await lab.get('direct')), { timeout: 10_000 }).toBe(true);
  await expect.poll(() => logsOf(lab, 'direct', 'app')).toBe('word red main.js true\nx\n');
  expect((await execIn(lab, 'direct', ['node', '-p', '1 + 1'])).stdout).toBe('2\n');
});
