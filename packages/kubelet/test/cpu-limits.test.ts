import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readProcess } from '../src/runtime/processes.ts';
import { startLab, statusOf, type TestLab } from './lab.ts';

let lab: TestLab;

beforeAll(async () => {
  lab = await startLab({ block: 25 });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

it('a container with a CPU limit gets no more where the system lets us, else the node says so', async () => {
  const image = await lab.image('burner:1', 'for (;;);');
  await lab.pod('burner', { containers: [{ name: 'app', image, resources: { limits: { cpu: '200m' } } }] });
  await expect.poll(async () => statusOf(await lab.get('burner'))?.state?.running, { timeout: 20_000 }).toBeDefined();
  const { cpu } = lab.shared;
  if (cpu.version === undefined) {
    expect(await lab.events('worker-1')).toContainEqual(
      expect.objectContaining({ type: 'Warning', reason: 'CPULimitsNotEnforced' }),
    );
    return;
  }
  const [worker] = [...lab.kubelet.pods.values()];
  const record = worker?.slots[0]?.record;
  const group = `${cpu.prefix}${record?.id}`;
  expect((await readFile(`${group}/cgroup.procs`, 'utf8')).split('\n')).toContain(String(record?.main?.pid));
  const throttled = async (): Promise<number> =>
    Number(/nr_throttled (\d+)/.exec(await readFile(`${group}/cpu.stat`, 'utf8'))?.[1]);
  await expect.poll(throttled, { timeout: 20_000 }).toBeGreaterThan(3);
  expect(readProcess(record?.main?.pid ?? 0)).toBeDefined();
  await lab.deletePod('burner', 0);
  await expect
    .poll(
      () =>
        readFile(`${group}/cgroup.procs`, 'utf8').then(
          () => 'there',
          (error) => error.code,
        ),
      { timeout: 20_000 },
    )
    .toBe('ENOENT');
});
