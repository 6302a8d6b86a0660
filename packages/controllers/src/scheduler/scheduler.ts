import { Disposer, messageOf } from '@kind-e2e/base';
import { formatTime, isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, ignoreNotFound, keyOf, RESOURCES } from '@kind-e2e/kube-client';
import type { Binding, PersistentVolumeClaim, Pod, PodCondition } from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { controllerOf } from '../ownership/owner-references.ts';
import { selectsExactly } from '../ownership/selectors.ts';
import { isPodTerminal, podCondition } from '../pods/pod-state.ts';
import { ClusterState } from './cluster-state.ts';
import { Cycle } from './cycle.ts';
import type { VolumeView } from './filters/volumes.ts';
import type { NodeState } from './node-state.ts';
import { findPreemption, type Preemption, priorityOf } from './preemption.ts';
import { describeFailure, type Rejection } from './rejection.ts';
import { SchedulingQueue } from './scheduling-queue.ts';
import { scoreNodes } from './scores/scores.ts';

const SCHEDULER_NAME = 'default-scheduler';

/** Pods are tried again after this long even if nothing changed (scheduling_queue.go: five minutes). */
const FLUSH_MS = 60_000;

/** After so many pods in a row other work gets its turn. */
const PODS_PER_TURN = 16;

/** How long the claims of a pod may take to be bound to volumes (VolumeBindingArgs.BindTimeoutSeconds). */
const VOLUME_TIMEOUT_MS = 600_000;

const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** Gives each pod of `default-scheduler` a node (upstream pkg/scheduler with its default profile). */
export function startScheduler(context: ControllerContext): AsyncDisposable {
  return new Scheduler(context);
}

class Scheduler implements AsyncDisposable {
  readonly #context: ControllerContext;
  readonly #state: ClusterState;
  readonly #queue: SchedulingQueue;
  readonly #volumes: VolumeView;
  readonly #nominated = new Map<string, { readonly pod: Pod; readonly node: string }>();
  readonly #background = new Set<Promise<void>>();
  readonly #disposer = new Disposer();
  readonly #abort = new AbortController();
  #isRunning = false;
  #isSynced = false;

