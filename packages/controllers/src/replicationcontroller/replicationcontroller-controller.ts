import { RESOURCES } from '@kind-e2e/kube-client';
import type { ControllerContext } from '../context.ts';
import { selectsExactly } from '../ownership/selectors.ts';
import { startReplicaController } from '../replicas/replica-controller.ts';

/** Keeps the pods of ReplicationControllers, as upstream with the code of ReplicaSets. */
export function startReplicationControllerController(context: ControllerContext): AsyncDisposable {
  return startReplicaController(context, {
    name: 'replication-controller',
    owner: { apiVersion: 'v1', kind: 'ReplicationController' },
    resource: RESOURCES.replicationcontrollers,
    informer: context.informers.of('replicationcontrollers'),
    replicas: (owner) => owner.spec?.replicas ?? 1,
    minReadySeconds: (owner) => owner.spec?.minReadySeconds ?? 0,
    template: (owner) => owner.spec?.template ?? {},
    matches: (owner, labels) => selectsExactly(owner.spec?.selector, labels),
    status: (owner) => owner.status ?? {},
    withTerminating: false,
    relatedPods: (_, own) => own,
  });
}
