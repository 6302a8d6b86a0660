import { join } from 'node:path';
import { type Clock, createAddressPlan, LabError, type Logger, systemClock } from '@kind-e2e/base';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { checkAddressBlock, chooseAddressBlock } from '../config/address-block.ts';
import {
  prepareDataDirectory,
  readIfThere,
  readLabConfig,
  writeJson,
  writeLabConfig,
} from '../config/data-directory.ts';
import { type Installation, imageFolder } from '../config/installation.ts';
import { DEFAULT_PORTS, type LabConfig, type LabPorts, labPaths } from '../config/lab-config.ts';
import { claimPorts } from '../config/ports.ts';
import { NODES } from '../control-plane/nodes.ts';
import { buildApp, type PushedImage, pushProcessImage } from '../images/build-app.ts';
import { OBSERVABILITY_FLAGS } from '../images/process-flags.ts';
import { isLabRunning } from '../supervisor/run-file.ts';
import { findTool } from '../tools/index.ts';
import { connect } from './connect.ts';
import { helmInstall, releaseHash, runHelm } from './helm.ts';
import { applyManifests, readManifests, waitForIstio } from './manifests.ts';
import { waitForDeployments, waitForNodes } from './readiness.ts';
import type { Step } from './step.ts';
import { waitFor } from './wait.ts';

export interface UpOptions {
  readonly dataDir: string;
  readonly installation: Installation;
  readonly ports?: Partial<LabPorts>;
  /** How long telemetry is kept, `7d` and so on, or `off`. Default `7d`, or what the lab had before. */
  readonly retention?: string;
  /** Names of Prometheus' `--enable-feature`, with commas between. */
  readonly enableFeature?: string;
  /** Start the supervisor: in this process, or as one of its own. */
  readonly startSupervisor: (config: LabConfig) => Promise<void>;
  /** Install the app's chart. Default true. */
  readonly app?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: Clock;
  readonly logger: Logger;
}

export const APP_RELEASE = 'app';
export const APP_NAMESPACE = 'default';
const STEP_TIMEOUT_MS = 120_000;
const HELM_TIMEOUT_SECONDS = 180;
const APPS = ['front-end', 'business-logic'] as const;

/** What the steps hand on to each other. */
interface Progress {
  config: LabConfig | undefined;
  client: KubeClient | undefined;
  images: ReadonlyMap<string, PushedImage>;
  notes: string[];
}

export interface UpPlan {
  readonly steps: readonly Step[];
  /** After the last step. */
  result(): UpResult;
}

export interface UpResult {
  readonly config: LabConfig;
  readonly urls: readonly { readonly title: string; readonly url: string }[];
  /** What the user should know, such as a port that was left out. */
  readonly notes: readonly string[];
}

/** The way from nothing, or from a stopped lab, to a lab that answers. Every step may be run again. */
export function planUp(options: UpOptions): UpPlan {
  const clock = options.clock ?? systemClock;
  const progress: Progress = { config: undefined, client: undefined, images: new Map(), notes: [] };
  const need = <T>(value: T | undefined, what: string): T => {
    if (value === undefined)
      throw new LabError(`${what} is not there yet: steps ran out of order`, { code: 'STEP_ORDER', side: 'internal' });
    return value;
  };
  const steps: Step[] = [
    {
      title: 'Check the machine',
      run: async () => {
        progress.config = await prepareLab(options, progress.notes);
        await findTool('helm', { directory: options.installation.tools, env: options.env ?? process.env });
      },
    },
    {
      title: 'Start the control plane',
      run: async (say, signal) => {
        const config = need(progress.config, 'the configuration');
        await options.startSupervisor(config);
        say('waiting for the API server');
        progress.client = await connect(config, clock, signal);
      },
    },
    {
      title: 'Build the images',
      run: async (say) => {
        progress.images = await pushImages(options, need(progress.config, 'the configuration'), say);
      },
    },
    {
      title: 'Install mesh and observability',
      run: async (say, signal) => {
        const config = need(progress.config, 'the configuration');
        const client = need(progress.client, 'the API client');
        const shared = { client, clock, timeoutMs: STEP_TIMEOUT_MS, say, signal };
        await installSystem(options.installation, config, client, progress.images, clock);
        await waitForNodes(NODES.length, shared);
        await waitForDeployments('istio-system', shared);
      },
    },
  ];
  if (options.app ?? true) {
    steps.push({
      title: 'Install the app with Helm',
      run: async (say, signal) => {
        const config = need(progress.config, 'the configuration');
        const client = need(progress.client, 'the API client');
        await installApp(options, config, progress.images, signal);
        await waitForDeployments(APP_NAMESPACE, { client, clock, timeoutMs: STEP_TIMEOUT_MS, say, signal });
      },
    });
    steps.push({
      title: 'Wait for the URLs to answer',
      run: (say, signal) => waitForUrls(need(progress.config, 'the configuration'), clock, say, signal),
    });
  }
  return {
    steps,
    result: () => {
      const config = need(progress.config, 'the configuration');
      return { config, urls: urlsOf(config), notes: progress.notes };
    },
  };
}

