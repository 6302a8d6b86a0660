import { RESOURCES } from '@kind-e2e/kube-client';
import type { ControllerContext } from '../context.ts';
import { controllerOf } from '../ownership/owner-references.ts';
import { selects } from '../ownership/selectors.ts';
import { startReplicaController } from '../replicas/replica-controller.ts';

/** Keeps the pods of ReplicaSets (upstream pkg/controller/replicaset). */
export function startReplicaSetController(context: ControllerContext): AsyncDisposable {
  const replicaSets = context.informers.of('replicasets');
  const pods = context.informers.of('pods');
  return startReplicaController(context, {
    name: 'replicaset-controller',
    owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
    resource: RESOURCES.replicasets,
    informer: replicaSets,
    replicas: (owner) => owner.spec?.replicas ?? 1,
    minReadySeconds: (owner) => owner.spec?.minReadySeconds ?? 0,
    template: (owner) => owner.spec?.template ?? {},
    matches: (owner, labels) => selects(owner.spec?.selector, labels),
    status: (owner) => owner.status ?? {},
    withTerminating: true,
    relatedPods: (owner, own) => {
      const parent = controllerOf(owner);
      if (!parent) return own;
      return replicaSets
        .byIndex('controller', parent.uid)
        .flatMap((sibling) => pods.byIndex('controller', sibling.metadata?.uid ?? ''));
    },
  });
}
