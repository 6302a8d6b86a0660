import { type Clock, Disposer, type Logger, messageOf } from '@kind-e2e/base';
import { isStatusError, type OwnerReference } from '@kind-e2e/kube-api';
import {
  type ApiObject,
  createController,
  createInformer,
  type Informer,
  ignoreNotFound,
  type KubeClient,
  RESOURCES,
} from '@kind-e2e/kube-client';
import type { ControllerContext } from '../context.ts';
import { discoverResources, type ServedResource } from '../discovery/served-resources.ts';
import type { WatchedName } from '../informers.ts';
import { groupOf } from '../ownership/owner-references.ts';
import { FOREGROUND, type GraphNode, graphNodeOf, ORPHAN, OwnerGraph } from './graph.ts';

/** Events name their object but are not owned by it, and there are many (garbagecollector.DefaultIgnoredResources). */
const IGNORED: ReadonlySet<string> = new Set([
  '/events',
  'events.k8s.io/events',
  'metrics.k8s.io/pods',
  'metrics.k8s.io/nodes',
]);

/** How often the list of resources is read anew when no definition changed. */
const REDISCOVER_MS = 60_000;
const REDISCOVER_SOON_MS = 300;

interface Monitor {
  readonly resource: ServedResource;
  readonly informer: Informer<ApiObject>;
  readonly dispose: () => Promise<void>;
}

/**
 * Deletes what lost its owners, and carries out foreground and orphaning deletions (upstream pkg/controller/
 * garbagecollector). Watches the metadata of every resource that can be listed, watched and deleted, those of custom
 * resource definitions included.
 */
export function startGarbageCollector(context: ControllerContext): AsyncDisposable {
  return new GarbageCollector(context);
}

