import { type Clock, Disposer, type Logger, systemClock } from '@kind-e2e/base';
import { createEventRecorder, createKubeClient, type EventRecorder, type KubeConnection } from '@kind-e2e/kube-client';
import { type SignCertificate, startCsrSigningController } from './certificates/csr-signing-controller.ts';
import { startClusterRoleAggregationController } from './clusterroleaggregation/clusterroleaggregation-controller.ts';
import type { ControllerContext, StartController } from './context.ts';
import { startCronJobController } from './cronjob/cronjob-controller.ts';
import { startDaemonSetController } from './daemonset/daemonset-controller.ts';
import { startDeploymentController } from './deployment/deployment-controller.ts';
import { type DnsServer, startDnsServer, type Upstream } from './dns/dns-server.ts';
import { ensureDnsService } from './dns/dns-service.ts';
import { ClusterZone } from './dns/zone.ts';
import { startEndpointsController } from './endpoints/endpoints-controller.ts';
import { startEndpointSliceController } from './endpointslice/endpointslice-controller.ts';
import { startEndpointSliceMirroringController } from './endpointslicemirroring/endpointslicemirroring-controller.ts';
import { startEphemeralVolumeController } from './ephemeralvolume/ephemeralvolume-controller.ts';
import { startEventTtlController } from './eventttl/eventttl-controller.ts';
import { startGarbageCollector } from './gc/garbage-collector.ts';
import { startHpaController } from './hpa/hpa-controller.ts';
import { SharedInformers } from './informers.ts';
import { startJobController } from './job/job-controller.ts';
import { startNamespaceController } from './namespace/namespace-controller.ts';
import { startNodeLifecycleController } from './nodelifecycle/nodelifecycle-controller.ts';
import { startPdbController } from './pdb/pdb-controller.ts';
import { startPodGcController } from './podgc/podgc-controller.ts';
import { startReplicaSetController } from './replicaset/replicaset-controller.ts';
import { startReplicationControllerController } from './replicationcontroller/replicationcontroller-controller.ts';
import { startResourceQuotaController } from './resourcequota/resourcequota-controller.ts';
import { startScheduler } from './scheduler/scheduler.ts';
import { startRootCaController } from './serviceaccount/root-ca-controller.ts';
import { startServiceAccountController } from './serviceaccount/serviceaccount-controller.ts';
import { startTokenController } from './serviceaccount/token-controller.ts';
import { startStatefulSetController } from './statefulset/statefulset-controller.ts';
import { startTtlAfterFinishedController } from './ttlafterfinished/ttlafterfinished-controller.ts';
import { startVolumeController } from './volumes/volume-controller.ts';

export interface ControllersOptions {
  /** As `system:kube-controller-manager`. */
  readonly controllerManager: KubeConnection;
  /** As `system:kube-scheduler`. Default that of the controller manager. */
  readonly scheduler?: KubeConnection;
  /** What pods check the API server's certificate with: goes into `kube-root-ca.crt`. */
  readonly caPem: string;
  /** Signs certificate requests that were approved. Without it nobody does. */
  readonly signCertificate?: SignCertificate;
  /** The folder that local persistent volumes are made in, one folder a volume. Without it none are made. */
  readonly volumesDirectory?: string;
  /** Where the cluster's DNS server listens. Without it none is started. */
  readonly dns?: { readonly address: string; readonly port: number; readonly upstream?: Upstream };
  /** How long a node may be silent before its pods count as not ready. Default 50 s, as upstream. */
  readonly nodeGraceMs?: number;
  /** How often autoscalers read metrics. Default 15 s, as upstream. */
  readonly hpaSyncMs?: number;
  /** Only these controllers, by name, for tests. Default all. */
  readonly only?: readonly ControllerName[];
  readonly logger: Logger;
  /** Default the system's. */
  readonly clock?: Clock;
}

export interface Controllers extends AsyncDisposable {
  /** Where DNS listens, if it was asked for. */
  readonly dns: Pick<DnsServer, 'address' | 'port'> | undefined;
}

