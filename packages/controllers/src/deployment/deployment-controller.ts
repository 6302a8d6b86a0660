import { Disposer } from '@kind-e2e/base';
import {
  type ControllerSource,
  createController,
  type Informer,
  keyOf,
  RESOURCES,
  type ReconcileResult,
  source,
} from '@kind-e2e/kube-client';
import type { ReplicaSet } from 'kubernetes-types/apps/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { claimObjects } from '../ownership/claim.ts';
import { controllerOf, keysOfController } from '../ownership/owner-references.ts';
import { isEmptySelector, selects } from '../ownership/selectors.ts';
import { cleanUpHistory } from './history.ts';
import { recreate } from './recreate.ts';
import { findNewReplicaSet } from './replica-sets.ts';
import { rollOut } from './rolling-update.ts';
import { DEPLOYMENT_KIND, Rollout } from './rollout.ts';
import { isScaling, scaleSets } from './scaling.ts';

/** Rolls Deployments out through ReplicaSets (upstream pkg/controller/deployment). */
export function startDeploymentController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const deployments = informers.of('deployments');
  const replicaSets = informers.of('replicasets');
  const pods = informers.of('pods');
  const recorder = context.recorder('deployment-controller');
  const podsOf = (rs: ReplicaSet): readonly Pod[] => pods.byIndex('controller', rs.metadata?.uid ?? '');

  const keysOfSet = (rs: ReplicaSet): readonly string[] => {
    if (controllerOf(rs)) return keysOfController(rs, DEPLOYMENT_KIND);
    return deployments
      .list(rs.metadata?.namespace)
      .filter((deployment) => selects(deployment.spec?.selector, rs.metadata?.labels))
      .map(keyOf);
  };

  /** A Deployment that recreates waits for the last of its old pods to go. */
  const keysOfGonePod = (pod: Pod): readonly string[] => {
    const owner = controllerOf(pod);
    const rs = owner?.kind === 'ReplicaSet' ? replicaSets.get(owner.name, pod.metadata?.namespace) : undefined;
    const [key] = rs ? keysOfController(rs, DEPLOYMENT_KIND) : [];
    if (key === undefined || !rs) return [];
    const deployment = deployments.get(controllerOf(rs)?.name ?? '', pod.metadata?.namespace);
    return deployment?.spec?.strategy?.type === 'Recreate' ? [key] : [];
  };

  const reconcile = async (namespace: string, name: string, signal: AbortSignal): Promise<ReconcileResult> => {
    const deployment = deployments.get(name, namespace);
    if (!deployment) return undefined;
    if (isEmptySelector(deployment.spec?.selector)) {
      const message = 'This deployment is selecting all pods. A non-empty selector is required.';
      recorder.event(deployment, 'Warning', 'SelectingAll', message);
      return undefined;
    }
    const sets = await claimObjects<ReplicaSet>({
      client,
      owner: deployment,
      ownerKind: DEPLOYMENT_KIND,
      ownerResource: RESOURCES.deployments,
      resource: RESOURCES.replicasets,
      candidates: [
        ...replicaSets.byIndex('controller', deployment.metadata?.uid ?? ''),
        ...replicaSets.byIndex('orphan', namespace),
      ],
      matches: (rs) => selects(deployment.spec?.selector, rs.metadata?.labels),
      signal,
    });
    const rollout = new Rollout({ client, clock, recorder, deployment, sets, signal });
    if (deployment.metadata?.deletionTimestamp !== undefined) {
      await rollout.syncStatus(sets, findNewReplicaSet(deployment, sets));
      return undefined;
    }
    await rollout.syncPaused();
    if (deployment.spec?.paused === true || isScaling(deployment, sets)) {
      const found = await rollout.syncSets(false);
      const { newSet, oldSets } = await scaleSets(rollout, found.newSet, found.oldSets);
      if (deployment.spec?.paused === true) await cleanUpHistory(rollout, oldSets);
      await rollout.syncStatus(newSet ? [...oldSets, newSet] : oldSets, newSet);
      return undefined;
    }
    return deployment.spec?.strategy?.type === 'Recreate' ? await recreate(rollout, podsOf) : await rollOut(rollout);
  };

  const disposer = new Disposer();
  disposer.use(
    createController({
      name: 'deployment-controller',
      clock,
      logger: context.logger,
      concurrency: 5,
      sources: [
        source(deployments, (deployment) => [keyOf(deployment)]),
        source(replicaSets, keysOfSet),
        deletions(pods, keysOfGonePod),
      ],
      reconcile: ({ namespace, name, signal }) => reconcile(namespace, name, signal),
    }),
  );
  return disposer;
}

/** Keys of objects that went away, and of no other change. */
function deletions<T extends Pod>(informer: Informer<T>, keys: (object: T) => readonly string[]): ControllerSource {
  return {
    informer,
    attach: (add) =>
      informer.addHandler({
        deleted: (object) => {
          for (const key of keys(object)) add(key);
        },
      }),
  };
}
