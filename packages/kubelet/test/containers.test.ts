import { execFileSync } from 'node:child_process';
import { RESOURCES } from '@kind-e2e/kube-client';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isReady, logsOf, startLab, statusOf, type TestLab } from './lab.ts';

const EXIT_BY_ENV = `
const fs = require('node:fs');
if (process.env.MESSAGE) fs.writeFileSync('/dev/termination-log', process.env.MESSAGE);
console.log('run', process.env.NAME ?? '');
if (process.env.SERVE) setInterval(() => {}, 1000);
else process.exitCode = Number(process.env.CODE ?? 0);
`;

let lab: TestLab;
let image: string;

beforeAll(async () => {
  lab = await startLab({ block: 22, shared: { crashBackoff: { initialMs: 200, maxMs: 1_000 } } });
  image = await lab.image('exit:1', EXIT_BY_ENV);
});

afterAll(() => lab?.[Symbol.asyncDispose]());

const env = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => ({ name, value }));

function waitFor(name: string, check: (pod: Pod) => boolean, timeout = 15_000): Promise<Pod> {
  return expect
    .poll(async () => lab.get(name), { timeout, interval: 25 })
    .toSatisfy((pod: Pod) => check(pod))
    .then(() => lab.get(name));
}

describe('containers', () => {
  it('that end well complete the pod, with their message', async () => {
    await lab.pod('done', {
      restartPolicy: 'Never',
      containers: [{ name: 'app', image, env: env({ MESSAGE: 'all good' }) }],
    });
    const pod = await waitFor('done', (each) => each.status?.phase === 'Succeeded');
    expect(statusOf(pod)?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed', message: 'all good' });
    expect(pod.status?.conditions?.find((each) => each.type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'PodCompleted',
    });
  });

  it('that fail are restarted with back-off, and the pod fails where it must not restart', async () => {
    await lab.pod('fails', {
      restartPolicy: 'Never',
      containers: [{ name: 'app', image, env: env({ CODE: '3' }), terminationMessagePolicy: 'FallbackToLogsOnError' }],
    });
    const failed = await waitFor('fails', (each) => each.status?.phase === 'Failed');
    expect(statusOf(failed)?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: 'run \n' });
    await lab.pod('crashes', { containers: [{ name: 'app', image, env: env({ CODE: '1' }) }] });
    const crashed = await waitFor(
      'crashes',
      (each) =>
        (statusOf(each)?.restartCount ?? 0) >= 2 && statusOf(each)?.state?.waiting?.reason === 'CrashLoopBackOff',
    );
    expect(statusOf(crashed)?.state?.waiting?.message).toMatch(
      /^back-off .* restarting failed container=app pod=crashes_default\(/,
    );
    expect(statusOf(crashed)?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(crashed.status?.phase).toBe('Running');
    expect((await lab.events('crashes')).map((event) => event.reason)).toContain('BackOff');
    expect(await logsOf(lab, 'crashes', 'app', 'previous=true')).toBe('run \n');
    await lab.deletePod('crashes');
  });

  it('start in order: init containers, sidecars, then apps', async () => {
    await lab.pod('ordered', {
      initContainers: [
        { name: 'first', image, env: env({ NAME: 'first' }) },
        { name: 'side', image, restartPolicy: 'Always', env: env({ SERVE: '1' }) },
        { name: 'second', image },
      ],
      containers: [{ name: 'app', image }],
      restartPolicy: 'Never',
    });
    const pod = await waitFor('ordered', (each) => each.status?.phase === 'Succeeded');
    const at = (name: string) => Date.parse(statusOf(pod, name)?.state?.terminated?.startedAt ?? '');
    expect(at('first')).toBeLessThanOrEqual(at('side'));
    expect(at('side')).toBeLessThanOrEqual(at('second'));
    expect(statusOf(pod, 'side')?.state?.terminated).toBeDefined();
    expect(pod.status?.conditions?.find((each) => each.type === 'Initialized')?.status).toBe('True');
  });

  it('that cannot run say why in the words of upstream', async () => {
    await lab.pod('missing-image', { containers: [{ name: 'app', image: `${lab.registry.address}/nope:1` }] });
    const pull = await waitFor(
      'missing-image',
      (each) => statusOf(each)?.state?.waiting?.reason === 'ImagePullBackOff',
    );
    expect(statusOf(pull)?.state?.waiting?.message).toMatch(
      /^Back-off pulling image ".*": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image/,
    );
    expect(pull.status?.phase).toBe('Pending');
    const events = await lab.events('missing-image');
    expect(events.map((event) => event.message)).toEqual(
      expect.arrayContaining([
        'Error: ErrImagePull',
        'Error: ImagePullBackOff',
        `Back-off pulling image "${lab.registry.address}/nope:1"`,
      ]),
    );
    await lab.pod('bad-name', { containers: [{ name: 'app', image: 'UPPER' }] });
    await waitFor('bad-name', (each) => statusOf(each)?.state?.waiting?.reason === 'InvalidImageName');
    await lab.pod('no-config', {
      containers: [{ name: 'app', image, envFrom: [{ configMapRef: { name: 'absent' } }] }],
    });
    const config = await waitFor(
      'no-config',
      (each) => statusOf(each)?.state?.waiting?.reason === 'CreateContainerConfigError',
    );
    expect(statusOf(config)?.state?.waiting?.message).toBe('configmap "absent" not found');
    await lab.client.create(RESOURCES.configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'absent', namespace: 'default' },
      data: { SERVE: '1' },
    } as never);
    await waitFor('no-config', isReady);
    await lab.pod('no-program', {
      containers: [{ name: 'app', image, command: ['nonsense'] }],
      restartPolicy: 'Never',
    });
    const program = await waitFor('no-program', (each) => each.status?.phase === 'Failed');
    expect(statusOf(program)?.state?.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
    expect(statusOf(program)?.state?.terminated?.message).toContain(
      'exec: "nonsense": executable file not found in $PATH',
    );
    await lab.pod('non-root', {
      containers: [{ name: 'app', image, securityContext: { runAsNonRoot: true } }],
    });
    const root = await waitFor(
      'non-root',
      (each) => statusOf(each)?.state?.waiting?.reason === 'CreateContainerConfigError',
    );
    expect(statusOf(root)?.state?.waiting?.message).toContain('container has runAsNonRoot and image will run as root');
  });

  it('are killed when they take more memory than they may', async () => {
    const greedy = await lab.image(
      'greedy:1',
      'const all = []; setInterval(() => all.push(Buffer.alloc(20 << 20, 1)), 20);',
    );
    await lab.pod('greedy', {
      restartPolicy: 'Never',
      containers: [{ name: 'app', image: greedy, resources: { limits: { memory: '150Mi' } } }],
    });
    const pod = await waitFor('greedy', (each) => each.status?.phase === 'Failed');
    expect(statusOf(pod)?.state?.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('get liveness, startup and exec probes, and hooks', async () => {
    await lab.pod('hooked', {
      containers: [
        {
          name: 'app',
          image,
          env: env({ SERVE: '1' }),
          lifecycle: {
            postStart: { exec: { command: ['sh', '-c', 'echo started > /tmp/started'] } },
            preStop: { exec: { command: ['sh', '-c', 'echo stopping > /proc/1/fd/1; sleep 0.1'] } },
          },
          startupProbe: { exec: { command: ['cat', '/tmp/started'] } },
          livenessProbe: { exec: { command: ['cat', '/tmp/started'] }, periodSeconds: 1, failureThreshold: 1 },
        },
      ],
    });
    await waitFor('hooked', isReady);
    const worker = [...lab.kubelet.pods.values()].find((each) => each.pod.metadata?.name === 'hooked');
    const { record } = worker!.slots[0]!;
    execFileSync('nsenter', [
      '-t',
      String(record!.launcher!.pid),
      '-U',
      '-m',
      '--preserve-credentials',
      'rm',
      '/tmp/started',
    ]);
    const pod = await waitFor('hooked', (each) => (statusOf(each)?.restartCount ?? 0) > 0);
    expect(statusOf(pod)?.lastState?.terminated?.exitCode).toBeGreaterThan(0);
    const messages = (await lab.events('hooked')).map((event) => event.message);
    expect(messages).toContain('Container app failed liveness probe, will be restarted');
    expect(messages.some((message) => message.startsWith('Liveness probe failed: cat: /tmp/started'))).toBe(true);
    await lab.deletePod('hooked');
  });

  it('get a grace period, then no more', async () => {
    const stubborn = await lab.image(
      'stubborn:1',
      "process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1000); console.log('up')",
    );
    await lab.pod('stubborn', {
      terminationGracePeriodSeconds: 30,
      containers: [{ name: 'app', image: stubborn }],
    });
    await expect.poll(() => logsOf(lab, 'stubborn', 'app').catch(() => '')).toBe('up\n');
    await lab.deletePod('stubborn');
    await expect.poll(() => logsOf(lab, 'stubborn', 'app')).toBe('up\nno\n');
    await lab.deletePod('stubborn', 1);
    await expect
      .poll(
        () =>
          lab.get('stubborn').then(
            () => 'there',
            () => 'gone',
          ),
        { timeout: 8_000 },
      )
      .toBe('gone');
  });
});