async function prepareLab(options: UpOptions, notes: string[]): Promise<LabConfig> {
  if (await isLabRunning(options.dataDir))
    throw new LabError(`a lab already runs in ${options.dataDir}`, {
      code: 'LAB_RUNS',
      side: 'user',
      remedy:
        'see it with `kind-e2e status`, end it with `kind-e2e down`, or start another with --data-dir and other ports',
    });
  await prepareDataDirectory(options.dataDir);
  const known = await readLabConfig(options.dataDir);
  const wanted = { ...DEFAULT_PORTS, ...known?.ports, ...options.ports };
  const { ports, leftOut } = await claimPorts(restoreLeftOut(wanted, options.ports));
  for (const name of leftOut) notes.push(`not opened on 127.0.0.1: ${name}`);
  if (known) await checkAddressBlock(known.addressBlock);
  const config: LabConfig = {
    dataDir: options.dataDir,
    ports,
    addressBlock: known?.addressBlock ?? (await chooseAddressBlock(options.dataDir)),
    retention: options.retention ?? known?.retention ?? '7d',
    enableFeature: options.enableFeature ?? known?.enableFeature ?? '',
  };
  await writeLabConfig(config);
  return config;
}

/** A port that was left out the last time, because it was taken then, is tried again. */
function restoreLeftOut(wanted: LabPorts, asked: Partial<LabPorts> | undefined): LabPorts {
  const entries = (Object.keys(wanted) as (keyof LabPorts)[]).map((name) => [
    name,
    wanted[name] === 0 && asked?.[name] === undefined ? DEFAULT_PORTS[name] : wanted[name],
  ]);
  return Object.fromEntries(entries) as LabPorts;
}

async function pushImages(
  options: UpOptions,
  config: LabConfig,
  say: (detail: string) => void,
): Promise<ReadonlyMap<string, PushedImage>> {
  const registry = `localhost:${config.ports.registry}`;
  const images = new Map<string, PushedImage>();
  const { installation } = options;
  const jobs: [string, () => Promise<PushedImage>][] = [
    [
      'data-plane',
      () => pushProcessImage(imageFolder(installation, 'data-plane'), `${registry}/kind-e2e/data-plane:dev`),
    ],
    [
      'observability',
      () =>
        pushProcessImage(
          imageFolder(installation, 'observability'),
          `${registry}/kind-e2e/observability:dev`,
          OBSERVABILITY_FLAGS,
        ),
    ],
  ];
  if (options.app ?? true)
    for (const app of APPS)
      jobs.push([app, () => buildApp({ folder: join(installation.root, 'apps', app), registry, compile: false })]);
  say(jobs.map(([name]) => name).join(', '));
  await Promise.all(
    jobs.map(async ([name, build]) => {
      images.set(name, await build());
    }),
  );
  return images;
}

async function installSystem(
  installation: Installation,
  config: LabConfig,
  client: KubeClient,
  images: ReadonlyMap<string, PushedImage>,
  clock: Clock,
): Promise<void> {
  const plan = createAddressPlan(config.addressBlock);
  const { ports } = config;
  await waitForIstio(client, { clock, timeoutMs: STEP_TIMEOUT_MS });
  const objects = await readManifests(join(installation.root, 'packages', 'embedded', 'manifests'), {
    DATA_DIR: config.dataDir,
    REGISTRY_PORT: String(ports.registry),
    CONTROL_PLANE_ADDRESS: plan.nodeAddress(0),
    DATA_PLANE_DIGEST: images.get('data-plane')?.digest ?? '',
    OBSERVABILITY_DIGEST: images.get('observability')?.digest ?? '',
    RETENTION: config.retention,
    ENABLE_FEATURE: config.enableFeature ?? '',
    HOST_PORTS: JSON.stringify({
      zipkin: ports.zipkin,
      otlpGrpc: ports.otlpGrpc,
      otlpHttp: ports.otlpHttp,
      jaeger: ports.jaeger,
      prometheus: ports.prometheus,
      loki: ports.loki,
    }).replaceAll('"', '\\"'),
  });
  await applyManifests(client, objects);
  // What a cloud's load balancer would say: where the gateway is reached from outside of the cluster.
  await client.patch(
    RESOURCES.services,
    { name: 'istio-ingressgateway', namespace: 'istio-system' },
    'merge',
    { status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } } },
    { subresource: 'status' },
  );
}

