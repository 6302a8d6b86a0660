import { join } from 'node:path';
import { buildApp } from '@kind-e2e/embedded';
import type { Lab } from '@kind-e2e/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

const CHART = join(import.meta.dirname, 'podinfo', 'chart');
const IMAGE = join(import.meta.dirname, 'podinfo', 'image');
const NAMESPACE = 'podinfo';

/** Podinfo's chart, with its own image, which is not there, and with one that stands in for it. */
describe("podinfo's chart", () => {
  let lab: Lab;
  let standIn: string[];

  beforeAll(async () => {
    lab = await sharedLab();
    await lab.kubectl('create', 'namespace', NAMESPACE);
    const registry = `localhost:${lab.config.ports.registry}`;
    const { reference } = await buildApp({ folder: IMAGE, name: 'podinfo', registry, compile: false });
    expect(reference).toBe(`${registry}/podinfo:6.9.0`);
    standIn = ['--set', `image.repository=${registry}/podinfo`, '--set', `test.image=${reference}`];
  });
  afterAll(async () => {
    await lab.kubectl('delete', 'namespace', NAMESPACE);
  });

  const helm = (...args: string[]): ReturnType<Lab['helm']> => lab.helm(...args, '-n', NAMESPACE);
  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await lab.kubectl(...args, '-n', NAMESPACE);
    expect(result.exitCode, result.stderr).toBe(0);
    return result.stdout;
  };

  it('reaches ImagePullBackOff with the events of a real cluster where the image is missing', async () => {
    const failed = await helm('install', 'absent', CHART, '--set', 'redis.enabled=true', '--wait', '--timeout', '6s');
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/INSTALLATION FAILED|context deadline exceeded/);
    expect((await helm('status', 'absent')).stdout).toContain('STATUS: failed');
    await expect
      .poll(async () => (await kubectl('get', 'pods')).match(/0\/1 +(ErrImagePull|ImagePullBackOff)/g)?.length, {
        timeout: 60_000,
      })
      .toBe(2);
    const described = await kubectl('describe', 'pods', '-l', 'app.kubernetes.io/name=absent-podinfo');
    expect(described).toMatch(/Liveness: +exec \[podcli check http localhost:9898\/healthz\] delay=1s timeout=5s/);
    expect(described).toMatch(/Normal +Pulling .*Pulling image "ghcr\.io\/stefanprodan\/podinfo:6\.9\.0"/);
    expect(described).toMatch(/Warning +Failed .*Failed to pull image "ghcr\.io\/stefanprodan\/podinfo:6\.9\.0": /);
    expect(described).toMatch(/Warning +Failed .*Error: ErrImagePull/);
    await expect.poll(() => kubectl('get', 'events'), { timeout: 60_000 }).toMatch(/Error: ImagePullBackOff/);
    expect(await kubectl('get', 'deployment', 'absent-podinfo')).toMatch(/absent-podinfo +0\/1 +1 +0/);
    expect((await helm('uninstall', 'absent', '--wait')).stdout).toContain('release "absent" uninstalled');
  });

  it('installs with hooks, passes its test, scales, upgrades and rolls back', async () => {
    const options = ['--set', 'hooks.preInstall=true,hooks.postInstall=true,hooks.preUpgrade=true', ...standIn];
    const installed = await helm('install', 'real', CHART, ...options, '--wait', '--timeout', '90s');
    expect(installed.exitCode, installed.stderr).toBe(0);
    const events = await kubectl('get', 'events', '--field-selector', 'reason=Completed');
    for (const hook of ['pre-install', 'post-install']) expect(events).toContain(`job/real-podinfo-${hook}`);
    expect(await kubectl('get', 'jobs')).toBe('');
    const tested = await helm('test', 'real', '--timeout', '60s');
    expect(tested.stdout, tested.stderr).toMatch(
      /TEST SUITE: +real-podinfo-service-test-\w{5}\n[\s\S]*Phase: +Succeeded/,
    );

    const upgrade = [...options, '--set', 'hpa.enabled=true,podDisruptionBudget.minAvailable=1,ingress.enabled=true'];
    const upgraded = await helm(
      'upgrade',
      'real',
      CHART,
      ...upgrade,
      '--set',
      'test.fail=true',
      '--wait',
      '--timeout',
      '90s',
    );
    expect(upgraded.exitCode, upgraded.stderr).toBe(0);
    expect(await kubectl('get', 'hpa,pdb,ingress')).toMatch(
      /horizontalpodautoscaler\S+real-podinfo +Deployment\/real-podinfo[\s\S]*poddisruptionbudget\S+real-podinfo +1 [\s\S]*podinfo\.local/,
    );
    const failing = await helm('test', 'real', '--timeout', '60s');
    expect(failing.exitCode).toBe(1);
    expect(failing.stderr).toMatch(/real-podinfo-fault-test failed/);

    const back = await helm('rollback', 'real', '1', '--wait', '--timeout', '90s');
    expect(back.exitCode, back.stderr).toBe(0);
    const left = await lab.kubectl('get', 'hpa,pdb,ingress', '-n', NAMESPACE);
    expect(left.stderr).toContain('No resources found');
    expect((await helm('history', 'real')).stdout).toMatch(/3\s.*deployed.*Rollback to 1/);
    expect((await helm('uninstall', 'real', '--wait')).exitCode).toBe(0);
  });
});
