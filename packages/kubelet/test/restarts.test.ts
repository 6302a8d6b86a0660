import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLab, statusOf, type TestLab } from './lab.ts';

let lab: TestLab;
let image: string;

beforeAll(async () => {
  lab = await startLab({ block: 30, shared: { crashBackoff: { initialMs: 300, maxMs: 60_000 } } });
  image = await lab.image('node:1', 'setInterval(() => {}, 1000)');
});

afterAll(() => lab?.[Symbol.asyncDispose]());

const exits = (code: number, more: object = {}): Container => ({
  name: 'app',
  image,
  command: ['sh', '-c', `exit ${code}`],
  ...more,
});
const restartOn = (code: number): object => ({
  restartPolicy: 'Never',
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [code] } }],
});

describe('a container', () => {
  it('that cannot be started backs off like one that crashes', async () => {
    await lab.pod('no-program', { containers: [{ name: 'app', image, command: ['/no/such/program'] }] });
    await expect
      .poll(async () => statusOf(await lab.get('no-program'))?.restartCount, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(3);
    // 0.3 s + 0.6 s + 1.2 s went by: a loop without back-off makes hundreds in that time.
    const status = statusOf(await lab.get('no-program'));
    expect(status?.restartCount).toBeLessThan(8);
    expect(['CrashLoopBackOff', 'RunContainerError']).toContain(status?.state?.waiting?.reason);
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
    await lab.deletePod('no-program', 0);
  });

  it('is restarted by its own rules, whatever the pod says', async () => {
    await lab.pod('ruled', { restartPolicy: 'Never', containers: [exits(42, restartOn(42))] });
    await lab.pod('unruled', { restartPolicy: 'Always', containers: [exits(41, restartOn(42))] });
    await expect
      .poll(async () => statusOf(await lab.get('ruled'))?.restartCount, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
    await expect.poll(async () => (await lab.get('unruled')).status?.phase, { timeout: 20_000 }).toBe('Failed');
    expect(statusOf(await lab.get('unruled'))?.restartCount).toBe(0);
    await lab.deletePod('ruled', 0);
  });

  it('of the init containers fails the pod where its own policy says so', async () => {
    await lab.pod('init', {
      restartPolicy: 'Always',
      initContainers: [{ ...exits(3), name: 'first', restartPolicy: 'Never' }],
      containers: [exits(0)],
    });
    await expect.poll(async () => (await lab.get('init')).status?.phase, { timeout: 20_000 }).toBe('Failed');
    const failed = await lab.get('init');
    expect(statusOf(failed, 'first')?.state?.terminated?.exitCode).toBe(3);
    // It never was the turn of the others: they wait still.
    expect(statusOf(failed)?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
  });

  it('whose postStart hook fails says so without its output', async () => {
    const postStart = { exec: { command: ['sh', '-c', 'echo secret; exit 3'] } };
    await lab.pod('hooked', {
      containers: [{ name: 'app', image, command: ['sh', '-c', 'sleep 100'], lifecycle: { postStart } }],
    });
    await expect
      .poll(() => lab.events('hooked'), { timeout: 20_000 })
      .toContainEqual({ type: 'Warning', reason: 'FailedPostStartHook', message: 'PostStartHook failed' });
    await lab.deletePod('hooked', 0);
  });
});
