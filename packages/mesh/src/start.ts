import { type AddressPlan, type Clock, type Logger, messageOf, silentLogger, systemClock } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Snapshot } from '@kind-e2e/proxy';
import { analyze } from './analysis/analyze.ts';
import type { AnalysisMessage } from './analysis/message.ts';
import { StatusWriter } from './analysis/status-writer.ts';
import { MeshCertificates } from './certificates/certificates.ts';
import { JwksFetcher } from './certificates/jwks.ts';
import { istioCrds } from './crds/crds.ts';
import { tokenReviewer } from './discovery/authenticate.ts';
import { DiscoveryServer } from './discovery/server.ts';
import type { GatewayAddress } from './translate/gateways.ts';
import { translate } from './translate/snapshot.ts';
import { TcpAddresses } from './translate/tcp-addresses.ts';
import { Sources } from './world/sources.ts';
import type { World } from './world/world.ts';

export interface MeshOptions {
  /** Must be allowed to read pods, services, secrets and Istio's kinds, and to create TokenReviews and CRDs. */
  readonly client: KubeClient;
  readonly addressPlan: AddressPlan;
  /** Where discovery listens; port 0 for any. By contract control-plane-1's address, 15010. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the mesh's authority is kept. Default: in memory. */
  readonly caDirectory?: string;
  /** Ports of the gateway's service on the host. Default: 80 on 127.0.0.1:8080. */
  readonly gatewayAddresses?: readonly GatewayAddress[];
  /** Default `istio-system`. */
  readonly rootNamespace?: string;
  /** Also serve node ports, on this address. Default: not. */
  readonly nodePortAddress?: string;
  /** `namespace/name` of services that something else answers for. Default: `default/kubernetes` is served here too. */
  readonly foreignServices?: readonly string[];
  /** Users that may read snapshots. Default: every service account of the root namespace. */
  readonly isAllowed?: (username: string) => boolean;
  /** Create Istio's CRDs where they are missing. Default true. */
  readonly installCrds?: boolean;
  /** Write findings into `status.validationMessages`. Default true. */
  readonly writeStatus?: boolean;
  /** Life of workload certificates. Default 24 h; they are renewed at half of it. */
  readonly certificateValidityMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface Mesh extends AsyncDisposable {
  /** Port that discovery listens on. */
  readonly port: number;
  /** The snapshot published last. */
  readonly snapshot: Snapshot | undefined;
  /** What is to be said about Istio's objects now. */
  analysis(): readonly AnalysisMessage[];
}

const QUIET_MS = 10;
const LONGEST_WAIT_MS = 50;
/** A large world takes long to translate: so many times as long it rests, at most for so long. */
const REST_RATIO = 4;
const LONGEST_REST_MS = 1_000;
const PATIENCE_MS = 5_000;
const DEFAULT_GATEWAY: readonly GatewayAddress[] = [{ servicePort: 80, address: '127.0.0.1', port: 8080 }];

/** Starts the mesh's control half. Resolves when discovery listens and the first snapshot is there. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const mesh = new ControlHalf(options);
  try {
    await mesh.start();
  } catch (error) {
    await mesh[Symbol.asyncDispose]();
    throw error;
  }
  return mesh;
}

class ControlHalf implements Mesh {
  port = 0;
  snapshot: Snapshot | undefined;
  readonly #options: MeshOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #root: string;
  readonly #addresses: TcpAddresses;
  readonly #certificates: MeshCertificates;
  readonly #jwks: JwksFetcher;
  readonly #server: DiscoveryServer;
  readonly #stop = new AbortController();
  #status: StatusWriter | undefined;
  #sources: Sources | undefined;
  #world: World | undefined;
  #configProblem: string | undefined;
  #messages: readonly AnalysisMessage[] | undefined;
  #ready = false;
  #dirtySince: number | undefined;
  #restUntil = 0;
  #timer: Disposable | undefined;
  #renewal: Disposable | undefined;
  #disposing: Promise<void> | undefined;

  constructor(options: MeshOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#root = options.rootNamespace ?? 'istio-system';
    this.#addresses = new TcpAddresses(options.addressPlan);
    this.#certificates = new MeshCertificates({
      clock: this.#clock,
      trustDomain: 'cluster.local',
      ...(options.caDirectory === undefined ? {} : { caDirectory: options.caDirectory }),
      ...(options.certificateValidityMs === undefined ? {} : { validityMs: options.certificateValidityMs }),
    });
    this.#jwks = new JwksFetcher({ clock: this.#clock, logger: this.#logger, onChange: () => this.#changed() });
    const prefix = `system:serviceaccount:${this.#root}:`;
    this.#server = new DiscoveryServer({
      listen: options.listen,
      authenticate: tokenReviewer(options.client, this.#clock),
      isAllowed: options.isAllowed ?? ((username) => username.startsWith(prefix)),
      analysis: () => this.analysis(),
      clock: this.#clock,
      logger: this.#logger,
    });
  }

  async start(): Promise<void> {
    const { client } = this.#options;
    this.port = await this.#server.listen();
    if (this.#options.installCrds !== false) await this.#installCrds();
    if (this.#options.writeStatus !== false)
      this.#status = new StatusWriter({ client, clock: this.#clock, logger: this.#logger });
    this.#sources = new Sources({
      client,
      rootNamespace: this.#root,
      clock: this.#clock,
      logger: this.#logger,
      onChange: () => this.#changed(),
    });
    await this.#sources.synced(PATIENCE_MS, this.#stop.signal);
    this.#ready = true;
    this.#publish();
    this.#scheduleRenewal();
  }

  async #installCrds(): Promise<void> {
    const { client } = this.#options;
    await Promise.all(
      istioCrds().map(async (crd) => {
        try {
          await client.create(RESOURCES.customresourcedefinitions, crd);
        } catch (error) {
          if (!isStatusError(error, 409))
            this.#logger.warn('definition not created', { name: crd.metadata?.name, reason: messageOf(error) });
        }
      }),
    );
  }

  /** Gathers changes until it is quiet for a moment, or long enough. */
  #changed(): void {
    this.#messages = undefined;
    if (!this.#ready || this.#stop.signal.aborted) return;
    const now = this.#clock.monotonic();
    this.#dirtySince ??= now;
    this.#timer?.[Symbol.dispose]();
    const wait = Math.max(0, this.#restUntil - now, Math.min(QUIET_MS, this.#dirtySince + LONGEST_WAIT_MS - now));
    this.#timer = this.#clock.after(wait, () => this.#publish());
  }

  #publish(): void {
    this.#dirtySince = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const sources = this.#sources;
    if (sources === undefined || this.#stop.signal.aborted) return;
    const started = this.#clock.monotonic();
    const { world, configProblem } = sources.read();
    this.#world = world;
    this.#configProblem = configProblem;
    this.#messages = undefined;
    try {
      const snapshot = translate(world, {
        tcpAddresses: this.#addresses,
        identityOf: (spiffeId) => this.#certificates.identityOf(spiffeId),
        jwksOf: this.#jwks.get,
        gatewayAddresses: this.#options.gatewayAddresses ?? DEFAULT_GATEWAY,
        forwarders: {
          nodePortAddress: this.#options.nodePortAddress,
          except: new Set(this.#options.foreignServices ?? []),
          isOwnAddress: (address) => address.startsWith('127.'),
        },
      });
      if (snapshot.version !== this.snapshot?.version) {
        this.snapshot = snapshot;
        this.#server.publish(snapshot);
        this.#logger.debug('snapshot published', {
          version: snapshot.version,
          workloads: snapshot.workloads.length,
          ms: Math.round(this.#clock.monotonic() - started),
        });
      }
    } catch (error) {
      this.#logger.error('no snapshot could be made, the last one stays in force', { error });
    }
    this.#status?.update(() => this.analysis(), world);
    const ended = this.#clock.monotonic();
    this.#restUntil = ended + Math.min(LONGEST_REST_MS, REST_RATIO * (ended - started));
  }

  #scheduleRenewal(): void {
    this.#renewal = this.#clock.after(Math.max(1_000, this.#certificates.nextRenewalMs), () => {
      this.#publish();
      this.#scheduleRenewal();
    });
  }

  analysis(): readonly AnalysisMessage[] {
    if (this.#world === undefined) return [];
    this.#messages ??= analyze(
      this.#world,
      this.#configProblem === undefined ? {} : { configProblem: this.#configProblem },
    );
    return this.#messages;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose();
    return this.#disposing;
  }

  async #dispose(): Promise<void> {
    this.#stop.abort(new Error('the mesh was disposed'));
    this.#timer?.[Symbol.dispose]();
    this.#renewal?.[Symbol.dispose]();
    await this.#sources?.[Symbol.asyncDispose]();
    await this.#status?.[Symbol.asyncDispose]();
    await this.#jwks[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
