/**
 * The control plane as it runs in a lab, with controllers and the kubelets of six nodes: its memory with 5,000 objects,
 * and how soon a Deployment of 500 pods that run without a process is ready. Beside them what kube-apiserver 1.36 with
 * etcd and controller manager took, and kwok's rate of pods.
 *
 *   node bench/control-plane.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiObject } from '@kind-e2e/kube-client';
import { RESOURCES } from '@kind-e2e/kube-client';
import { type Lab, startLab } from '@kind-e2e/lab';
import { figure, memoryOf } from './support/figures.ts';

const OBJECTS = 5_000;
const PODS = 500;
const ROUNDS = 3;
const IN_PARALLEL = 8;
/** Within it the process gives back what it does not need. */
const QUIET_MS = 10_000;
const PEER_MEMORY_MB = 670;
const KWOK_PODS_PER_SECOND = 20;

interface Deployment extends ApiObject {
  readonly status?: { readonly readyReplicas?: number };
}

const dataDir = await mkdtemp(join(tmpdir(), 'kind-e2e-bench-'));
try {
  figure('load of the machine', loadavg()[0] ?? 0);
  await using lab = await startLab({ dataDir, app: false });
  figure('memory of the control plane when ready, MB (PSS)', await memoryOf(lab, 'control-plane'));
  await createObjects(lab);
  figure(`memory with ${OBJECTS} objects more, MB`, await memoryOf(lab, 'control-plane'), {
    target: '< 150',
    peer: PEER_MEMORY_MB,
  });
  for (let round = 0; round < ROUNDS; round++) {
    const seconds = await scaleOut(lab, `pause-${round}`);
    figure(`Deployment of ${PODS} pause pods ready, s`, seconds, { target: '< 5', peer: PODS / KWOK_PODS_PER_SECOND });
  }
  figure('memory after that, MB', await memoryOf(lab, 'control-plane'));
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  figure('memory after a quiet while, MB', await memoryOf(lab, 'control-plane'));
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

async function createObjects(lab: Lab): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: IN_PARALLEL }, async () => {
      for (let i = next++; i < OBJECTS; i = next++)
        await lab.client.create(RESOURCES.configmaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `c${i}`, namespace: 'default', labels: { app: 'bench' } },
          data: { key: 'value '.repeat(30) },
        } as ApiObject);
    }),
  );
}

/** Seconds from the create to `readyReplicas: 500`; the pods are gone afterwards. */
async function scaleOut(lab: Lab, name: string): Promise<number> {
  const labels = { app: name };
  const container = { name: 'pause', image: 'registry.k8s.io/pause:3.10' };
  const started = performance.now();
  await lab.client.create(RESOURCES.deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: PODS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  } as ApiObject);
  const watch = new AbortController();
  const changes = lab.client.watch<Deployment>(RESOURCES.deployments, {
    namespace: 'default',
    fieldSelector: `metadata.name=${name}`,
    signal: watch.signal,
  });
  let seconds = Number.NaN;
  for await (const { object } of changes) {
    if (object.status?.readyReplicas !== PODS) continue;
    seconds = (performance.now() - started) / 1_000;
    break;
  }
  watch.abort();
  await lab.client.delete(RESOURCES.deployments, { name, namespace: 'default' });
  for (;;) {
    const { items } = await lab.client.list(RESOURCES.pods, { namespace: 'default', labelSelector: `app=${name}` });
    if (items.length === 0) return seconds;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
