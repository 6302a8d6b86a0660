import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '@kind-e2e/base';
import { formatMicroTime, isStatusError } from '@kind-e2e/kube-api';
import { type EventRecorder, RESOURCES } from '@kind-e2e/kube-client';
import type { Lease } from 'kubernetes-types/coordination/v1.d.ts';
import type { Node } from 'kubernetes-types/core/v1.d.ts';
import type { KubeletOptions } from '../options.ts';
import { labelsOf, nodeObject, nodeStatus } from './node-object.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
/** Status is sent when it changed, and as a sign of life this often (nodeStatusReportFrequency). */
const REPORT_MS = 300_000;
const RETRY_MS = 500;

/** Keeps the Node object, its status and its lease (kubernetes pkg/kubelet/kubelet_node_status.go, nodelease). */
export class NodeRegistration implements AsyncDisposable {
  readonly #options: KubeletOptions;
  readonly #apiPort: number;
  readonly #events: EventRecorder;
  readonly #abort = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #node: Node | undefined;
  #lease: Lease | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  #sentText = '';
  #bootId = '';
  #wasUnschedulable = false;

  constructor(options: KubeletOptions, apiPort: number, events: EventRecorder) {
    this.#options = options;
    this.#apiPort = apiPort;
    this.#events = events;
  }

  /** The Node as it was last seen. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** Registers the node; resolves when it is Ready in the API. Then heartbeats go on by themselves. */
  async start(): Promise<void> {
    const { clock } = this.#options.shared.options;
    const { signal } = this.#abort;
    this.#bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
    this.#event('Starting', 'Starting kubelet.');
    const { cpu } = this.#options.shared;
    if (cpu.version === undefined)
      this.#event('CPULimitsNotEnforced', `CPU limits of containers are not enforced: ${cpu.reason}`, 'Warning');
    for (;;) {
      try {
        await this.#register();
        await this.#report();
        await this.#renew();
        break;
      } catch (error) {
        signal.throwIfAborted();
        this.#options.logger.warn('the node was not registered, will be tried again', { error: messageOf(error) });
        await clock.sleep(RETRY_MS, signal);
      }
    }
    for (const [reason, what] of [
      ['NodeHasSufficientMemory', 'NodeHasSufficientMemory'],
      ['NodeHasNoDiskPressure', 'NodeHasNoDiskPressure'],
      ['NodeHasSufficientPID', 'NodeHasSufficientPID'],
      ['NodeReady', 'NodeReady'],
    ] as const)
      this.#event(reason, `Node ${this.#options.nodeName} status is now: ${what}`);
    this.#loop = this.#beat();
  }

  #event(reason: string, message: string, type: 'Normal' | 'Warning' = 'Normal'): void {
    const { nodeName } = this.#options;
    this.#events.event(
      { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, uid: nodeName } },
      type,
      reason,
      message,
    );
  }

  async #register(): Promise<void> {
    const { client, nodeName } = this.#options;
    try {
      this.#node = await client.create<Node>(RESOURCES.nodes, nodeObject(this.#options));
    } catch (error) {
      if (!isStatusError(error, 409)) throw error;
      const existing = await client.get<Node>(RESOURCES.nodes, nodeName);
      const labels = labelsOf(this.#options);
      const differs = Object.entries(labels).some(([name, value]) => existing.metadata?.labels?.[name] !== value);
      // One that another made under our name gets what it lacks.
      const isForeign = existing.spec?.podCIDR === undefined;
      const patch = { metadata: { labels }, ...(isForeign ? { spec: nodeObject(this.#options).spec } : {}) };
      this.#node =
        differs || isForeign
          ? await client.patch<Node>(RESOURCES.nodes, { name: nodeName }, 'strategic', patch)
          : existing;
    }
  }

  async #beat(): Promise<void> {
    const { clock } = this.#options.shared.options;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await clock.sleep(RENEW_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#renew();
        await this.#report();
      } catch (error) {
        if (signal.aborted) return;
        // One that was deleted stays away until the kubelet starts anew, as upstream (kubelet_node_status.go registers
        // once); a Node that somebody makes under the name is filled in by the next heartbeat.
        const what = isStatusError(error, 404) ? 'the node was deleted' : 'a heartbeat failed';
        this.#options.logger.debug(what, { error: messageOf(error) });
      }
    }
  }

  async #report(): Promise<void> {
    const { client, nodeName, shared } = this.#options;
    const { clock, images } = shared.options;
    const current = await client.get<Node>(RESOURCES.nodes, nodeName, undefined, this.#abort.signal);
    this.#node = current;
    const isUnschedulable = current.spec?.unschedulable ?? false;
    if (isUnschedulable !== this.#wasUnschedulable) {
      const what = isUnschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable';
      this.#event(what, `Node ${nodeName} status is now: ${what}`);
      this.#wasUnschedulable = isUnschedulable;
    }
    const status = nodeStatus({
      options: this.#options,
      apiPort: this.#apiPort,
      images: (await images.list()).map((image) => ({
        names: [image.nameWithDigest, image.name],
        sizeBytes: image.sizeBytes,
      })),
      before: current,
      nowMs: clock.now(),
      systemUuid: uuidOf(nodeName),
      bootId: this.#bootId,
    });
    const text = JSON.stringify({
      ...status,
      conditions: status.conditions?.map(({ status: is, type }) => [type, is]),
    });
    const isReady =
      current.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
    if (isReady && text === this.#sentText && clock.monotonic() - this.#sentAt < REPORT_MS) return;
    this.#node = await client.patch<Node>(
      RESOURCES.nodes,
      { name: nodeName },
      'strategic',
      { status },
      { subresource: 'status', signal: this.#abort.signal },
    );
    this.#sentText = text;
    this.#sentAt = clock.monotonic();
  }

  async #renew(): Promise<void> {
    const { client, nodeName, shared } = this.#options;
    const renewTime = formatMicroTime(shared.options.clock.now());
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    const { signal } = this.#abort;
    try {
      if (this.#lease) this.#lease = await client.update<Lease>(RESOURCES.leases, { ...this.#lease, spec }, { signal });
      else {
        // Its owner is the Node of now: a deleted one would take the lease with it (nodelease SetNodeOwnerFunc).
        const node = await client.get<Node>(RESOURCES.nodes, nodeName, undefined, signal);
        const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata?.uid ?? '' }];
        this.#lease = await client.create<Lease>(
          RESOURCES.leases,
          {
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { name: nodeName, namespace: LEASE_NAMESPACE, ownerReferences },
            spec,
          },
          { signal },
        );
      }
    } catch (error) {
      this.#lease = undefined;
      if (!isStatusError(error, 409)) throw error;
      this.#lease = await client.get<Lease>(RESOURCES.leases, nodeName, LEASE_NAMESPACE, signal);
      this.#lease = await client.update<Lease>(RESOURCES.leases, { ...this.#lease, spec }, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('the kubelet stops'));
    await this.#loop;
  }
}

/** A UUID that is the same for a name each time. */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(`kind-e2e/${name}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
