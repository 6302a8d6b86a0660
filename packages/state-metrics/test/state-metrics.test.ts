import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer } from '@kind-e2e/apiserver';
import { Disposer, silentLogger, systemClock } from '@kind-e2e/base';
import { createKubeClient, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { createAuthority } from '@kind-e2e/pki';
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { CronJob, Job } from 'kubernetes-types/batch/v1.d.ts';
import type { ConfigMap, Node, PersistentVolumeClaim, Pod, Service } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StateMetrics } from '../src/index.ts';

const disposer = new Disposer();
let client: KubeClient;
let states: StateMetrics;
let pod: Pod;

const meta = (name: string): { name: string; namespace: string } => ({ name, namespace: 'default' });
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'x:1' }] } };

async function withStatus<T extends Pod | Deployment | Node>(
  resource: 'pods' | 'deployments' | 'nodes',
  object: T,
): Promise<T> {
  const created = await client.create<T>(RESOURCES[resource], object);
  return client.update<T>(RESOURCES[resource], { ...created, status: object.status }, { subresource: 'status' });
}

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'state-metrics-'));
  disposer.defer(() => rm(folder, { recursive: true, force: true }));
  const authority = createAuthority({ commonName: 'test-ca' });
  const pair = authority.issue({
    subject: { commonName: 'kube-apiserver' },
    altNames: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] } as never,
    use: 'server',
  });
  const server = await createApiServer({
    dataFile: join(folder, 'api.db'),
    listen: { host: '127.0.0.1', port: 0 },
    tls: { certPem: pair.certPem, keyPem: pair.keyPem, caPem: authority.certPem },
    tokens: [{ token: 'admin', user: 'kubernetes-admin', groups: ['system:masters'] }],
    logger: silentLogger,
  });
  disposer.defer(() => server.close());
  client = disposer.use(createKubeClient({ server: server.url, caPem: authority.certPem, token: 'admin' }));
  await client.create(RESOURCES.serviceaccounts, { metadata: meta('default') });
  await withStatus<Node>('nodes', {
    metadata: { name: 'worker-1', labels: { 'node-role.kubernetes.io/worker': '' } },
    spec: { podCIDR: '10.1.0.0/24', taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] },
    status: {
      capacity: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '10Gi', 'nvidia.com/gpu': '2' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.7' }],
    },
  });
  pod = await withStatus<Pod>('pods', {
    metadata: {
      ...meta('web-0'),
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }],
    },
    spec: {
      nodeName: 'worker-1',
      containers: [
        {
          name: 'main',
          image: 'x:1',
          resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        },
        { name: 'side', image: 'y:1' },
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.1.0.3',
      hostIP: '10.0.0.7',
      qosClass: 'Burstable',
      startTime: '2026-01-01T00:00:00Z',
      podIPs: [{ ip: '10.1.0.3' }],
      conditions: [
        { type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:05Z' },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:01Z' },
      ],
      containerStatuses: [
        {
          name: 'main',
          image: 'docker.io/x:1',
          imageID: 'sha256:1',
          containerID: 'lab://1',
          ready: true,
          restartCount: 3,
          state: { running: { startedAt: '2026-01-01T00:00:02Z' } },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-01-01T00:00:01Z' } },
        },
        {
          name: 'side',
          image: 'y:1',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { waiting: { reason: 'ImagePullBackOff' } },
        },
      ],
    },
  });
  await withStatus<Deployment>('deployments', {
    metadata: meta('web'),
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
    status: {
      replicas: 3,
      readyReplicas: 2,
      unavailableReplicas: 1,
      conditions: [{ type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable' }],
    },
  });
  await client.create<Service>(RESOURCES.services, {
    metadata: meta('web'),
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
  await client.create<ConfigMap>(RESOURCES.configmaps, {
    metadata: meta('settings'),
    data: { key: 'a secret of sorts' },
  });
  await client.create<Job>(RESOURCES.jobs, {
    metadata: meta('once'),
    spec: { completions: 2, template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
  });
  await client.create<CronJob>(RESOURCES.cronjobs, {
    metadata: meta('often'),
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    },
  });
  await client.create<PersistentVolumeClaim>(RESOURCES.persistentvolumeclaims, {
    metadata: meta('data'),
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'standard', resources: { requests: { storage: '1Gi' } } },
  });
  await client.create<HorizontalPodAutoscaler>(RESOURCES.horizontalpodautoscalers, {
    metadata: meta('web'),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    },
  });
  states = disposer.use(new StateMetrics({ client, clock: systemClock, logger: silentLogger }));
  await states.synced();
});

