import { get } from 'node:http';
import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import {
  AppsV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Status,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sharedLab } from '../support/lab.ts';

describe('the JavaScript client library', () => {
  const namespace = 'client-library';
  const config = new KubeConfig();
  let core: CoreV1Api;
  let image: string;

  beforeAll(async () => {
    const lab = await sharedLab();
    config.loadFromFile(lab.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    const deployment = await config
      .makeApiClient(AppsV1Api)
      .readNamespacedDeployment({ namespace: 'default', name: 'front-end' });
    image = deployment.spec?.template.spec?.containers[0]?.image ?? '';
    await core.createNamespacedPod({
      namespace,
      body: {
        metadata: { name: 'web' },
        spec: {
          containers: [
            {
              name: 'web',
              image,
              command: ['node', '-e', "require('http').createServer((q, s) => s.end('hi')).listen(8080)"],
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    });
    const isReady = async (): Promise<void> => {
      const pod = await core.readNamespacedPod({ namespace, name: 'web' });
      expect(pod.status?.containerStatuses?.[0]?.ready).toBe(true);
    };
    await vi.waitFor(isReady, { timeout: 60_000, interval: 200 });
  });
  afterAll(() => core?.deleteNamespace({ name: namespace }));

  it('follows objects with an informer and a watch, and patches', async () => {
    const seen: string[] = [];
    const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core.listNamespacedConfigMap({ namespace }),
    );
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb, (object) => void seen.push(`${verb} ${object.metadata?.name} ${object.data?.key}`));
    await informer.start();
    const watched: string[] = [];
    const watch = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { fieldSelector: 'metadata.name=one' },
      (type, object: V1ConfigMap) => void watched.push(`${type} ${object.data?.key}`),
      () => undefined,
    );
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'one' }, data: { key: 'a' } } });
    const target = { namespace, name: 'one' };
    await core.patchNamespacedConfigMap(
      { ...target, body: [{ op: 'replace', path: '/data/key', value: 'b' }] },
      setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
    );
    await core.patchNamespacedConfigMap(
      { ...target, body: { data: { key: 'c' } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    await core.patchNamespacedConfigMap(
      { ...target, body: { data: { key: 'd' } } },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
    await core.patchNamespacedConfigMap(
      {
        ...target,
        fieldManager: 'test',
        force: true,
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { key: 'e' } },
      },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    );
    await core.deleteNamespacedConfigMap(target);
    await expect
      .poll(() => seen.filter((line) => line.includes(' one ')), { timeout: 20_000 })
      .toEqual(['add one a', 'update one b', 'update one c', 'update one d', 'update one e', 'delete one e']);
    await expect.poll(() => watched, { timeout: 20_000 }).toHaveLength(6);
    await informer.stop();
    watch.abort();
  });

  it('runs a command', async () => {
    const out = new PassThrough();
    let text = '';
    out.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(config)
        .exec(namespace, 'web', 'web', ['sh', '-c', 'echo hello; exit 4'], out, null, null, false, resolve)
        .catch(reject);
    });
    expect(status).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' });
    expect(text).toBe('hello\n');
  });

  it('forwards a port', async () => {
    const forward = new PortForward(config);
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      forward.portForward(namespace, 'web', [8080], socket, null, socket).catch(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const text = await new Promise<string>((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        response.on('end', () => resolve(body));
      }).on('error', reject);
    });
    expect(text).toBe('hi');
    server.close();
  });
});
