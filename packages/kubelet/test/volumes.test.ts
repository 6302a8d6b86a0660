import { RESOURCES } from '@kind-e2e/kube-client';
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execIn, isReady, logsOf, startLab, type TestLab } from './lab.ts';

let lab: TestLab;
let image: string;

beforeAll(async () => {
  lab = await startLab({ block: 26 });
  image = await lab.image('shell:1', 'setInterval(() => {}, 1000)');
  await lab.client.create<ConfigMap>(RESOURCES.configmaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { color: 'red', size: 'big' },
  });
  await lab.client.create<Secret>(RESOURCES.secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'default' },
    data: { token: Buffer.from('s3cret').toString('base64') },
  });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

async function ready(name: string): Promise<Pod> {
  await expect.poll(async () => isReady(await lab.get(name)), { timeout: 15_000 }).toBe(true);
  return lab.get(name);
}

describe('volumes', () => {
  it('show config maps, secrets, the pod itself and its token, and follow changes', async () => {
    await lab.pod(
      'projected',
      {
        automountServiceAccountToken: true,
        volumes: [
          { name: 'settings', configMap: { name: 'settings', items: [{ key: 'color', path: 'sub/color.txt' }] } },
          { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
          {
            name: 'all',
            projected: {
              sources: [
                { configMap: { name: 'settings' } },
                { secret: { name: 'keys' } },
                { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
                { configMap: { name: 'absent', optional: true } },
              ],
            },
          },
        ],
        containers: [
          {
            name: 'app',
            image,
            resources: { limits: { memory: '256Mi', cpu: '500m' } },
            env: [
              { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
              { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
              { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'dotted.name', value: 'works' },
            ],
            volumeMounts: [
              { name: 'settings', mountPath: '/etc/settings' },
              { name: 'keys', mountPath: '/keys', readOnly: true },
              { name: 'all', mountPath: '/var/run/all' },
            ],
          },
        ],
      },
      { labels: { app: 'x', tier: 'front' } },
    );
    await ready('projected');
    const sh = async (script: string) => (await execIn(lab, 'projected', ['sh', '-c', script])).stdout;
    expect(await sh('cat /etc/settings/sub/color.txt /keys/token; stat -L -c %a /keys/token')).toBe('reds3cret400\n');
    expect(await sh('ls /run/all; cat /var/run/all/labels')).toBe('color\nlabels\nsize\ntoken\napp="x"\ntier="front"');
    expect((await execIn(lab, 'projected', ['env'])).stdout).toContain('\ndotted.name=works\n');
    expect(await sh('echo $COLOR $MEMORY $CPU $NODE')).toBe('red 256 500 worker-1\n');
    expect(
      await sh(
        'cut -d. -f1 /var/run/secrets/kubernetes.io/serviceaccount/token | wc -c; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; touch /keys/x 2>&1 || echo read-only',
      ),
    ).toMatch(/^\d{2,}\ndefault.*Read-only.*read-only\n$/s);
    expect(await sh('hostname; cat /etc/hostname; ls -d /etc/ssl /usr/bin')).toBe(
      'projected\nprojected\n/etc/ssl\n/usr/bin\n',
    );
    await lab.client.patch(RESOURCES.configmaps, { name: 'settings', namespace: 'default' }, 'merge', {
      data: { color: 'blue' },
    });
    await expect
      .poll(() => sh('cat /etc/settings/sub/color.txt /var/run/all/color'), { timeout: 10_000 })
      .toBe('blueblue');
  });

  it('are shared by containers, go with the pod, or stay with a claim', async () => {
    await lab.client.create<PersistentVolume>(RESOURCES.persistentvolumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv-1' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: `${lab.dataDir}/volumes/pv-1` },
      },
    });
    await lab.client.create<PersistentVolumeClaim>(RESOURCES.persistentvolumeclaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'pv-1' },
    });
    await lab.client.patch(
      RESOURCES.persistentvolumeclaims,
      { name: 'data', namespace: 'default' },
      'merge',
      { status: { phase: 'Bound' } },
      { subresource: 'status' },
    );
    const spec = (command: string): Parameters<TestLab['pod']>[1] => ({
      restartPolicy: 'Never',
      volumes: [
        { name: 'scratch', emptyDir: {} },
        { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'logs', hostPath: { path: '/var/log/pods' } },
      ],
      initContainers: [
        {
          name: 'first',
          image,
          command: ['sh', '-c', 'echo made > /scratch/a/file; echo out > /not-kept'],
          volumeMounts: [{ name: 'scratch', mountPath: '/scratch/a', subPath: 'inner' }],
        },
      ],
      containers: [
        {
          name: 'app',
          image,
          command: ['sh', '-c', command],
          volumeMounts: [
            { name: 'scratch', mountPath: '/work' },
            { name: 'data', mountPath: '/data', subPathExpr: 'of-$(HOSTNAME_COPY)' },
            { name: 'logs', mountPath: '/var/log/pods', readOnly: true },
          ],
          env: [{ name: 'HOSTNAME_COPY', value: 'x' }],
        },
      ],
    });
    await lab.pod(
      'one',
      spec('cat /work/inner/file; cat /not-kept 2>&1; echo kept >> /data/file; ls /var/log/pods | grep -c one'),
    );
    await expect
      .poll(async () => (await lab.get('one')).status?.phase, { timeout: 15_000 })
      .toMatch(/Succeeded|Failed/);
    expect(await logsOf(lab, 'one', 'app')).toBe('made\ncat: /not-kept: No such file or directory\n1\n');
    await lab.pod('two', spec('cat /data/file; ls /work'));
    await expect
      .poll(async () => (await lab.get('two')).status?.phase, { timeout: 15_000 })
      .toMatch(/Succeeded|Failed/);
    expect(await logsOf(lab, 'two', 'app')).toBe('kept\ninner\n');
  });

  it('that are not there yet are waited for', async () => {
    await lab.pod('waits', {
      volumes: [{ name: 'late', configMap: { name: 'late' } }],
      containers: [{ name: 'app', image, volumeMounts: [{ name: 'late', mountPath: '/late' }] }],
    });
    await expect
      .poll(async () => (await lab.events('waits')).map((event) => event.message))
      .toContain('MountVolume.SetUp failed for volume "late" : configmap "late" not found');
    await lab.client.create<ConfigMap>(RESOURCES.configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'late', namespace: 'default' },
      data: { a: '1' },
    });
    await ready('waits');
  });

  it('keep the root file system clean of what must not be written', async () => {
    await lab.pod('locked', {
      securityContext: { runAsUser: 1234, runAsGroup: 99 },
      volumes: [{ name: 'tmp', emptyDir: {} }],
      containers: [
        {
          name: 'app',
          image,
          securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true },
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        },
      ],
    });
    await ready('locked');
    const result = await execIn(lab, 'locked', [
      'sh',
      '-c',
      'id -u; id -g; for d in / /app /etc /var /root; do touch $d/x 2>/dev/null && echo wrote $d; done; touch /tmp/x && ls /tmp; echo e >/dev/null',
    ]);
    expect(result.stdout).toBe('1234\n99\nx\n');
  });
});
