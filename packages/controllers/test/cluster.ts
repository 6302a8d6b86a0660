/** A real API server in this process, nodes that run pods at once, and the controllers: what tests drive reconcilers with. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer } from '@kind-e2e/apiserver';
import { type Clock, Disposer, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import {
  createInformer,
  createKubeClient,
  type Informer,
  ignoreNotFound,
  type KubeClient,
  type KubeConnection,
  RESOURCES,
} from '@kind-e2e/kube-client';
import { createAuthority } from '@kind-e2e/pki';
import type { Node, Pod } from 'kubernetes-types/core/v1.d.ts';
import { type ControllerName, type Controllers, type ControllersOptions, startControllers } from '../src/index.ts';

export interface TestCluster extends AsyncDisposable {
  readonly client: KubeClient;
  readonly connection: KubeConnection;
  readonly controllers: Controllers;
  readonly folder: string;
  /** Ends the API server and starts another one on its port and data. */
  restartServer(): Promise<void>;
}

export interface TestClusterOptions {
  readonly only?: readonly ControllerName[];
  readonly nodes?: readonly Node[];
  /** Whether pods that have a node start and stop. Default true. */
  readonly kubelet?: boolean;
  /** Phase and readiness that a pod gets; default Running and ready. `undefined` leaves it pending. */
  readonly run?: (pod: Pod) => { phase: string; ready: boolean } | undefined;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly dns?: ControllersOptions['dns'];
  readonly nodeGraceMs?: number;
  readonly hpaSyncMs?: number;
}

export function testNode(
  name: string,
  extra: {
    labels?: Record<string, string>;
    taints?: Node['spec'] extends infer S ? (S extends { taints?: infer T } ? T : never) : never;
    cpu?: string;
    memory?: string;
    pods?: string;
    unschedulable?: boolean;
  } = {},
): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...extra.labels } },
    spec: {
      ...(extra.taints ? { taints: extra.taints } : {}),
      ...(extra.unschedulable ? { unschedulable: true } : {}),
    },
    status: {
      capacity: { cpu: extra.cpu ?? '4', memory: extra.memory ?? '8Gi', pods: extra.pods ?? '1000' },
      allocatable: { cpu: extra.cpu ?? '4', memory: extra.memory ?? '8Gi', pods: extra.pods ?? '1000' },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: new Date().toISOString() },
      ],
    },
  };
}

export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const disposer = new Disposer();
  const folder = await mkdtemp(join(tmpdir(), 'controllers-'));
  disposer.defer(() => rm(folder, { recursive: true, force: true }));
  const authority = createAuthority({ commonName: 'test-ca' });
  const pair = authority.issue({
    subject: { commonName: 'kube-apiserver' },
    altNames: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] } as never,
    use: 'server',
  });
  const startServer = (port: number) =>
    createApiServer({
      dataFile: join(folder, 'api.db'),
      listen: { host: '127.0.0.1', port },
      tls: { certPem: pair.certPem, keyPem: pair.keyPem, caPem: authority.certPem },
      clientCaPem: authority.certPem,
      tokens: [
        { token: 'admin', user: 'kubernetes-admin', groups: ['system:masters'] },
        { token: 'kcm', user: 'system:kube-controller-manager', groups: [] },
        { token: 'scheduler', user: 'system:kube-scheduler', groups: [] },
      ],
      logger: options.logger ?? silentLogger,
    });
  let server = await startServer(0);
  disposer.defer(() => server.close());
  const connection = { server: server.url, caPem: authority.certPem, token: 'admin' };
  const client = disposer.use(createKubeClient(connection));
  for (const node of options.nodes ?? [testNode('node-1'), testNode('node-2'), testNode('node-3')]) {
    const { status, ...rest } = node;
    const created = await client.create<Node>(RESOURCES.nodes, rest as Node);
    await client.update<Node>(RESOURCES.nodes, { ...created, status }, { subresource: 'status' });
  }
  const controllers = disposer.use(
    await startControllers({
      controllerManager: { ...connection, token: 'kcm' },
      scheduler: { ...connection, token: 'scheduler' },
      caPem: authority.certPem,
      signCertificate: (request) => authority.signRequest(request),
      volumesDirectory: join(folder, 'volumes'),
      logger: options.logger ?? silentLogger,
      ...(options.only ? { only: options.only } : {}),
      ...(options.clock ? { clock: options.clock } : {}),
      ...(options.dns ? { dns: options.dns } : {}),
      ...(options.nodeGraceMs ? { nodeGraceMs: options.nodeGraceMs } : {}),
      ...(options.hpaSyncMs ? { hpaSyncMs: options.hpaSyncMs } : {}),
    }),
  );
  if (options.kubelet !== false) disposer.use(startFakeKubelets(client, options.run));
  const restartServer = async (): Promise<void> => {
    const { port } = server;
    await server.close();
    server = await startServer(port);
  };
  return {
    client,
    connection,
    controllers,
    folder,
    restartServer,
    [Symbol.asyncDispose]: () => disposer[Symbol.asyncDispose](),
  };
}

let lastAddress = 1;

/** Marks pods with a node as running, and finishes their deletion. */
function startFakeKubelets(
  client: KubeClient,
  run: TestClusterOptions['run'] = () => ({ phase: 'Running', ready: true }),
): Informer<Pod> {
  const pods = createInformer<Pod>({ client, resource: RESOURCES.pods, logger: silentLogger });
  const act = async (pod: Pod): Promise<void> => {
    const { name = '', namespace } = pod.metadata ?? {};
    if (!pod.spec?.nodeName) return;
    if (pod.metadata?.deletionTimestamp) {
      await ignoreNotFound(client.delete(RESOURCES.pods, { name, namespace }, { gracePeriodSeconds: 0 }));
      return;
    }
    const wanted = run(pod);
    const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
    if (!wanted || (pod.status?.phase === wanted.phase && (ready?.status === 'True') === wanted.ready)) return;
    lastAddress++;
    const now = new Date(systemClock.now()).toISOString();
    const podIP = pod.status?.podIP ?? `127.8.${lastAddress >> 8}.${lastAddress & 255}`;
    const status = {
      phase: wanted.phase,
      podIP,
      podIPs: [{ ip: podIP }],
      startTime: now,
      conditions: [{ type: 'Ready', status: wanted.ready ? 'True' : 'False', lastTransitionTime: now }],
    };
    await ignoreNotFound(
      client.patch(RESOURCES.pods, { name, namespace }, 'strategic', { status }, { subresource: 'status' }),
    );
  };
  const quietly = (pod: Pod): void => void act(pod).catch(() => {});
  pods.addHandler({ added: quietly, updated: (_, pod) => quietly(pod) });
  return pods;
}