const CONTROLLERS = {
  deployment: startDeploymentController,
  replicaset: startReplicaSetController,
  replicationcontroller: startReplicationControllerController,
  endpoints: startEndpointsController,
  endpointslice: startEndpointSliceController,
  endpointslicemirroring: startEndpointSliceMirroringController,
  namespace: startNamespaceController,
  serviceaccount: startServiceAccountController,
  gc: startGarbageCollector,
  statefulset: startStatefulSetController,
  daemonset: startDaemonSetController,
  job: startJobController,
  cronjob: startCronJobController,
  ttlafterfinished: startTtlAfterFinishedController,
  podgc: startPodGcController,
  pdb: startPdbController,
  resourcequota: startResourceQuotaController,
  clusterroleaggregation: startClusterRoleAggregationController,
  ephemeralvolume: startEphemeralVolumeController,
  eventttl: startEventTtlController,
} as const satisfies Readonly<Record<string, StartController>>;

export type ControllerName =
  | keyof typeof CONTROLLERS
  | 'csrsigning'
  | 'root-ca'
  | 'serviceaccount-token'
  | 'scheduler'
  | 'hpa'
  | 'nodelifecycle'
  | 'volumes';

/**
 * Starts the controllers, the scheduler and the cluster's DNS. Resolves as soon as they run; each begins its work when
 * its informers have listed, and goes on through absences of the API server.
 */
export async function startControllers(options: ControllersOptions): Promise<Controllers> {
  const { logger, clock = systemClock } = options;
  const disposer = new Disposer();
  const isWanted = (name: ControllerName): boolean => options.only?.includes(name) ?? true;
  const context = createContext(named(options.controllerManager, 'kube-controller-manager'), disposer, logger, clock);
  for (const [name, start] of Object.entries(CONTROLLERS))
    if (isWanted(name as ControllerName)) disposer.use(start(context));
  if (isWanted('csrsigning') && options.signCertificate)
    disposer.use(startCsrSigningController(context, options.signCertificate));
  if (isWanted('root-ca')) disposer.use(startRootCaController(context, options.caPem));
  if (isWanted('serviceaccount-token')) disposer.use(startTokenController(context, options.caPem));
  if (isWanted('volumes')) disposer.use(startVolumeController(context, options.volumesDirectory));
  if (isWanted('hpa')) disposer.use(startHpaController(context, { syncMs: options.hpaSyncMs }));
  if (isWanted('nodelifecycle')) disposer.use(startNodeLifecycleController(context, { graceMs: options.nodeGraceMs }));
  if (isWanted('scheduler')) {
    // One set of informers serves both identities, to save memory; what the scheduler writes is in its own name.
    const own = options.scheduler
      ? createContext(named(options.scheduler, 'kube-scheduler'), disposer, logger, clock, context.informers)
      : context;
    disposer.use(startScheduler(own));
  }
  try {
    return {
      dns: await startDns(options, context, disposer),
      [Symbol.asyncDispose]: () => disposer[Symbol.asyncDispose](),
    };
  } catch (error) {
    await disposer[Symbol.asyncDispose]();
    throw error;
  }
}

async function startDns(
  options: ControllersOptions,
  context: ControllerContext,
  disposer: Disposer,
): Promise<DnsServer | undefined> {
  if (!options.dns) return undefined;
  const { informers } = context;
  const namespaces = informers.of('namespaces');
  const zone = new ClusterZone({
    services: informers.of('services'),
    slices: informers.of('endpointslices'),
    hasNamespace: (name) => namespaces.get(name) !== undefined,
  });
  const server = disposer.use(await startDnsServer({ ...options.dns, zone, logger: context.logger }));
  const abort = new AbortController();
  const done = ensureDnsService(context, server.address, server.port, abort.signal);
  disposer.defer(() => {
    abort.abort(new Error('the controllers were disposed'));
    return done;
  });
  return server;
}

/** The name that stands in managedFields as the writer of what the component writes. */
function named(connection: KubeConnection, userAgent: string): KubeConnection {
  return { userAgent, ...connection };
}

function createContext(
  connection: KubeConnection,
  disposer: Disposer,
  logger: Logger,
  clock: Clock,
  shared?: SharedInformers,
): ControllerContext {
  const client = disposer.use(createKubeClient(connection, { clock }));
  const informers = shared ?? disposer.use(new SharedInformers({ client, logger, clock }));
  const recorders = new Map<string, EventRecorder>();
  return {
    client,
    informers,
    clock,
    logger,
    recorder(component) {
      let recorder = recorders.get(component);
      if (!recorder) {
        recorder = disposer.use(createEventRecorder({ client, component, logger, clock }));
        recorders.set(component, recorder);
      }
      return recorder;
    },
  };
}
