import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LabError, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import {
  bundleOf,
  connect,
  down,
  fetchTools,
  findTool,
  freePort,
  helmInstall,
  type Installation,
  installationAt,
  type LabConfig,
  type LabProcess,
  labPaths,
  labProcesses,
  PINNED_TOOLS,
  planUp,
  type RunState,
  readLabConfig,
  readRunState,
  runHelm,
  SUPERVISOR_FLAGS,
  spawnDetached,
  waitFor,
} from '@kind-e2e/embedded';
import type { KubeClient } from '@kind-e2e/kube-client';
import { execa } from 'execa';
import { type PodAnswer, type PodRequest, requestFromPod } from './request-from-pod.ts';
import { Telemetry } from './telemetry.ts';

export interface LabOptions {
  /** The checkout of kind-e2e. Default: the one this package is in. */
  readonly root?: string;
  /** Default: a temporary folder, which disposal removes. A named one is kept, so that a lab can be started again. */
  readonly dataDir?: string;
  /** Install the demo app. Default true. */
  readonly app?: boolean;
  /** `off` keeps data of any age. */
  readonly retention?: string;
  readonly logger?: Logger;
}

export interface LabAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly durationMs: number;
  /** From the answer's `x-trace-id`, where the app sends it. */
  readonly traceId: string | undefined;
}

/** What disposal ends and removes: all, the processes, or nothing. */
type Ownership = 'temporary' | 'kept' | 'attached';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A running lab for a test: `await using lab = await startLab()`. Ports and addresses are its own, so that several can
 * run at once; disposal ends every process and removes a temporary data directory.
 */
export class Lab implements AsyncDisposable {
  readonly config: LabConfig;
  readonly client: KubeClient;
  /** `http://127.0.0.1:<port>` */
  readonly gateway: string;
  readonly telemetry: Telemetry;
  readonly installation: Installation;
  readonly kubeconfig: string;
  readonly #logger: Logger;
  readonly #ownership: Ownership;

  constructor(config: LabConfig, client: KubeClient, installation: Installation, logger: Logger, ownership: Ownership) {
    this.config = config;
    this.client = client;
    this.installation = installation;
    this.gateway = `http://127.0.0.1:${config.ports.gateway}`;
    this.telemetry = new Telemetry(this.gateway);
    this.kubeconfig = labPaths(config.dataDir).kubeconfig;
    this.#logger = logger;
    this.#ownership = ownership;
  }

  /** A request through the gateway. */
  async request(path: string, init: RequestInit = {}): Promise<LabAnswer> {
    const started = systemClock.monotonic();
    const answer = await fetch(`${this.gateway}${path}`, {
      ...init,
      headers: { accept: 'application/json', ...init.headers },
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      durationMs: systemClock.monotonic() - started,
      traceId: answer.headers.get('x-trace-id') ?? undefined,
    };
  }

  /** Requests from inside a pod: by service names, through its sidecar. */
  requestFrom(request: PodRequest): Promise<readonly PodAnswer[]> {
    return requestFromPod(this, request);
  }

  /** The real kubectl against this lab; its exit code is given, not thrown. */
  kubectl(...args: string[]): Promise<CommandResult> {
    return this.#tool('kubectl', args);
  }

  /** The real helm against this lab. */
  helm(...args: string[]): Promise<CommandResult> {
    return this.#tool('helm', args);
  }

  /** `kubectl apply` of YAML or JSON text; `namespace` is for objects that name none. Gives what the server warned of; throws with its words where it refuses. */
  async apply(manifest: string, namespace?: string): Promise<{ readonly warnings: readonly string[] }> {
    const result = await this.#tool(
      'kubectl',
      ['apply', '--filename=-', ...(namespace === undefined ? [] : [`--namespace=${namespace}`])],
      manifest,
    );
    if (result.exitCode !== 0)
      throw new LabError(`the manifest was refused: ${result.stderr.trim()}`, { code: 'APPLY_FAILED', side: 'user' });
    const warnings = result.stderr.split('\n').filter((line) => line.startsWith('Warning: '));
    return { warnings: warnings.map((line) => line.slice('Warning: '.length)) };
  }

  /** Waits until a workload (`deployment/echo`) is rolled out; throws with the reason where it is not in time. */
  async waitForRollout(workload: string, options: { namespace?: string; timeoutSeconds?: number } = {}): Promise<void> {
    const { namespace = 'default', timeoutSeconds = 60 } = options;
    const result = await this.kubectl(
      'rollout',
      'status',
      workload,
      `--namespace=${namespace}`,
      `--timeout=${timeoutSeconds}s`,
    );
    if (result.exitCode !== 0)
      throw new LabError(`${workload} in ${namespace} is not rolled out: ${result.stderr.trim()}`, {
        code: 'ROLLOUT_FAILED',
        side: 'user',
        remedy: `look at: kubectl describe ${workload} --namespace ${namespace}`,
      });
  }