  constructor(context: ControllerContext) {
    this.#context = context;
    const { informers, clock } = context;
    this.#queue = new SchedulingQueue(clock, () => this.#wake());
    const retry = (): void => this.#queue.retryAll();
    this.#state = this.#disposer.use(new ClusterState(informers.of('nodes'), informers.of('pods'), retry));
    const claims = informers.of('persistentvolumeclaims');
    const volumes = informers.of('persistentvolumes');
    const classes = informers.of('storageclasses');
    this.#volumes = {
      claim: (namespace, name) => claims.get(name, namespace),
      volume: (name) => volumes.get(name),
      volumes: () => volumes.list(),
      storageClass: (name) => classes.get(name),
    };
    for (const informer of [claims, volumes, classes])
      this.#disposer.use(informer.addHandler({ added: retry, updated: retry }));
    this.#disposer.use(
      informers.of('pods').addHandler({
        added: (pod) => this.#see(pod, true),
        updated: (before, pod) => this.#see(pod, !isSameJson(before.spec, pod.spec)),
        deleted: (pod) => this.#lose(pod),
      }),
    );
    const reads = [
      'nodes',
      'pods',
      'namespaces',
      'services',
      'replicasets',
      'statefulsets',
      'poddisruptionbudgets',
      'persistentvolumeclaims',
      'persistentvolumes',
      'storageclasses',
    ] as const;
    this.#track(
      Promise.all(reads.map((name) => informers.of(name).synced)).then(() => {
        this.#isSynced = true;
        this.#wake();
      }),
    );
    this.#track(this.#flush());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('the scheduler was disposed'));
    this.#queue.clear();
    await this.#disposer[Symbol.asyncDispose]();
    await Promise.all(this.#background);
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted)
          this.#context.logger.warn('scheduling failed, will be tried again', { error: messageOf(error) });
      })
      .finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  async #flush(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await this.#context.clock.sleep(FLUSH_MS, this.#abort.signal);
      this.#queue.retryAll();
    }
  }

  #see(pod: Pod, isChanged: boolean): void {
    const isOurs = (pod.spec?.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME;
    if (!isOurs || pod.spec?.nodeName || pod.metadata?.deletionTimestamp || isPodTerminal(pod)) {
      this.#nominated.delete(pod.metadata?.uid ?? '');
      this.#queue.drop(pod.metadata?.uid ?? '');
      return;
    }
    if (this.#state.isPlaced(pod.metadata?.uid ?? '')) return;
    if ((pod.spec?.schedulingGates ?? []).length > 0) {
      this.#queue.drop(pod.metadata?.uid ?? '');
      const message = 'Scheduling is blocked due to non-empty scheduling gates';
      this.#track(this.#setUnscheduled(pod, 'SchedulingGated', message));
      return;
    }
    this.#queue.put(pod, isChanged);
  }

  #lose(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    this.#queue.drop(uid);
    this.#nominated.delete(uid);
    // A pod that is gone before its binding came back frees its place too.
    this.#state.forget(uid);
    this.#queue.retryAll();
  }

  #wake(): void {
    if (this.#isRunning || !this.#isSynced || this.#abort.signal.aborted) return;
    this.#isRunning = true;
    this.#track(this.#run());
  }

  async #run(): Promise<void> {
    try {
      await undefined;
      for (let count = 1; !this.#abort.signal.aborted; count++) {
        const next = this.#queue.take();
        if (!next) return;
        this.#schedule(next.pod, next.attempts);
        if (count % PODS_PER_TURN === 0) await this.#context.clock.sleep(0, this.#abort.signal);
      }
    } finally {
      this.#isRunning = false;
      if (this.#queue.size > 0) this.#wake();
    }
  }

  #schedule(pod: Pod, attempts: number): void {
    const nodes = this.#state.nodes;
    const namespaces = this.#context.informers.of('namespaces');
    const namespaceLabels = (name: string): Record<string, string> | undefined =>
      namespaces.get(name)?.metadata?.labels;
    const cycle = new Cycle({
      pod,
      nodes,
      volumes: this.#volumes,
      namespaceLabels,
      nominatedTo: (node) => this.#nominatedTo(node, pod),
    });
    const rejections = new Map<NodeState, Rejection>();
    const feasible: NodeState[] = [];
    const preFilterMessage = cycle.volumes.preFilterMessage;
    for (const node of preFilterMessage === undefined ? nodes : []) {
      const rejection = cycle.reject(node);
      if (rejection) rejections.set(node, rejection);
      else feasible.push(node);
    }
    if (feasible.length === 0) {
      this.#fail(pod, attempts, cycle, nodes, rejections, preFilterMessage);
      return;
    }
    const scores =
      feasible.length === 1
        ? [0]
        : scoreNodes({ pod, feasible, all: nodes, namespaceLabels, siblings: this.#siblingsOf(pod) });
    const best = pickBest(feasible, scores);
    this.#nominated.delete(pod.metadata?.uid ?? '');
    this.#state.assume(pod, best.name);
    this.#track(this.#bind(pod, attempts, best.name, cycle.volumes.waiting));
  }

  #nominatedTo(node: NodeState, pod: Pod): readonly Pod[] {
    if (this.#nominated.size === 0) return [];
    return [...this.#nominated.values()]
      .filter((entry) => entry.node === node.name && entry.pod.metadata?.uid !== pod.metadata?.uid)
      .map((entry) => entry.pod)
      .filter((other) => priorityOf(other) >= priorityOf(pod));
  }

  /** The selector of the set that the pod is of, or of a service in front of it. */
  #siblingsOf(pod: Pod): LabelSelector | undefined {
    const { informers } = this.#context;
    const namespace = pod.metadata?.namespace ?? '';
    const owner = controllerOf(pod);
    if (owner?.kind === 'ReplicaSet') return informers.of('replicasets').get(owner.name, namespace)?.spec?.selector;
    if (owner?.kind === 'StatefulSet') return informers.of('statefulsets').get(owner.name, namespace)?.spec?.selector;
    const service = informers
      .of('services')
      .list(namespace)
      .find((candidate) => selectsExactly(candidate.spec?.selector, pod.metadata?.labels));
    return service?.spec?.selector ? { matchLabels: service.spec.selector } : undefined;
  }

  #fail(
    pod: Pod,
    attempts: number,
    cycle: Cycle,
    nodes: readonly NodeState[],
    rejections: ReadonlyMap<NodeState, Rejection>,
    preFilterMessage: string | undefined,
  ): void {
    const { informers } = this.#context;
    let postFilter: string | undefined;
    let preemption: Preemption | undefined;
    if (nodes.length > 0) {
      const everywhere: Rejection = { reasons: [preFilterMessage ?? ''], isResolvable: false };
      const all = preFilterMessage === undefined ? rejections : new Map(nodes.map((node) => [node, everywhere]));
      const found = findPreemption(pod, cycle, nodes, all, informers.of('poddisruptionbudgets').list());
      if (typeof found === 'string') postFilter = `no new claims to deallocate, preemption: ${found}`;
      else preemption = found;
    }
    const message = describeFailure(nodes.length, rejections.values(), preFilterMessage, postFilter);
    this.#queue.failed(pod, attempts);
    this.#context.recorder(SCHEDULER_NAME).event(pod, 'Warning', 'FailedScheduling', message);
    if (preemption) this.#nominated.set(pod.metadata?.uid ?? '', { pod, node: preemption.node.name });
    this.#track(this.#afterFailure(pod, message, preemption));
  }

  async #afterFailure(pod: Pod, message: string, preemption: Preemption | undefined): Promise<void> {
    await this.#setUnscheduled(pod, 'Unschedulable', message, preemption?.node.name);
    if (preemption) await this.#evict(pod, preemption);
  }

  async #evict(pod: Pod, { node, victims }: Preemption): Promise<void> {
    const { client } = this.#context;
    const { signal } = this.#abort;
    for (const victim of victims) {
      const { name = '', namespace, uid } = victim.metadata ?? {};
      if (victim.metadata?.deletionTimestamp) continue;
      const condition: PodCondition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${SCHEDULER_NAME}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: formatTime(this.#context.clock.now()),
      };
      const patch = { status: { conditions: [condition] } };
      await ignoreNotFound(
        client.patch(RESOURCES.pods, { name, namespace }, 'strategic', patch, { subresource: 'status', signal }),
      );
      await ignoreNotFound(
        client.delete(RESOURCES.pods, { name, namespace }, { signal, ...(uid ? { preconditions: { uid } } : {}) }),
      );
      this.#context
        .recorder(SCHEDULER_NAME)
        .event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata?.uid} on node ${node.name}`);
    }
  }

  async #setUnscheduled(pod: Pod, reason: string, message: string, nominatedNodeName?: string): Promise<void> {
    const current = podCondition(pod, 'PodScheduled');
    const isSame = current?.status === 'False' && current.reason === reason && current.message === message;
    if (isSame && nominatedNodeName === undefined) return;
    const { name = '', namespace } = pod.metadata ?? {};
    const condition: PodCondition & { observedGeneration?: number } = {
      type: 'PodScheduled',
      ...(pod.metadata?.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      status: 'False',
      reason,
      message,
      lastTransitionTime:
        current?.status === 'False' && current.lastTransitionTime
          ? current.lastTransitionTime
          : formatTime(this.#context.clock.now()),
    };
    const status = { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) };
    await ignoreNotFound(
      this.#context.client.patch(
        RESOURCES.pods,
        { name, namespace },
        'strategic',
        { status },
        { subresource: 'status', signal: this.#abort.signal },
      ),
    );
  }

  async #bind(pod: Pod, attempts: number, nodeName: string, waiting: readonly PersistentVolumeClaim[]): Promise<void> {
    const { client } = this.#context;
    const { signal } = this.#abort;
    const { name = '', namespace, uid = '' } = pod.metadata ?? {};
    try {
      if (waiting.length > 0) await this.#bindClaims(waiting, nodeName);
      const binding: Binding & ApiObject = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, ...(namespace ? { namespace } : {}), uid },
        target: { kind: 'Node', name: nodeName },
      };
      await client.create(RESOURCES.pods, binding, { subresource: 'binding', signal });
      const message = `Successfully assigned ${keyOf(pod)} to ${nodeName}`;
      this.#context.recorder(SCHEDULER_NAME).event(pod, 'Normal', 'Scheduled', message);
    } catch (error) {
      if (signal.aborted) return;
      this.#state.forget(uid);
      // The pod is gone, or another scheduler was faster: its next event says what is so.
      if (isStatusError(error, 404) || isStatusError(error, 409)) return;
      this.#queue.failed(pod, attempts);
      this.#queue.retryAll();
      this.#context
        .recorder(SCHEDULER_NAME)
        .event(pod, 'Warning', 'FailedScheduling', `running Bind plugin "DefaultBinder": ${messageOf(error)}`);
    }
  }

  /** Tells the volume binder the node, and waits until it has bound the claims. */
  async #bindClaims(waiting: readonly PersistentVolumeClaim[], nodeName: string): Promise<void> {
    const { client, clock, informers } = this.#context;
    const { signal } = this.#abort;
    const claims = informers.of('persistentvolumeclaims');
    const isBound = (claim: PersistentVolumeClaim): boolean =>
      claims.get(claim.metadata?.name ?? '', claim.metadata?.namespace)?.status?.phase === 'Bound';
    for (const claim of waiting) {
      const { name = '', namespace } = claim.metadata ?? {};
      const patch = { metadata: { annotations: { [SELECTED_NODE]: nodeName } } };
      await client.patch(RESOURCES.persistentvolumeclaims, { name, namespace }, 'merge', patch, { signal });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (waiting.every(isBound)) resolve();
    };
    using _ = claims.addHandler({ added: check, updated: check });
    const timeout = new AbortController();
    try {
      const expire = clock.sleep(VOLUME_TIMEOUT_MS, AbortSignal.any([signal, timeout.signal])).then(() => {
        throw new Error('binding volumes: context deadline exceeded');
      });
      expire.catch(() => {});
      await Promise.race([promise, expire]);
    } finally {
      timeout.abort();
    }
  }
}

/** The node with the most points; among equals the one with the fewest pods. */
function pickBest(feasible: readonly NodeState[], scores: readonly number[]): NodeState {
  let best = 0;
  for (let index = 1; index < feasible.length; index++) {
    const difference = (scores[index] ?? 0) - (scores[best] ?? 0);
    const isLighter = (feasible[index]?.podCount ?? 0) < (feasible[best]?.podCount ?? 0);
    if (difference > 1e-9 || (Math.abs(difference) <= 1e-9 && isLighter)) best = index;
  }
  const node = feasible[best];
  if (!node) throw new RangeError('no feasible node');
  return node;
}