afterAll(() => disposer[Symbol.asyncDispose]());

/** Lines of a family, without its HELP and TYPE. */
function lines(name: string): string[] {
  return states
    .text()
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('StateMetrics', () => {
  it('tells of pods by their names, places and states', () => {
    const base = `namespace="default",pod="web-0",uid="${pod.metadata?.uid}"`;
    expect(lines('kube_pod_info')).toEqual([
      `kube_pod_info{${base},host_ip="10.0.0.7",pod_ip="10.1.0.3",node="worker-1",created_by_kind="ReplicaSet",created_by_name="web",priority_class="",host_network="false"} 1`,
    ]);
    expect(lines('kube_pod_status_phase')).toEqual(
      ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running'].map(
        (phase) => `kube_pod_status_phase{${base},phase="${phase}"} ${phase === 'Running' ? 1 : 0}`,
      ),
    );
    expect(lines('kube_pod_status_ready')).toEqual([
      `kube_pod_status_ready{${base},condition="true"} 0`,
      `kube_pod_status_ready{${base},condition="false"} 1`,
      `kube_pod_status_ready{${base},condition="unknown"} 0`,
    ]);
    expect(lines('kube_pod_status_scheduled_time')).toEqual([`kube_pod_status_scheduled_time{${base}} 1767225601`]);
    expect(lines('kube_pod_owner')).toEqual([
      `kube_pod_owner{${base},owner_kind="ReplicaSet",owner_name="web",owner_is_controller="true"} 1`,
    ]);
    expect(lines('kube_pod_container_resource_requests')).toEqual([
      `kube_pod_container_resource_requests{${base},container="main",node="worker-1",resource="cpu",unit="core"} 0.25`,
      `kube_pod_container_resource_requests{${base},container="main",node="worker-1",resource="memory",unit="byte"} 67108864`,
    ]);
    expect(lines('kube_pod_container_status_restarts_total')).toEqual([
      `kube_pod_container_status_restarts_total{${base},container="main"} 3`,
      `kube_pod_container_status_restarts_total{${base},container="side"} 0`,
    ]);
    expect(lines('kube_pod_container_status_waiting_reason')).toEqual([
      `kube_pod_container_status_waiting_reason{${base},container="side",reason="ImagePullBackOff"} 1`,
    ]);
    expect(lines('kube_pod_container_status_last_terminated_reason')).toEqual([
      `kube_pod_container_status_last_terminated_reason{${base},container="main",reason="OOMKilled"} 1`,
    ]);
    expect(lines('kube_pod_container_status_last_terminated_exitcode')).toEqual([
      `kube_pod_container_status_last_terminated_exitcode{${base},container="main"} 137`,
    ]);
    expect(lines('kube_pod_container_info')[0]).toBe(
      `kube_pod_container_info{${base},container="main",image_spec="x:1",image="docker.io/x:1",image_id="sha256:1",container_id="lab://1"} 1`,
    );
  });

  it('tells of workloads', () => {
    const base = 'namespace="default",deployment="web"';
    expect(lines('kube_deployment_spec_replicas')).toEqual([`kube_deployment_spec_replicas{${base}} 3`]);
    expect(lines('kube_deployment_status_replicas_unavailable')).toEqual([
      `kube_deployment_status_replicas_unavailable{${base}} 1`,
    ]);
    // 25 % of three, up and down.
    expect(lines('kube_deployment_spec_strategy_rollingupdate_max_surge')).toEqual([
      `kube_deployment_spec_strategy_rollingupdate_max_surge{${base}} 1`,
    ]);
    expect(lines('kube_deployment_spec_strategy_rollingupdate_max_unavailable')).toEqual([
      `kube_deployment_spec_strategy_rollingupdate_max_unavailable{${base}} 0`,
    ]);
    expect(lines('kube_deployment_status_condition')[1]).toBe(
      `kube_deployment_status_condition{${base},condition="Available",reason="MinimumReplicasUnavailable",status="false"} 1`,
    );
    expect(lines('kube_job_spec_completions')).toEqual([
      'kube_job_spec_completions{namespace="default",job_name="once"} 2',
    ]);
    expect(lines('kube_job_status_failed')).toEqual(['kube_job_status_failed{namespace="default",job_name="once"} 0']);
    expect(lines('kube_cronjob_info')).toEqual([
      'kube_cronjob_info{namespace="default",cronjob="often",schedule="*/5 * * * *",concurrency_policy="Allow",timezone="local"} 1',
    ]);
    expect(lines('kube_horizontalpodautoscaler_spec_target_metric')).toEqual([
      'kube_horizontalpodautoscaler_spec_target_metric{namespace="default",horizontalpodautoscaler="web",metric_name="cpu",metric_target_type="utilization"} 80',
    ]);
  });

  it('tells of nodes, namespaces, services and claims', () => {
    expect(lines('kube_node_status_capacity')).toEqual([
      'kube_node_status_capacity{node="worker-1",resource="cpu",unit="core"} 4',
      'kube_node_status_capacity{node="worker-1",resource="ephemeral_storage",unit="byte"} 10737418240',
      'kube_node_status_capacity{node="worker-1",resource="memory",unit="byte"} 8589934592',
      'kube_node_status_capacity{node="worker-1",resource="nvidia_com_gpu",unit="integer"} 2',
      'kube_node_status_capacity{node="worker-1",resource="pods",unit="integer"} 110',
    ]);
    expect(lines('kube_node_status_condition')[0]).toBe(
      'kube_node_status_condition{node="worker-1",condition="Ready",status="true"} 1',
    );
    expect(lines('kube_node_role')).toEqual(['kube_node_role{node="worker-1",role="worker"} 1']);
    expect(lines('kube_node_spec_taint')).toContain(
      'kube_node_spec_taint{node="worker-1",key="a",value="b",effect="NoSchedule"} 1',
    );
    expect(lines('kube_namespace_status_phase')).toContain(
      'kube_namespace_status_phase{namespace="default",phase="Active"} 1',
    );
    expect(
      lines('kube_service_spec_type').some(
        (line) => line.includes('service="web"') && line.includes('type="ClusterIP"'),
      ),
    ).toBe(true);
    expect(lines('kube_persistentvolumeclaim_info')).toEqual([
      'kube_persistentvolumeclaim_info{namespace="default",persistentvolumeclaim="data",storageclass="standard",volumename="",volumemode="Filesystem"} 1',
    ]);
    expect(lines('kube_persistentvolumeclaim_resource_requests_storage_bytes')).toEqual([
      'kube_persistentvolumeclaim_resource_requests_storage_bytes{namespace="default",persistentvolumeclaim="data"} 1073741824',
    ]);
    expect(states.text()).not.toContain('a secret of sorts');
  });

  it('has a type for every family, and no metric twice', () => {
    const text = states.text();
    const metrics = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(new Set(metrics.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(metrics.length);
    const typed = new Set([...text.matchAll(/^# TYPE (\S+) (?:gauge|counter)$/gm)].map(([, name]) => name));
    expect(metrics.filter((line) => !typed.has(line.split(/[{ ]/, 1)[0]))).toEqual([]);
    expect(text).toContain('# TYPE kube_pod_container_status_restarts_total counter\n');
  });

  it('follows what changes', async () => {
    await client.delete(RESOURCES.configmaps, meta('settings'));
    await expect.poll(() => lines('kube_configmap_info').filter((line) => line.includes('settings')).length).toBe(0);
  });
});