  async #tool(name: 'kubectl' | 'helm', args: readonly string[], input?: string): Promise<CommandResult> {
    const file = await findTool(name, { directory: this.installation.tools, env: process.env });
    const home = join(this.config.dataDir, 'home');
    const result = await execa(file, args, {
      env: {
        KUBECONFIG: this.kubeconfig,
        HOME: home,
        HELM_CACHE_HOME: home,
        HELM_CONFIG_HOME: home,
        HELM_DATA_HOME: home,
      },
      ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
      reject: false,
    });
    return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  }

  /** `helm upgrade --install --wait` of a chart. */
  async install(
    chart: string,
    options: { release: string; namespace?: string; values?: Record<string, unknown>; timeoutSeconds?: number },
  ): Promise<void> {
    await helmInstall(await this.#helmOptions(), {
      release: options.release,
      chart: resolve(chart),
      namespace: options.namespace ?? 'default',
      values: options.values ?? {},
      timeoutSeconds: options.timeoutSeconds ?? 120,
    });
  }

  async uninstall(release: string, namespace = 'default'): Promise<void> {
    await runHelm(await this.#helmOptions(), ['uninstall', release, '--namespace', namespace, '--wait']);
  }

  async #helmOptions(): Promise<{ helm: string; kubeconfig: string; homeDir: string }> {
    return {
      helm: await findTool('helm', { directory: this.installation.tools, env: process.env }),
      kubeconfig: this.kubeconfig,
      homeDir: join(this.config.dataDir, 'home'),
    };
  }

  /** Every process of the lab, with its memory. */
  processes(): Promise<readonly LabProcess[]> {
    return labProcesses(this.config.dataDir);
  }

  runState(): Promise<RunState> {
    return readRunState(this.config.dataDir);
  }

  /** Ends the lab and keeps its data. */
  async stop(): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await down({ dataDir: this.config.dataDir, purge: false, logger: this.#logger });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    if (this.#ownership === 'attached') return;
    await down({ dataDir: this.config.dataDir, purge: this.#ownership === 'temporary', logger: this.#logger });
  }
}

/** Starts a lab and waits until it is ready. Throws a LabError that says which step failed. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const installation = installationAt(options.root ?? resolve(import.meta.dirname, '..', '..', '..'));
  const logger = options.logger ?? silentLogger;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kind-e2e-lab-')));
  await fetchTools(PINNED_TOOLS, installation.tools);
  const plan = planUp({
    dataDir,
    installation,
    // A directory that was used before keeps its ports, which are in the images' names.
    ports: (await readLabConfig(dataDir))?.ports ?? (await freePorts()),
    ...(options.retention === undefined ? {} : { retention: options.retention }),
    app: options.app ?? true,
    logger,
    startSupervisor: (config) => startSupervisor(config, installation),
  });
  const signal = new AbortController().signal;
  try {
    for (const step of plan.steps) await step.run((detail) => logger.info(step.title, { detail }), signal);
    const { config } = plan.result();
    return new Lab(
      config,
      await connect(config, systemClock),
      installation,
      logger,
      options.dataDir === undefined ? 'temporary' : 'kept',
    );
  } catch (error) {
    await down({ dataDir, purge: options.dataDir === undefined, logger });
    throw error;
  }
}

/** A lab that runs already, such as one that a suite's set-up started; disposing it ends nothing but the connection. */
export async function attachLab(dataDir: string, root?: string): Promise<Lab> {
  const config = await readLabConfig(dataDir);
  if (config === undefined)
    throw new LabError(`there is no lab in ${dataDir}`, {
      code: 'NO_LAB',
      side: 'user',
      remedy: 'start one with startLab()',
    });
  const installation = installationAt(root ?? resolve(import.meta.dirname, '..', '..', '..'));
  return new Lab(config, await connect(config, systemClock), installation, silentLogger, 'attached');
}

async function freePorts(): Promise<
  Record<'gateway' | 'api' | 'registry' | 'zipkin' | 'otlpGrpc' | 'otlpHttp' | 'jaeger' | 'prometheus' | 'loki', number>
> {
  const [gateway, api, registry, zipkin, otlpGrpc, otlpHttp, jaeger, prometheus, loki] = await Promise.all(
    Array.from({ length: 9 }, () => freePort()),
  );
  const port = (value: number | undefined): number => value ?? 0;
  return {
    gateway: port(gateway),
    api: port(api),
    registry: port(registry),
    zipkin: port(zipkin),
    otlpGrpc: port(otlpGrpc),
    otlpHttp: port(otlpHttp),
    jaeger: port(jaeger),
    prometheus: port(prometheus),
    loki: port(loki),
  };
}

async function startSupervisor(config: LabConfig, installation: Installation): Promise<void> {
  const { pid } = spawnDetached({
    file: installation.nodeBinary,
    args: [...SUPERVISOR_FLAGS, bundleOf(installation, 'supervisor'), config.dataDir, installation.root],
    cwd: config.dataDir,
    env: process.env,
    logFile: join(labPaths(config.dataDir).logs, 'supervisor.log'),
  });
  await waitFor(async () => ((await readRunState(config.dataDir)).supervisor?.pid === pid ? true : undefined), {
    clock: systemClock,
    timeoutMs: 10_000,
    intervalMs: 20,
    what: 'the supervisor',
  });
}
