import { join } from 'node:path';
import { RESOURCES } from '@kind-e2e/kube-client';
import { expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

const MANIFESTS = [
  { name: 'bookinfo', deployments: 6, pods: 6 },
  { name: 'guestbook', deployments: 3, pods: 6 },
  { name: 'online-boutique', deployments: 10, pods: 10 },
];

it.each(MANIFESTS)('takes $name, whose images it cannot have', async ({ name, deployments, pods }) => {
  const lab = await sharedLab();
  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await lab.kubectl(...args, '-n', name);
    expect(result.exitCode, result.stderr).toBe(0);
    return result.stdout;
  };
  await lab.kubectl('create', 'namespace', name);
  const file = join(import.meta.dirname, 'manifests', `${name}.yaml`);
  expect((await kubectl('apply', '-f', file)).match(/^deployment\.apps\/\S+ created$/gm)).toHaveLength(deployments);
  expect(await kubectl('apply', '-f', file)).not.toMatch(/created|configured/);
  await expect
    .poll(async () => (await kubectl('get', 'pods')).match(/0\/\d +(ErrImagePull|ImagePullBackOff)/g) ?? [], {
      timeout: 60_000,
    })
    .toHaveLength(pods);
  const events = await kubectl('get', 'events');
  for (const reason of ['Scheduled', 'Pulling', 'Failed', 'BackOff', 'SuccessfulCreate', 'ScalingReplicaSet'])
    expect(events).toContain(reason);
  expect(events).toMatch(/Failed to pull image "\S+": /);
  await lab.client.delete(RESOURCES.namespaces, { name });
});