/** Values that the lab gives the chart: the images just built, the console as home page. */
export function appValues(
  registry: string,
  digests: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  return {
    global: { image: { registry } },
    dashboards: { home: { host: 'console.istio-system.svc.cluster.local', port: 80 } },
    ...Object.fromEntries(Object.entries(digests).map(([app, digest]) => [app, { image: { digest } }])),
  };
}

async function installApp(
  options: UpOptions,
  config: LabConfig,
  images: ReadonlyMap<string, PushedImage>,
  signal: AbortSignal,
): Promise<void> {
  const paths = labPaths(config.dataDir);
  const digests = Object.fromEntries(APPS.map((app) => [app, images.get(app)?.digest ?? '']));
  const values = appValues(`localhost:${config.ports.registry}`, digests);
  const hash = releaseHash(options.installation.chart, values);
  const helm = {
    helm: await findTool('helm', { directory: options.installation.tools, env: options.env ?? process.env }),
    kubeconfig: paths.kubeconfig,
    homeDir: join(config.dataDir, 'helm'),
  };
  if ((await readIfThere(paths.release)) === `${JSON.stringify({ hash }, null, 2)}\n`) return;
  await clearInterruptedRelease(helm);
  await helmInstall(helm, {
    release: APP_RELEASE,
    chart: options.installation.chart,
    namespace: APP_NAMESPACE,
    values,
    timeoutSeconds: HELM_TIMEOUT_SECONDS,
    signal,
  });
  await writeJson(paths.release, { hash });
}

/** A first install that was interrupted blocks every later one ("another operation is in progress"): it is removed. */
async function clearInterruptedRelease(helm: Parameters<typeof runHelm>[0]): Promise<void> {
  const text = await runHelm(helm, ['list', '--pending', '--namespace', APP_NAMESPACE, '--output', 'json']).catch(
    () => '[]',
  );
  const releases = JSON.parse(text || '[]') as { name: string; status: string; revision: string }[];
  const found = releases.find((release) => release.name === APP_RELEASE);
  if (!found?.status.startsWith('pending')) return;
  if (found.status === 'pending-install') await runHelm(helm, ['uninstall', APP_RELEASE, '--namespace', APP_NAMESPACE]);
  else await runHelm(helm, ['rollback', APP_RELEASE, '--namespace', APP_NAMESPACE]);
}

async function waitForUrls(
  config: LabConfig,
  clock: Clock,
  say: (detail: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const path of ['/demo-app/', '/']) {
    const url = `http://127.0.0.1:${config.ports.gateway}${path}`;
    say(url);
    await waitFor(
      async () => {
        const answer = await fetch(url, { signal: AbortSignal.timeout(2_000), headers: { accept: 'text/html' } });
        await answer.body?.cancel();
        if (answer.ok) return true;
        throw new LabError(`${url} answered ${answer.status}`, { code: 'URL_NOT_READY', side: 'internal' });
      },
      { clock, timeoutMs: 30_000, intervalMs: 50, what: url, signal },
    );
  }
}

export function urlsOf(config: LabConfig): readonly { readonly title: string; readonly url: string }[] {
  const base = `http://localhost:${config.ports.gateway}`;
  return [
    { title: 'Console', url: `${base}/` },
    { title: 'Website', url: `${base}/demo-app/` },
    { title: 'Traces', url: `${base}/jaeger` },
    { title: 'Dashboards', url: `${base}/grafana` },
    { title: 'Mesh', url: `${base}/kiali` },
    { title: 'Metrics', url: `${base}/prometheus` },
    { title: 'Kubernetes API', url: `https://127.0.0.1:${config.ports.api}` },
    { title: 'Registry', url: `http://localhost:${config.ports.registry}` },
  ];
}
