import { fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, createApiServer } from '@kind-e2e/apiserver';
import { createAddressPlan, Disposer, silentLogger, systemClock } from '@kind-e2e/base';
import { type ApiObject, createKubeClient, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { buildImage, createRegistry, ImageStore, pushImage, type Registry } from '@kind-e2e/oci';
import { createAuthority } from '@kind-e2e/pki';
import type { ConfigMap, Container, Pod, PodSpec } from 'kubernetes-types/core/v1.d.ts';
import { WebSocket } from 'ws';
import {
  createKubeletShared,
  type Kubelet,
  type KubeletOptions,
  type KubeletShared,
  type KubeletSharedOptions,
  startKubelet,
  stopAllContainers,
} from '../src/index.ts';

export const KUBELET_TOKEN = 'kubelet-api-token';
const ADMIN_TOKEN = 'admin-token';
const authority = createAuthority({ commonName: 'kubernetes' });

/** An API server, a registry and one kubelet, with real processes. Each test file takes a block of its own. */
export interface TestLab extends AsyncDisposable {
  readonly api: ApiServer;
  readonly client: KubeClient;
  readonly registry: Registry;
  readonly dataDir: string;
  readonly shared: KubeletShared;
  readonly kubelet: Kubelet;
  readonly nodeAddress: string;
  /** Builds and pushes an image whose program is the text; gives its name. */
  image(name: string, program: string, options?: Partial<Parameters<typeof buildImage>[0]>): Promise<string>;
  /** Makes a pod bound to the node. */
  pod(name: string, spec: Partial<PodSpec> & { containers: Container[] }, metadata?: Pod['metadata']): Promise<Pod>;
  get(name: string): Promise<Pod>;
  events(name: string): Promise<{ type: string; reason: string; message: string }[]>;
  deletePod(name: string, gracePeriodSeconds?: number): Promise<void>;
  restartKubelet(): Promise<void>;
  /** Options of the node that are plain data. */
  readonly nodeOptions: Omit<KubeletOptions, 'client' | 'shared' | 'logger'>;
}

export interface TestLabOptions {
  readonly block: number;
  readonly shared?: Partial<KubeletSharedOptions>;
  /** Kubelets come with `forkKubelet`. */
  readonly withoutKubelet?: boolean;
}

/** Kubelets in processes of their own, by the directory of their lab; a failed test leaves them to the lab's disposal. */
const forked = new Map<string, KubeletProcess[]>();

/** Ends what a kubelet that was killed had just begun, and no state tells of: launchers lead their process groups. */
function killLaunchers(dataDir: string): void {
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words.some((word) => word.startsWith(`${dataDir}/runtime/`))) process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone by now, or of somebody else.
    }
  }
}

export async function startLab(options: TestLabOptions): Promise<TestLab> {
  const disposer = new Disposer();
  const dataDir = await mkdtemp(join(tmpdir(), 'kubelet-test-'));
  disposer.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  disposer.defer(async () => {
    // First, or they would start again what is stopped.
    for (const { kill, exited } of forked.get(dataDir) ?? []) {
      kill('SIGKILL');
      await exited;
    }
    forked.delete(dataDir);
    await stopAllContainers(dataDir, systemClock, 0);
    killLaunchers(dataDir);
  });
  const plan = createAddressPlan(options.block);
  const nodeAddress = plan.nodeAddress(3);
  const tls = authority.issue({
    subject: { commonName: 'node' },
    altNames: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', nodeAddress] },
    use: 'server',
  });
  const api = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    tls: { ...tls, caPem: authority.certPem },
    tokens: [
      { token: ADMIN_TOKEN, user: 'kubernetes-admin', groups: ['system:masters'] },
      { token: 'node-token', user: 'system:node:worker-1', groups: ['system:nodes'] },
    ],
    kubelet: { token: KUBELET_TOKEN, caPem: authority.certPem },
    serviceCidr: plan.serviceCidr,
  });
  disposer.defer(() => api.close());
  const registry = disposer.use(
    await createRegistry({
      directory: join(dataDir, 'registry'),
      listen: { port: 0 },
      clock: systemClock,
      logger: silentLogger,
    }),
  );
  const client = disposer.use(createKubeClient({ server: api.url, caPem: authority.certPem, token: ADMIN_TOKEN }));
  const nodeClient = disposer.use(createKubeClient({ server: api.url, caPem: authority.certPem, token: ADMIN_TOKEN }));
  const images = await ImageStore.open({
    directory: join(dataDir, 'images'),
    logger: silentLogger,
    isAllowed: (host) => host === registry.address,
  });
  const startShared = (): Promise<KubeletShared> =>
    createKubeletShared({
      client: nodeClient,
      dataDir,
      images,
      nodeBinary: process.execPath,
      clock: systemClock,
      logger: silentLogger,
      objectRefreshMs: 300,
      ...options.shared,
    });
  const nodeOptions = {
    nodeName: 'worker-1',
    nodeAddress,
    podCidr: plan.podCidr(3),
    roles: ['worker'],
    tls,
    apiToken: KUBELET_TOKEN,
    apiPort: 0,
  };
  const startNode = (shared: KubeletShared): Promise<Kubelet> =>
    startKubelet({ ...nodeOptions, client: nodeClient, shared, logger: silentLogger });
  let running: { shared: KubeletShared; kubelet: Kubelet } | undefined;
  const start = async (): Promise<void> => {
    const shared = await startShared();
    running = { shared, kubelet: await startNode(shared) };
  };
  const stop = async (): Promise<void> => {
    await running?.kubelet[Symbol.asyncDispose]();
    await running?.shared[Symbol.asyncDispose]();
    running = undefined;
  };
  disposer.defer(stop);
  if (!options.withoutKubelet) await start();
  for (const namespace of ['default', 'kube-node-lease'])
    await client
      .create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      .catch(() => undefined);
  await client
    .create(RESOURCES.serviceaccounts, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    })
    .catch(() => undefined);
  await client
    .create<ConfigMap>(RESOURCES.configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-root-ca.crt', namespace: 'default' },
      data: { 'ca.crt': authority.certPem },
    })
    .catch(() => undefined);
  return {
    api,
    client,
    registry,
    dataDir,
    nodeAddress,
    nodeOptions,
    get shared() {
      if (!running) throw new Error('no kubelet runs');
      return running.shared;
    },
    get kubelet() {
      if (!running) throw new Error('no kubelet runs');
      return running.kubelet;
    },
    async image(name, program, extra = {}) {
      await using image = await buildImage({
        layers: [{ files: { 'main.js': program }, target: '/app' }],
        entrypoint: ['node', 'main.js'],
        workingDir: '/app',
        ...extra,
      });
      const reference = `${registry.address}/${name}`;
      await pushImage(image.layout, reference);
      return reference;
    },
    pod: (name, spec, metadata = {}) =>
      client.create<Pod>(RESOURCES.pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name, namespace: 'default' },
        spec: {
          nodeName: 'worker-1',
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 5,
          ...spec,
        },
      }),
    get: (name) => client.get<Pod>(RESOURCES.pods, name, 'default'),
    async events(name) {
      const { items } = await client.list<ApiObject & { type: string; reason: string; message: string }>(
        RESOURCES.events,
        { namespace: 'default', fieldSelector: `involvedObject.name=${name}` },
      );
      return items.map(({ type, reason, message }) => ({ type, reason, message }));
    },
    async deletePod(name, gracePeriodSeconds) {
      await client.delete(
        RESOURCES.pods,
        { name, namespace: 'default' },
        gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds },
      );
    },
    async restartKubelet() {
      await stop();
      await start();
    },
    [Symbol.asyncDispose]: () => disposer[Symbol.asyncDispose](),
  };
}

