import { get } from 'node:http';
import { RESOURCES } from '@kind-e2e/kube-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isReady, startLab, statusOf, type TestLab } from './lab.ts';

const SERVER = `
const http = require('node:http');
http.createServer((request, response) => response.end(request.url + ' ' + process.env.GREETING)).listen(8080, () => console.log('listening'));
process.on('SIGTERM', () => process.exit(0));
`;

let lab: TestLab;

beforeAll(async () => {
  lab = await startLab({ block: 21 });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

describe('a pod', () => {
  it('runs, is ready when its probe says so, serves on its address, and ends in order', async () => {
    const image = await lab.image('server:1', SERVER);
    await lab.pod('web', {
      containers: [
        {
          name: 'app',
          image,
          env: [
            { name: 'GREETING', value: 'hello from $(POD_IP_COPY)' },
            { name: 'POD_IP_COPY', value: 'x' },
          ],
          readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
        },
      ],
    });
    await expect.poll(async () => isReady(await lab.get('web')), { timeout: 10_000, interval: 20 }).toBe(true);
    const pod = await lab.get('web');
    expect(pod.status).toMatchObject({ phase: 'Running', hostIP: lab.nodeAddress, qosClass: 'BestEffort' });
    expect(statusOf(pod)).toMatchObject({ ready: true, started: true, restartCount: 0, image });
    expect(await fetchText(`http://${pod.status?.podIP}:8080/x`)).toBe('/x hello from $(POD_IP_COPY)');
    await lab.deletePod('web');
    await expect
      .poll(() =>
        lab.get('web').then(
          () => 'there',
          (error) => error.code,
        ),
      )
      .toBe(404);
    const reasons = (await lab.events('web')).map((event) => event.reason);
    expect(reasons).toEqual(expect.arrayContaining(['Pulling', 'Pulled', 'Created', 'Started', 'Killing']));
    await expect.poll(() => lab.kubelet.pods.size).toBe(0);
  });

  it('says of an ephemeral container that it is not run', async () => {
    await lab.pod('debugged', { containers: [{ name: 'app', image: 'pause:1' }] });
    await expect.poll(async () => isReady(await lab.get('debugged')), { timeout: 10_000 }).toBe(true);
    await lab.client.patch(
      RESOURCES.pods,
      { name: 'debugged', namespace: 'default' },
      'strategic',
      { spec: { ephemeralContainers: [{ name: 'dbg', image: 'busybox' }] } },
      { subresource: 'ephemeralcontainers' },
    );
    const message = /^ephemeral container dbg is not run: /;
    await expect
      .poll(async () => (await lab.get('debugged')).status?.ephemeralContainerStatuses?.[0]?.state?.waiting, {
        timeout: 10_000,
      })
      .toEqual({ reason: 'CreateContainerError', message: expect.stringMatching(message) });
    await expect
      .poll(() => lab.events('debugged'), { timeout: 10_000 })
      .toContainEqual({ type: 'Warning', reason: 'Failed', message: expect.stringMatching(/^Error: ephemeral/) });
    await lab.deletePod('debugged', 0);
  });
});
