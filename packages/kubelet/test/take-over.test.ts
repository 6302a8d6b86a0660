import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RESOURCES } from '@kind-e2e/kube-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPodStates } from '../src/pods/pod-state.ts';
import { readProcess, signalProcess } from '../src/runtime/processes.ts';
import { forkKubelet, isReady, startLab, statusOf, type TestLab } from './lab.ts';

const COUNTER = `
let n = 0;
const write = () => { console.log('line ' + n++); if (n % 10 === 0) console.error('error ' + n); };
setInterval(() => { for (let i = 0; i < 20; i++) write(); }, 5);
require('node:http').createServer((request, response) => response.end(String(process.pid))).listen(8080);
process.on('SIGTERM', () => process.exit(0));
process.on('SIGUSR2', () => process.exit(7));
`;

let lab: TestLab;

beforeAll(async () => {
  lab = await startLab({ block: 23, withoutKubelet: true });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

describe('a kubelet that was killed', () => {
  it('takes up its pods without restarting them, and loses and doubles no log line', async () => {
    const image = await lab.image('counter:1', COUNTER);
    const first = await forkKubelet(lab);
    await lab.pod('counter', {
      containers: [{ name: 'app', image, readinessProbe: { httpGet: { path: '/', port: 8080 } } }],
    });
    await expect.poll(async () => isReady(await lab.get('counter')), { timeout: 10_000 }).toBe(true);
    const before = await lab.get('counter');
    const [state] = await readPodStates(lab.dataDir);
    const folder = join(lab.dataDir, 'pods', state!.uid, 'containers', 'app', '0');
    const main = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')).main;
    const logFolder = join(lab.dataDir, 'log', 'pods', `default_counter_${state!.uid}`, 'app');
    const logged = () =>
      readdirSync(logFolder)
        .map((name) => readFileSync(join(logFolder, name), 'utf8'))
        .join('');
    for (let round = 0; round < 3; round++) {
      const killed = round === 0 ? first : await forkKubelet(lab);
      const known = logged().length;
      await expect.poll(() => logged().length).toBeGreaterThan(known + 20_000);
      killed.kill('SIGKILL');
      await killed.exited;
      expect(readProcess(main.pid)?.startTime).toBe(main.startTime);
    }
    const last = await forkKubelet(lab);
    await expect.poll(async () => isReady(await lab.get('counter'))).toBe(true);
    const after = await lab.get('counter');
    expect(after.status?.podIP).toBe(before.status?.podIP);
    expect(statusOf(after)).toMatchObject({ restartCount: 0, containerID: statusOf(before)?.containerID });
    await lab.deletePod('counter');
    await expect
      .poll(() =>
        lab.get('counter').then(
          () => 'there',
          () => 'gone',
        ),
      )
      .toBe('gone');
    const entries = logged().trim().split('\n');
    const lines = entries.filter((entry) => entry.includes(' stdout F ')).map((entry) => entry.split(' F ')[1]);
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, index) => `line ${index}`));
    const errors = entries.filter((entry) => entry.includes(' stderr F ')).map((entry) => entry.split(' F ')[1]);
    expect(errors).toEqual(Array.from({ length: errors.length }, (_, index) => `error ${(index + 1) * 10}`));
    expect(lines.length).toBeGreaterThan(500);
    last.kill('SIGKILL');
    await last.exited;
  });

  it('finds the exit code of a container that ended meanwhile, and pods that were deleted', async () => {
    const image = await lab.image('counter:1', COUNTER);
    const first = await forkKubelet(lab);
    await lab.pod('ends', {
      restartPolicy: 'Never',
      containers: [{ name: 'app', image, readinessProbe: { tcpSocket: { port: 8080 } } }],
    });
    await lab.pod('deleted', { containers: [{ name: 'app', image }] });
    await expect.poll(async () => isReady(await lab.get('ends')), { timeout: 10_000 }).toBe(true);
    await expect.poll(async () => isReady(await lab.get('deleted')), { timeout: 10_000 }).toBe(true);
    first.kill('SIGKILL');
    await first.exited;
    const states = await readPodStates(lab.dataDir);
    const mainOf = (name: string) => {
      const uid = states.find((state) => state.name === name)!.uid;
      return JSON.parse(readFileSync(join(lab.dataDir, 'pods', uid, 'containers', 'app', '0', 'state.json'), 'utf8'))
        .main;
    };
    signalProcess(mainOf('ends'), 'SIGUSR2');
    await expect.poll(() => readProcess(mainOf('ends').pid)?.startTime).not.toBe(mainOf('ends').startTime);
    await lab.deletePod('deleted', 0);
    const deleted = mainOf('deleted');
    const next = await forkKubelet(lab);
    await expect.poll(async () => statusOf(await lab.get('ends'))?.state?.terminated?.exitCode).toBe(7);
    await expect.poll(() => readProcess(deleted.pid)?.startTime).not.toBe(deleted.startTime);
    await lab.client.delete(RESOURCES.pods, { name: 'ends', namespace: 'default' });
    await expect
      .poll(() =>
        lab.get('ends').then(
          () => 'there',
          () => 'gone',
        ),
      )
      .toBe('gone');
    await expect.poll(() => readPodStates(lab.dataDir)).toEqual([]);
    next.kill('SIGKILL');
    await next.exited;
  });
});
