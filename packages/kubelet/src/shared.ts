import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DNS_PORT } from '@kind-e2e/base';
import { createInformer, type Informer, RESOURCES } from '@kind-e2e/kube-client';
import type { Service } from 'kubernetes-types/core/v1.d.ts';
import { LogNotifier } from './logs/log-notifier.ts';
import { readLowPortLimit } from './node/low-ports.ts';
import type { KubeletSharedOptions } from './options.ts';
import { type CpuControl, probeCpuControl, removeCpuGroups } from './runtime/cpu-cgroups.ts';
import { LAUNCH_SCRIPT } from './runtime/launch-script.ts';
import { ProcessTable } from './runtime/processes.ts';
import { writeLaunchScript } from './runtime/start-container.ts';
import { probeView, type ViewMode } from './runtime/view-probe.ts';
import { ObjectReader } from './volumes/object-reader.ts';

/** What the kubelets of one process share: images, services, process table, the view's mode. */
export interface KubeletShared extends AsyncDisposable {
  readonly options: KubeletSharedOptions;
  readonly mode: ViewMode;
  /** How CPU limits are enforced. */
  readonly cpu: CpuControl;
  readonly launchScript: string;
  readonly preloadPath: string;
  /** Ports below it are shifted in containers. */
  readonly lowPortLimit: number;
  readonly nodeBinary: string;
  readonly services: Informer<Service>;
  readonly objects: ObjectReader;
  readonly processes: ProcessTable;
  readonly notifier: LogNotifier;
  readonly clusterDomain: string;
  readonly sidecarDnsPort: number;
}

/** Prepares what kubelets share. Dispose it after the kubelets. */
export async function createKubeletShared(options: KubeletSharedOptions): Promise<KubeletShared> {
  const runtime = join(options.dataDir, 'runtime');
  for (const name of ['runtime', 'pods', 'log/pods', 'volumes'])
    await mkdir(join(options.dataDir, name), { recursive: true });
  const mode: ViewMode =
    options.view === 'direct'
      ? { kind: 'direct', hasOverlay: false, canMapUser: false, readOnlyBind: 'bind', reason: 'asked for' }
      : probeView(runtime);
  if (mode.kind === 'direct')
    options.logger.info('containers run without namespaces; paths are rewritten', { reason: mode.reason });
  const cpu = probeCpuControl(options.dataDir);
  options.logger.info('CPU limits', { enforced: cpu.version !== undefined, reason: cpu.reason });
  removeCpuGroups(cpu);
  const launchScript = join(runtime, 'launch.sh');
  await writeLaunchScript(launchScript, LAUNCH_SCRIPT);
  await mkdir(join(runtime, 'bin'), { recursive: true });
  await rm(join(runtime, 'bin', 'node'), { force: true });
  await symlink(options.nodeBinary, join(runtime, 'bin', 'node'));
  if (options.dnsAddress !== undefined && isIP(options.dnsAddress.replace(/:\d+$/, '')) === 0)
    throw new RangeError(`dnsAddress "${options.dnsAddress}" is not address:port`);
  await removeOldLogs(options.dataDir);
  const services = createInformer<Service>({
    client: options.client,
    resource: RESOURCES.services,
    logger: options.logger,
  });
  return {
    options,
    mode,
    cpu,
    launchScript,
    preloadPath: options.preloadPath ?? fileURLToPath(new URL('../preload/kind-e2e-preload.cjs', import.meta.url)),
    lowPortLimit: options.lowPortLimit ?? readLowPortLimit(),
    nodeBinary: options.nodeBinary,
    services,
    objects: new ObjectReader(options.clock, options.objectRefreshMs ?? 5_000),
    processes: new ProcessTable(options.clock),
    notifier: new LogNotifier(),
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    sidecarDnsPort: options.sidecarDnsPort ?? DNS_PORT,
    async [Symbol.asyncDispose]() {
      await services[Symbol.asyncDispose]();
      removeCpuGroups(cpu);
    },
  };
}

/** Logs stay a while after their pod; a kubelet that ended in that time left them. */
async function removeOldLogs(dataDir: string): Promise<void> {
  const pods = new Set(await readdir(join(dataDir, 'pods')));
  for (const name of await readdir(join(dataDir, 'log', 'pods')))
    if (!pods.has(name.slice(name.lastIndexOf('_') + 1)))
      await rm(join(dataDir, 'log', 'pods', name), { recursive: true, force: true });
}
