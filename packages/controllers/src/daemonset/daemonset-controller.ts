import { Disposer } from '@kind-e2e/base';
import { scaledValue } from '@kind-e2e/kube-api';
import { createController, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { ControllerRevision, DaemonSet, DaemonSetStatus } from 'kubernetes-types/apps/v1.d.ts';
import type { Node, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { claimObjects } from '../ownership/claim.ts';
import { controllerOf, keysOfController } from '../ownership/owner-references.ts';
import { isEmptySelector, selects } from '../ownership/selectors.ts';
import { PodExpectations } from '../pods/expectations.ts';
import { createPod, deletePod, isNamespaceTerminating, slowStartBatch } from '../pods/pod-control.ts';
import { availableInMs, isPodAvailable, isPodReady } from '../pods/pod-state.ts';
import {
  CONTROLLER_REVISION_HASH,
  REVISION_HASH,
  syncRevision,
  truncateRevisions,
} from '../revisions/controller-revisions.ts';
import { DAEMONSET_KIND, daemonPod, nodeFits, nodeNameOf } from './daemon-pods.ts';

const BURST = 250;

interface DaemonPass {
  readonly set: DaemonSet;
  readonly key: string;
  readonly hash: string;
  readonly nodes: readonly Node[];
  readonly byNode: ReadonlyMap<string, readonly Pod[]>;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Keeps one pod of each DaemonSet on each fitting node (upstream pkg/controller/daemon). */
export function startDaemonSetController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const sets = informers.of('daemonsets');
  const pods = informers.of('pods');
  const nodes = informers.of('nodes');
  const revisions = informers.of('controllerrevisions');
  const recorder = context.recorder('daemonset-controller');
  const disposer = new Disposer();
  const expectations = disposer.use(new PodExpectations(pods, clock, (key) => controller.enqueue(key)));
  const isNew = (pass: DaemonPass, pod: Pod): boolean => pod.metadata?.labels?.[CONTROLLER_REVISION_HASH] === pass.hash;

  async function apply(pass: DaemonPass, create: readonly string[], remove: readonly Pod[]): Promise<void> {
    const { set, key, hash, signal } = pass;
    const writer = { client, recorder, signal };
    const made = await slowStartBatch(Math.min(create.length, BURST), async (index) => {
      const pod = daemonPod(set, create[index] ?? '', hash);
      expectations.created(key, await createPod(writer, pod, set));
    });
    const gone = await Promise.allSettled(
      remove.slice(0, BURST).map(async (pod) => {
        await deletePod(writer, pod, set);
        expectations.deleted(key, pod);
      }),
    );
    const failure = made.error ?? gone.find((result) => result.status === 'rejected')?.reason;
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
  }

  /** Which nodes lack a pod, and which pods are too many (daemon_controller.go podsShouldBeOnNode). */
  function plan(pass: DaemonPass): { create: string[]; remove: Pod[] } {
    const { set, byNode } = pass;
    const create: string[] = [];
    const remove: Pod[] = [];
    const maySurge = surgeOf(set, pass.nodes.length) > 0;
    const known = new Set<string>();
    for (const node of pass.nodes) {
      const name = node.metadata?.name ?? '';
      known.add(name);
      const { shouldRun, mayStay } = nodeFits(set, node);
      const here = byNode.get(name) ?? [];
      if (shouldRun && here.length === 0) create.push(name);
      else if (mayStay) {
        const alive: Pod[] = [];
        for (const pod of here) {
          if (pod.metadata?.deletionTimestamp) continue;
          if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
            const verb = pod.status.phase === 'Failed' ? 'failed' : 'succeeded';
            const reason = pod.status.phase === 'Failed' ? 'FailedDaemonPod' : 'SucceededDaemonPod';
            recorder.event(
              set,
              pod.status.phase === 'Failed' ? 'Warning' : 'Normal',
              reason,
              `Found ${verb} daemon pod ${pod.metadata?.namespace}/${pod.metadata?.name} on node ${name}, will try to ${pod.status.phase === 'Failed' ? 'kill' : 'delete'} it`,
            );
            remove.push(pod);
          } else alive.push(pod);
        }
        // While surging a node may have its old pod beside the new one.
        const oldest = alive.toSorted((a, b) => createdAt(a) - createdAt(b));
        const old = oldest.filter((pod) => !isNew(pass, pod));
        const young = oldest.filter((pod) => isNew(pass, pod));
        if (maySurge) remove.push(...old.slice(1), ...young.slice(1));
        else remove.push(...oldest.slice(1));
      } else remove.push(...here.filter((pod) => !pod.metadata?.deletionTimestamp));
    }
    for (const [name, here] of byNode)
      if (!known.has(name)) remove.push(...here.filter((pod) => !pod.metadata?.deletionTimestamp));
    return { create, remove };
  }

  /** Which old pods make room for new ones (update.go rollingUpdate). */
  function planUpdate(pass: DaemonPass): { create: string[]; remove: Pod[] } {
    const { set, byNode, nowMs } = pass;
    const desired = pass.nodes.filter((node) => nodeFits(set, node).shouldRun).map((node) => node.metadata?.name ?? '');
    const rolling = set.spec?.updateStrategy?.rollingUpdate;
    const most = scaledValue(rolling?.maxUnavailable ?? 1, desired.length, true) ?? 1;
    const surge = surgeOf(set, desired.length);
    const isAvailable = (pod: Pod): boolean => isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
    const create: string[] = [];
    const remove: Pod[] = [];
    const candidates: Pod[] = [];
    let unavailable = 0;
    let surging = 0;
    for (const name of desired) {
      const here = (byNode.get(name) ?? []).filter((pod) => !pod.metadata?.deletionTimestamp);
      const young = here.find((pod) => isNew(pass, pod));
      const old = here.find((pod) => !isNew(pass, pod));
      if (surge > 0) {
        if (young && old) {
          if (isAvailable(young)) remove.push(old);
          else surging++;
        } else if (old && !young) {
          if (isAvailable(old)) candidates.push(old);
          else create.push(name);
        }
        continue;
      }
      if (young) {
        if (!isAvailable(young)) unavailable++;
      } else if (!old) unavailable++;
      else if (!isAvailable(old)) {
        unavailable++;
        remove.push(old);
      } else candidates.push(old);
    }
    if (surge > 0) {
      const room = Math.max(0, surge - surging - create.length);
      create.push(...candidates.slice(0, room).map(nodeNameOf));
    } else remove.push(...candidates.slice(0, Math.max(0, most - unavailable)));
    return { create, remove };
  }

  function statusOf(pass: DaemonPass, collisionCount: number | undefined): DaemonSetStatus {
    const { set, nodes: all, byNode, nowMs } = pass;
    let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0];
    for (const node of all) {
      const { shouldRun } = nodeFits(set, node);
      const here = (byNode.get(node.metadata?.name ?? '') ?? []).toSorted((a, b) => createdAt(a) - createdAt(b));
      if (!shouldRun) {
        if (here.length > 0) misscheduled++;
        continue;
      }
      desired++;
      if (here.length === 0) continue;
      current++;
      // The oldest ready one speaks for the node.
      const pod = here.find((candidate) => isPodReady(candidate)) ?? here[0];
      if (!pod) continue;
      if (isPodReady(pod)) {
        ready++;
        if (isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)) available++;
      }
      if (here.some((candidate) => isNew(pass, candidate))) updated++;
    }
    return {
      currentNumberScheduled: current,
      numberMisscheduled: misscheduled,
      desiredNumberScheduled: desired,
      numberReady: ready,
      observedGeneration: set.metadata?.generation ?? 0,
      updatedNumberScheduled: updated,
      numberAvailable: available,
      numberUnavailable: desired - available,
      ...(collisionCount === undefined ? {} : { collisionCount }),
      ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
    };
  }

  const keysOfPod = (pod: Pod): readonly string[] => {
    if (controllerOf(pod)) return keysOfController(pod, DAEMONSET_KIND);
    return sets
      .list(pod.metadata?.namespace)
      .filter((set) => selects(set.spec?.selector, pod.metadata?.labels))
      .map(keyOf);
  };

  async function reconcile(set: DaemonSet, key: string, signal: AbortSignal): Promise<number | undefined> {
    const { namespace = '' } = set.metadata ?? {};
    const own = await claimObjects<Pod>({
      client,
      owner: set,
      ownerKind: DAEMONSET_KIND,
      ownerResource: RESOURCES.daemonsets,
      resource: RESOURCES.pods,
      candidates: [...pods.byIndex('controller', set.metadata?.uid ?? ''), ...pods.byIndex('orphan', namespace)],
      matches: (pod) => selects(set.spec?.selector, pod.metadata?.labels),
      signal,
    });
    const { collisionCount } = set.status ?? {};
    const synced = await syncRevision({
      client,
      informer: revisions,
      owner: set,
      ownerKind: DAEMONSET_KIND,
      template: set.spec?.template ?? {},
      signal,
      ...(collisionCount === undefined ? {} : { collisionCount }),
    });
    const pass: DaemonPass = {
      set,
      key,
      hash: hashOfRevision(synced.revision),
      nodes: nodes.list(),
      byNode: Map.groupBy(own, nodeNameOf),
      nowMs: clock.now(),
      signal,
    };
    if (set.metadata?.deletionTimestamp === undefined && expectations.areMet(key)) {
      const needed = plan(pass);
      await apply(pass, needed.create, needed.remove);
      const isRolling = (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
      if (isRolling && expectations.areMet(key)) {
        const next = planUpdate(pass);
        await apply(pass, next.create, next.remove);
      }
    }
    const status = statusOf(pass, synced.collisionCount ?? collisionCount);
    if (!isSameJson(status, set.status))
      await client.update<DaemonSet>(RESOURCES.daemonsets, { ...set, status }, { subresource: 'status', signal });
    const inUse = new Set([
      synced.revision.metadata?.name ?? '',
      ...own.map((pod) => `${set.metadata?.name}-${pod.metadata?.labels?.[CONTROLLER_REVISION_HASH]}`),
    ]);
    await truncateRevisions(
      { client, informer: revisions, owner: set, signal },
      inUse,
      set.spec?.revisionHistoryLimit ?? 10,
    );
    const waits = own.flatMap((pod) => availableInMs(pod, set.spec?.minReadySeconds ?? 0, pass.nowMs) ?? []);
    return waits.length > 0 ? Math.min(...waits) + 1 : undefined;
  }

  const controller = createController({
    name: 'daemonset-controller',
    clock,
    logger: context.logger,
    concurrency: 2,
    sources: [
      source(sets, (set) => [keyOf(set)]),
      source(pods, keysOfPod),
      {
        informer: nodes,
        attach: (add) => {
          const all = (): void => {
            for (const set of sets.list()) add(keyOf(set));
          };
          return nodes.addHandler({
            added: all,
            updated: (before, after) => {
              const isSame =
                isSameJson(before.metadata?.labels, after.metadata?.labels) &&
                isSameJson(before.spec?.taints, after.spec?.taints);
              if (!isSame) all();
            },
            deleted: all,
          });
        },
      },
    ],
    reads: [revisions],
    reconcile: async ({ namespace, name, key, signal }) => {
      const set = sets.get(name, namespace);
      if (!set) {
        expectations.forget(key);
        return undefined;
      }
      if (isEmptySelector(set.spec?.selector)) {
        const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
        recorder.event(set, 'Warning', 'SelectingAll', message);
        return undefined;
      }
      const requeueAfterMs = await reconcile(set, key, signal);
      return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
    },
  });
  disposer.use(controller);
  return disposer;
}

function createdAt(pod: Pod): number {
  return Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
}

function hashOfRevision(revision: ControllerRevision): string {
  return revision.metadata?.labels?.[REVISION_HASH] ?? '';
}

function surgeOf(set: DaemonSet, desired: number): number {
  return scaledValue(set.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0, desired, true) ?? 0;
}
