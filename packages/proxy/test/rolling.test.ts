import { Agent, createServer, get, type Server } from 'node:http';
import { expect, test } from 'vitest';
import type { Snapshot } from '../src/index.ts';
import { freshAddress, metadata, until, workload } from './fixture.ts';
import { cluster, FRONT_CLUSTER, FRONT_HOST, startMesh } from './mesh.ts';

interface Pod {
  readonly id: string;
  readonly address: string;
  readonly app: string;
  readonly server: Server;
}

/** An application that ends as Node's do: it stops listening, answers what runs, closes idle connections. */
async function startPod(id: string): Promise<Pod> {
  const app = freshAddress();
  const server = createServer(
    { keepAliveTimeout: 5_000 },
    (_q, s) => void setTimeout(() => s.end(id), Math.random() * 5),
  );
  await new Promise<void>((resolve) => server.listen(8080, app, resolve));
  return { id, address: freshAddress(), app, server };
}

function withPods(snapshot: Snapshot, pods: readonly { pod: Pod; ready: boolean }[]): Snapshot {
  return {
    ...snapshot,
    metadata: {
      ...snapshot.metadata,
      ...Object.fromEntries(pods.map(({ pod }) => [pod.id, metadata('front-end', pod.address)])),
    },
    workloads: [
      ...snapshot.workloads.filter(({ id }) => !id.startsWith('pod-')),
      ...pods.map(({ pod }) =>
        workload(pod.id, pod.address, {
          identity: 'spiffe://cluster.local/ns/default/sa/front-end',
          appAddress: pod.app,
          outboundAddress: freshAddress(),
          inbound: [
            {
              port: 8080,
              protocol: 'http',
              mtls: 'STRICT',
              service: { host: FRONT_HOST, name: 'front-end', namespace: 'default' },
            },
          ],
        }),
      ),
    ],
    clusters: {
      ...snapshot.clusters,
      [FRONT_CLUSTER]: cluster(
        FRONT_CLUSTER,
        pods.map(({ pod, ready }) => ({ address: pod.address, port: 8080, ready, workload: pod.id, mtls: true })),
      ),
    },
  };
}

test('pods are replaced again and again under load, and no request fails', async () => {
  await using mesh = await startMesh({ front: (_q, s) => s.end(), back: (_q, s) => s.end() });
  let pods = await Promise.all([startPod('pod-0-a'), startPod('pod-0-b')]);
  await mesh.apply((snapshot) =>
    withPods(
      snapshot,
      pods.map((pod) => ({ pod, ready: true })),
    ),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const outcomes = new Map<string, number>();
  let running = true;
  let sent = 0;
  const client = async (): Promise<void> => {
    while (running) {
      sent++;
      const outcome = await new Promise<string>((resolve) => {
        get({ host: mesh.gateway, port: mesh.gatewayPort, path: '/demo-app/x', agent }, (response) => {
          response.resume();
          response.on('end', () => resolve(String(response.statusCode)));
        }).on('error', (error) => resolve(error.message));
      });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  const clients = Array.from({ length: 8 }, client);
  for (let round = 1; round <= 8; round++) {
    const next = await Promise.all([startPod(`pod-${round}-a`), startPod(`pod-${round}-b`)]);
    const old = pods;
    pods = next;
    await mesh.apply((snapshot) =>
      withPods(snapshot, [...old.map((pod) => ({ pod, ready: true })), ...next.map((pod) => ({ pod, ready: true }))]),
    );
    // The application is told to end before the mesh knows of it, as it happens with real kubelets.
    for (const pod of old) pod.server.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await mesh.apply((snapshot) =>
      withPods(snapshot, [...old.map((pod) => ({ pod, ready: false })), ...next.map((pod) => ({ pod, ready: true }))]),
    );
    const before = sent;
    await until(() => sent > before + 50, 'traffic goes on');
    await mesh.apply((snapshot) =>
      withPods(
        snapshot,
        next.map((pod) => ({ pod, ready: true })),
      ),
    );
  }
  running = false;
  await Promise.all(clients);
  agent.destroy();
  for (const pod of pods) {
    pod.server.closeAllConnections();
    pod.server.close();
  }
  expect(Object.fromEntries(outcomes)).toEqual({ '200': sent });
  expect(sent).toBeGreaterThan(400);
});