/** The status of a container of a pod. */
export function statusOf(
  pod: Pod,
  container = 'app',
): NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number] | undefined {
  return [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (each) => each.name === container,
  );
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.find((each) => each.type === 'Ready')?.status === 'True';
}

/** Logs of a container, from the kubelet's own API. */
export async function logsOf(lab: TestLab, pod: string, container: string, query = ''): Promise<string> {
  const answer = await askKubelet(lab, `/containerLogs/default/${pod}/${container}?${query}`);
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
  return answer.text;
}

export function askKubelet(
  lab: TestLab,
  path: string,
  token = KUBELET_TOKEN,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    get(
      `https://${lab.nodeAddress}:${lab.kubelet.apiPort}${path}`,
      { rejectUnauthorized: false, agent: false, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      },
    ).on('error', reject);
  });
}

export interface KubeletProcess {
  readonly apiPort: number;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<void>;
}

/** Starts the node's kubelet in a process of its own; resolves when the node is Ready. */
export async function forkKubelet(lab: TestLab): Promise<KubeletProcess> {
  const { connection } = lab.client;
  const options = JSON.stringify({ connection, dataDir: lab.dataDir, kubelet: lab.nodeOptions });
  const child = fork(new URL('./kubelet-process.ts', import.meta.url), [options], { stdio: 'inherit' });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  forked.set(lab.dataDir, [...(forked.get(lab.dataDir) ?? []), { apiPort: 0, kill, exited }]);
  const apiPort = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { apiPort: number }) => resolve(message.apiPort));
    child.once('exit', () => reject(new Error('the kubelet ended')));
  });
  return { apiPort, kill, exited };
}

export interface ExecOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: { status?: string; message?: string; details?: { causes?: { reason: string; message: string }[] } };
}

/** Runs a command in a container over WebSocket `v5.channel.k8s.io`, from the kubelet's own API. */
export function execIn(lab: TestLab, pod: string, command: readonly string[], stdin?: string): Promise<ExecOutcome> {
  const query = new URLSearchParams([
    ...command.map((part): [string, string] => ['command', part]),
    ['output', '1'],
    ['error', '1'],
    ...(stdin === undefined ? [] : ([['input', '1']] as [string, string][])),
  ]);
  const socket = new WebSocket(
    `wss://${lab.nodeAddress}:${lab.kubelet.apiPort}/exec/default/${pod}/app?${query}`,
    ['v5.channel.k8s.io'],
    { rejectUnauthorized: false, headers: { authorization: `Bearer ${KUBELET_TOKEN}` } },
  );
  return new Promise((resolve, reject) => {
    const parts: Buffer[][] = [[], [], [], []];
    socket.on('error', reject);
    socket.on('message', (message: Buffer) => parts[message[0] ?? 0]?.push(message.subarray(1)));
    socket.on('open', () => {
      if (stdin === undefined) return;
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(stdin)]));
      socket.send(Buffer.from([255, 0]));
    });
    socket.on('close', () => {
      const text = (channel: number): string => Buffer.concat(parts[channel] ?? []).toString();
      resolve({ stdout: text(1), stderr: text(2), status: text(3) === '' ? {} : JSON.parse(text(3)) });
    });
  });
}