class GarbageCollector implements AsyncDisposable {
  readonly #context: ControllerContext;
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #graph = new OwnerGraph();
  readonly #monitors = new Map<string, Monitor>();
  readonly #disposer = new Disposer();
  readonly #abort = new AbortController();
  readonly #enqueue: (uid: string) => void;
  readonly #loop: Promise<void>;
  #rediscover: () => void = () => {};

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = context.client;
    this.#clock = context.clock;
    this.#logger = context.logger.child({ controller: 'garbage-collector' });
    const ready = Promise.withResolvers<void>();
    const controller = this.#disposer.use(
      createController({
        name: 'garbage-collector',
        clock: this.#clock,
        logger: context.logger,
        concurrency: 10,
        sources: [],
        reads: [{ synced: ready.promise }],
        reconcile: async ({ key, signal }) => {
          await this.#process(key, signal);
          return undefined;
        },
      }),
    );
    this.#enqueue = (uid) => controller.enqueue(uid);
    const definitions = this.#disposer.use(
      createInformer<ApiObject>({
        client: this.#client,
        resource: RESOURCES.customresourcedefinitions,
        metadataOnly: true,
        logger: context.logger,
        clock: this.#clock,
      }),
    );
    const soon = (): void => this.#rediscover();
    definitions.addHandler({ added: soon, updated: soon, deleted: soon });
    this.#loop = this.#run(ready.resolve);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('the garbage collector was disposed'));
    await this.#disposer[Symbol.asyncDispose]();
    await this.#loop;
    await Promise.all([...this.#monitors.values()].map((monitor) => monitor.dispose()));
  }

  /** Keeps a monitor on each resource; the first time, work starts when all have synced. */
  async #run(onReady: () => void): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#syncMonitors(signal);
        await Promise.all([...this.#monitors.values()].map(({ informer }) => informer.synced));
        onReady();
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.debug('discovery failed, will be tried again', { error: messageOf(error) });
      }
      const wake = new AbortController();
      this.#rediscover = () => wake.abort();
      const hurried = AbortSignal.any([signal, wake.signal]);
      await this.#clock.sleep(REDISCOVER_MS, hurried).catch(() => {});
      // Definitions come in bunches, and need a moment to be served.
      await this.#clock.sleep(REDISCOVER_SOON_MS, signal).catch(() => {});
    }
  }

  async #syncMonitors(signal: AbortSignal): Promise<void> {
    const { resources, failures } = await discoverResources(this.#client, signal);
    const wanted = new Map<string, ServedResource>();
    for (const resource of resources) {
      const identity = `${resource.group}/${resource.resource}`;
      const isWatchable = ['list', 'watch', 'delete'].every((verb) => resource.verbs.includes(verb));
      if (isWatchable && !IGNORED.has(identity)) wanted.set(`${identity}/${resource.version}`, resource);
    }
    for (const [key, resource] of wanted)
      if (!this.#monitors.has(key)) this.#monitors.set(key, this.#monitor(resource));
    for (const [key, monitor] of this.#monitors) {
      const { group, version } = monitor.resource;
      if (wanted.has(key) || failures.has(group === '' ? version : `${group}/${version}`)) continue;
      this.#monitors.delete(key);
      await monitor.dispose();
      for (const object of monitor.informer.list()) this.#removed(object.metadata?.uid ?? '');
    }
  }

  #monitor(resource: ServedResource): Monitor {
    const shared = this.#sharedInformer(resource);
    const informer =
      shared ??
      createInformer<ApiObject>({
        client: this.#client,
        resource,
        metadataOnly: true,
        logger: this.#logger,
        clock: this.#clock,
        transform: leanMetadata,
      });
    const handle = informer.addHandler({
      added: (object) => this.#seen(graphNodeOf(object, resource)),
      updated: (_, object) => this.#seen(graphNodeOf(object, resource)),
      deleted: (object) => this.#removed(object.metadata?.uid ?? ''),
    });
    return {
      resource,
      informer,
      dispose: async () => {
        handle[Symbol.dispose]();
        if (!shared) await informer[Symbol.asyncDispose]();
      },
    };
  }

  /** The controllers' own informer of the resource, so that it is not watched twice. */
  #sharedInformer({ group, version, resource }: ServedResource): Informer<ApiObject> | undefined {
    const name = SHARED.find((candidate) => {
      const known = RESOURCES[candidate];
      return known.group === group && known.version === version && known.resource === resource;
    });
    return name === undefined ? undefined : (this.#context.informers.of(name) as unknown as Informer<ApiObject>);
  }

  #seen(node: GraphNode): void {
    const before = this.#graph.set(node);
    const hasLostOwner = node.owners.some((owner) => !this.#graph.get(owner.uid));
    const isNewlyDeleting = node.isDeleting && !before?.isDeleting;
    if (hasLostOwner || node.isForeground || node.isOrphaning) this.#enqueue(node.uid);
    if (node.isForeground && (isNewlyDeleting || !before?.isForeground))
      for (const dependent of this.#graph.dependentsOf(node.uid)) this.#enqueue(dependent.uid);
    // An owner that waits may go on when this one does not block it any more, or goes itself.
    for (const owner of before?.owners ?? []) if (this.#graph.get(owner.uid)?.isForeground) this.#enqueue(owner.uid);
    for (const owner of node.owners) if (this.#graph.get(owner.uid)?.isForeground) this.#enqueue(node.uid);
  }

  #removed(uid: string): void {
    const node = this.#graph.delete(uid);
    for (const dependent of this.#graph.dependentsOf(uid)) this.#enqueue(dependent.uid);
    for (const owner of node?.owners ?? []) if (this.#graph.get(owner.uid)?.isForeground) this.#enqueue(owner.uid);
  }

  async #process(uid: string, signal: AbortSignal): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node) return;
    if (node.isOrphaning) await this.#orphanDependents(node, signal);
    else if (node.isForeground) await this.#finishForeground(node, signal);
    else if (!node.isDeleting && node.owners.length > 0) await this.#collect(node, signal);
  }

  async #orphanDependents(node: GraphNode, signal: AbortSignal): Promise<void> {
    for (const dependent of this.#graph.dependentsOf(node.uid))
      await this.#changeMetadata(dependent, signal, (metadata) => ({
        ownerReferences: (metadata.ownerReferences ?? []).filter((owner) => owner.uid !== node.uid),
      }));
    await this.#removeFinalizer(node, ORPHAN, signal);
  }

  async #finishForeground(node: GraphNode, signal: AbortSignal): Promise<void> {
    const blocking = this.#graph.blockingDependentsOf(node.uid);
    if (blocking.length === 0) await this.#removeFinalizer(node, FOREGROUND, signal);
    else for (const dependent of blocking) if (!dependent.isDeleting) this.#enqueue(dependent.uid);
  }

  /** Deletes an object none of whose owners is left, or whose owners wait for it (attemptToDeleteItem). */
  async #collect(node: GraphNode, signal: AbortSignal): Promise<void> {
    const live = await this.#live(node, signal);
    if (!live || live.metadata?.uid !== node.uid) {
      this.#removed(node.uid);
      return;
    }
    const { ownerReferences = [], finalizers = [], resourceVersion } = live.metadata;
    if (ownerReferences.length === 0 || live.metadata.deletionTimestamp !== undefined) return;
    const solid: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const owner of ownerReferences) {
      const state = await this.#ownerState(owner, node, signal);
      if (state === 'solid') solid.push(owner);
      if (state === 'waiting') waiting.push(owner);
    }
    if (solid.length === ownerReferences.length) return;
    if (solid.length > 0) {
      const keep = new Set(solid.map((owner) => owner.uid));
      await this.#changeMetadata(node, signal, (metadata) => ({
        ownerReferences: (metadata.ownerReferences ?? []).filter((owner) => keep.has(owner.uid)),
      }));
      return;
    }
    const isForegroundChain = waiting.length > 0 && this.#graph.dependentsOf(node.uid).length > 0;
    const propagationPolicy =
      isForegroundChain || finalizers.includes(FOREGROUND)
        ? 'Foreground'
        : finalizers.includes(ORPHAN)
          ? 'Orphan'
          : 'Background';
    try {
      await this.#client.delete(node.resource, target(node), {
        propagationPolicy,
        preconditions: { uid: node.uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
        signal,
      });
    } catch (error) {
      if (!isStatusError(error, 404)) throw error;
    }
  }

  async #ownerState(
    owner: OwnerReference,
    dependent: GraphNode,
    signal: AbortSignal,
  ): Promise<'solid' | 'dangling' | 'waiting'> {
    const known = this.#graph.get(owner.uid);
    if (known) return known.isForeground ? 'waiting' : 'solid';
    const resource = [...this.#monitors.values()]
      .map((monitor) => monitor.resource)
      .find(({ group, kind }) => kind === owner.kind && group === groupOf(owner.apiVersion));
    if (!resource) throw new Error(`unable to get REST mapping for ${owner.apiVersion}/${owner.kind}.`);
    const namespace = resource.namespaced ? dependent.namespace : undefined;
    const live = await ignoreNotFound(this.#client.get<ApiObject>(resource, owner.name, namespace, signal));
    if (live?.metadata?.uid !== owner.uid) return 'dangling';
    const { deletionTimestamp, finalizers = [] } = live.metadata;
    return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND) ? 'waiting' : 'solid';
  }

  async #live(node: GraphNode, signal: AbortSignal): Promise<ApiObject | undefined> {
    return await ignoreNotFound(this.#client.get<ApiObject>(node.resource, node.name, node.namespace, signal));
  }

  async #removeFinalizer(node: GraphNode, finalizer: string, signal: AbortSignal): Promise<void> {
    await this.#changeMetadata(node, signal, (metadata) => ({
      finalizers: (metadata.finalizers ?? []).filter((name) => name !== finalizer),
    }));
  }

  /** Reads, changes and writes metadata against the version that was read; nothing where the object is gone. */
  async #changeMetadata(
    node: GraphNode,
    signal: AbortSignal,
    change: (metadata: NonNullable<ApiObject['metadata']>) => NonNullable<ApiObject['metadata']>,
  ): Promise<void> {
    const live = await this.#live(node, signal);
    if (live?.metadata?.uid !== node.uid) return;
    const metadata = { ...change(live.metadata), resourceVersion: live.metadata.resourceVersion, uid: node.uid };
    await ignoreNotFound(this.#client.patch(node.resource, target(node), 'merge', { metadata }, { signal }));
  }
}

function target(node: GraphNode): { readonly name: string; readonly namespace?: string } {
  return { name: node.name, ...(node.namespace ? { namespace: node.namespace } : {}) };
}

function leanMetadata(object: ApiObject): ApiObject {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } =
    object.metadata ?? {};
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      ...(ownerReferences ? { ownerReferences } : {}),
      ...(finalizers ? { finalizers } : {}),
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
    },
  };
}

/** Resources that other controllers watch in full anyway. */
const SHARED: readonly WatchedName[] = [
  'controllerrevisions',
  'cronjobs',
  'daemonsets',
  'deployments',
  'endpoints',
  'endpointslices',
  'horizontalpodautoscalers',
  'jobs',
  'leases',
  'namespaces',
  'nodes',
  'persistentvolumeclaims',
  'persistentvolumes',
  'poddisruptionbudgets',
  'pods',
  'replicasets',
  'replicationcontrollers',
  'resourcequotas',
  'serviceaccounts',
  'services',
  'statefulsets',
  'storageclasses',
];
