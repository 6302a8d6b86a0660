import { rm } from 'node:fs/promises';
import { createEventRecorder, createInformer, type Informer, RESOURCES } from '@kind-e2e/kube-client';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { ImagePuller } from './images/image-puller.ts';
import { AddressPool } from './node/address-pool.ts';
import type { NodeContext } from './node/node-context.ts';
import { capacityOf } from './node/node-object.ts';
import { NodeRegistration } from './node/node-registration.ts';
import type { KubeletOptions } from './options.ts';
import { MemoryWatch } from './pods/memory-watch.ts';
import { removePodFolder } from './pods/pod-files.ts';
import { type PodState, podFolderOf, podLogFolder, readPodStates } from './pods/pod-state.ts';
import { PodWorker } from './pods/pod-worker.ts';
import { stopPodProcesses } from './runtime/stop-processes.ts';
import { type KubeletServer, startKubeletServer } from './server/server.ts';
import { TokenCache } from './volumes/token-cache.ts';

/** One node: takes the pods that are bound to it and runs them as local processes. */
export interface Kubelet extends AsyncDisposable {
  readonly nodeName: string;
  readonly apiPort: number;
  /** Pods that the kubelet knows, with their workers. */
  readonly pods: ReadonlyMap<string, PodWorker>;
  /** Ends what the node's pods run, orderly, for a lab that goes down. The pods stay in the API and come back. */
  stopPods(): Promise<void>;
  /** The node fails: its API and heartbeats end, its containers are killed, nothing is told to the API server. */
  stopNode(): Promise<void>;
  /** A node that was stopped comes back. */
  startNode(): Promise<void>;
  /** As `systemctl restart kubelet`: the node registers again, its containers go on. */
  restart(): Promise<void>;
}

/** Starts a kubelet; resolves when its node is Ready. Disposal leaves the containers running, for the next kubelet. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const kubelet = new LocalKubelet(options);
  try {
    await kubelet.startNode();
  } catch (error) {
    await kubelet[Symbol.asyncDispose]();
    throw error;
  }
  return kubelet;
}

class LocalKubelet implements Kubelet {
  readonly nodeName: string;
  readonly pods = new Map<string, PodWorker>();
  readonly #options: KubeletOptions;
  readonly #context: NodeContext;
  readonly #memory: MemoryWatch;
  #server: KubeletServer | undefined;
  #apiPort: number;
  #registration: NodeRegistration | undefined;
  #informer: Informer<Pod> | undefined;
  #known = new Map<string, PodState>();
  #isUp = false;
  #disposal: Promise<void> | undefined;

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.nodeName = options.nodeName;
    this.#apiPort = options.apiPort ?? 10250;
    const { shared, client, logger } = options;
    const { clock } = shared.options;
    this.#context = {
      nodeName: options.nodeName,
      nodeAddress: options.nodeAddress,
      client,
      shared,
      clock,
      logger,
      events: createEventRecorder({ client, component: 'kubelet', host: options.nodeName, logger, clock }),
      addresses: new AddressPool(options.podCidr),
      puller: new ImagePuller(
        shared.options.images,
        clock,
        shared.options.pullBackoff ?? { initialMs: 5_000, maxMs: 60_000 },
      ),
      tokens: new TokenCache(clock),
      allocatable: capacityOf(options),
    };
    this.#memory = new MemoryWatch(clock, shared.processes, () =>
      [...this.pods.values()].flatMap((each) => each.slots),
    );
  }

  get apiPort(): number {
    return this.#apiPort;
  }

  async #listen(): Promise<void> {
    if (this.#server) return;
    this.#server = await startKubeletServer({
      context: this.#context,
      host: this.#options.nodeAddress,
      port: this.#apiPort,
      tls: this.#options.tls,
      token: this.#options.apiToken,
      workers: () => this.pods,
    });
    this.#apiPort = this.#server.port;
  }

  async startNode(): Promise<void> {
    if (this.#isUp) return;
    this.#isUp = true;
    await this.#listen();
    const { shared, logger } = this.#options;
    for (const state of await readPodStates(shared.options.dataDir, this.nodeName)) {
      this.#known.set(state.uid, state);
      if (!state.hostNetwork) this.#context.addresses.reserve(state.podIP, state.uid);
    }
    this.#registration = new NodeRegistration(this.#options, this.apiPort, this.#context.events);
    await this.#registration.start();
    await shared.services.synced;
    const informer = createInformer<Pod>({
      client: this.#options.client,
      resource: RESOURCES.pods,
      fieldSelector: `spec.nodeName=${this.nodeName}`,
      logger,
    });
    this.#informer = informer;
    informer.addHandler({
      added: (pod) => this.#take(pod),
      updated: (before, pod) => {
        // A pod that was deleted and made anew under its name within one look.
        if (before.metadata?.uid !== pod.metadata?.uid) this.pods.get(before.metadata?.uid ?? '')?.remove();
        this.#take(pod);
      },
      deleted: (pod) => this.pods.get(pod.metadata?.uid ?? '')?.remove(),
    });
    await informer.synced;
    await this.#removeOrphans();
    this.#memory.start();
  }

  #take(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const worker = this.pods.get(uid);
    if (worker) {
      worker.update(pod);
      return;
    }
    const known = this.#known.get(uid);
    this.#known.delete(uid);
    const made = new PodWorker({
      node: this.#context,
      pod,
      ...(known ? { known } : {}),
      onGone: () => this.pods.delete(uid),
    });
    this.pods.set(uid, made);
    made.begin().catch((error: unknown) => this.#options.logger.error('a pod was not taken up', { uid, error }));
  }

  /** What is left on disk of pods that the API no longer has. */
  async #removeOrphans(): Promise<void> {
    const { dataDir, clock } = this.#options.shared.options;
    for (const [uid, state] of this.#known) {
      await stopPodProcesses(podFolderOf(dataDir, uid), clock, 2_000);
      await removePodFolder(podFolderOf(dataDir, uid));
      await rm(podLogFolder(dataDir, state), { recursive: true, force: true });
      this.#context.addresses.release(state.podIP, uid);
    }
    this.#known.clear();
  }

  async stopPods(): Promise<void> {
    await this.#leave();
    const { dataDir, clock } = this.#options.shared.options;
    const states = await readPodStates(dataDir, this.nodeName);
    await Promise.all(states.map((state) => stopPodProcesses(podFolderOf(dataDir, state.uid), clock, 5_000)));
  }

  async restart(): Promise<void> {
    await this.#leave();
    await this.startNode();
  }

  async stopNode(): Promise<void> {
    await this.#leave();
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
    const { dataDir, clock } = this.#options.shared.options;
    const states = await readPodStates(dataDir, this.nodeName);
    await Promise.all(states.map((state) => stopPodProcesses(podFolderOf(dataDir, state.uid), clock, 0)));
  }

  /** Ends heartbeats and lets go of all pods. */
  async #leave(): Promise<void> {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#memory.stop();
    await this.#registration?.[Symbol.asyncDispose]();
    await this.#informer?.[Symbol.asyncDispose]();
    await Promise.all([...this.pods.values()].map((worker) => worker.release()));
    this.pods.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= (async () => {
      await this.#leave();
      await this.#server?.[Symbol.asyncDispose]();
      await this.#context.events[Symbol.asyncDispose]();
    })();
    return this.#disposal;
  }
}
