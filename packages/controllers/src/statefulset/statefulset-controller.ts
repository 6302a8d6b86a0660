import { createController, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type { StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../equality.ts';
import { claimObjects } from '../ownership/claim.ts';
import { controllerOf, keysOfController } from '../ownership/owner-references.ts';
import { selects } from '../ownership/selectors.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { availableInMs } from '../pods/pod-state.ts';
import { revisionsOf, syncRevision, truncateRevisions } from '../revisions/controller-revisions.ts';
import { statefulStatus, stepStatefulSet } from './stateful-control.ts';
import { ordinalOf, revisionNameOf, STATEFULSET_KIND } from './stateful-pods.ts';

/** Keeps the pods of StatefulSets, each with its name and storage (upstream pkg/controller/statefulset). */
export function startStatefulSetController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const sets = informers.of('statefulsets');
  const pods = informers.of('pods');
  const claims = informers.of('persistentvolumeclaims');
  const revisions = informers.of('controllerrevisions');
  const recorder = context.recorder('statefulset-controller');

  const keysOfPod = (pod: Pod): readonly string[] => {
    if (controllerOf(pod)) return keysOfController(pod, STATEFULSET_KIND);
    return sets
      .list(pod.metadata?.namespace)
      .filter((set) => selects(set.spec?.selector, pod.metadata?.labels))
      .map(keyOf);
  };

  return createController({
    name: 'statefulset-controller',
    clock,
    logger: context.logger,
    concurrency: 5,
    sources: [source(sets, (set) => [keyOf(set)]), source(pods, keysOfPod)],
    reads: [claims, revisions],
    reconcile: async ({ namespace, name, signal }) => {
      const set = sets.get(name, namespace);
      if (!set) return undefined;
      const own = await claimObjects<Pod>({
        client,
        owner: set,
        ownerKind: STATEFULSET_KIND,
        ownerResource: RESOURCES.statefulsets,
        resource: RESOURCES.pods,
        candidates: [...pods.byIndex('controller', set.metadata?.uid ?? ''), ...pods.byIndex('orphan', namespace)],
        matches: (pod) => selects(set.spec?.selector, pod.metadata?.labels) && ordinalOf(set, pod) >= 0,
        signal,
      });
      const { collisionCount } = set.status ?? {};
      const synced = await syncRevision({
        client,
        informer: revisions,
        owner: set,
        ownerKind: STATEFULSET_KIND,
        template: set.spec?.template ?? {},
        signal,
        ...(collisionCount === undefined ? {} : { collisionCount }),
      });
      const update = synced.revision;
      const current =
        revisionsOf({ informer: revisions, owner: set }).find(
          (revision) => revision.metadata?.name === set.status?.currentRevision,
        ) ?? update;
      const nowMs = clock.now();
      const claim = (claimName: string): ReturnType<typeof claims.get> => claims.get(claimName, namespace);
      const pass = { client, recorder, set, pods: own, current, update, claim, nowMs, signal };
      let failure: unknown;
      if (set.metadata?.deletionTimestamp === undefined) {
        try {
          await stepStatefulSet(pass);
        } catch (error) {
          failure = isNamespaceTerminating(error) ? undefined : error;
        }
      }
      const status = statefulStatus(pass, synced.collisionCount ?? collisionCount);
      if (!isSameJson(status, set.status))
        await client.update<StatefulSet>(RESOURCES.statefulsets, { ...set, status }, { subresource: 'status', signal });
      if (failure !== undefined) throw failure;
      const inUse = new Set([update.metadata?.name ?? '', current.metadata?.name ?? '', ...own.map(revisionNameOf)]);
      await truncateRevisions(
        { client, informer: revisions, owner: set, signal },
        inUse,
        set.spec?.revisionHistoryLimit ?? 10,
      );
      const waits = own.flatMap((pod) => availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) ?? []);
      return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) + 1 } : undefined;
    },
  });
}
