import { type KubeObject, notFound, statusError } from '@kind-e2e/kube-api';
import { groupResourceOf } from '../operations/object-identity.ts';
import { isVirtual } from '../resources/resource-table.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { forbiddenBy } from './refusal.ts';

const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is made in a namespace that is not there or is going (plugin/namespace/lifecycle). */
export function namespaceLifecycle(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    mutate({ resource, operation, object }) {
      if (resource.collection === 'namespaces' && operation !== 'DELETE') return withNameLabel(object);
      if (operation !== 'CREATE' || !resource.definition.namespaced || isVirtual(resource)) return undefined;
      const namespace = object.metadata?.namespace ?? '';
      const record = store.collection('namespaces').get('', namespace);
      if (!record) throw notFound({ group: '', resource: 'namespaces' }, namespace);
      if (record.object.metadata?.deletionTimestamp !== undefined) throw terminating(object, resource, namespace);
      return undefined;
    },
    validate({ resource, operation, object }) {
      if (operation !== 'DELETE' || resource.collection !== 'namespaces') return;
      if (IMMORTAL.has(object.metadata?.name ?? ''))
        throw forbiddenBy(resource, object, 'this namespace may not be deleted');
    },
  };
}

/** Every namespace can be selected by its name (`SetDefaults_Namespace`). */
function withNameLabel(namespace: KubeObject): KubeObject {
  const name = namespace.metadata?.name ?? '';
  if (name === '') return namespace;
  const labels = { ...namespace.metadata?.labels, 'kubernetes.io/metadata.name': name };
  return { ...namespace, metadata: { ...namespace.metadata, labels } };
}

function terminating(object: KubeObject, resource: Parameters<typeof groupResourceOf>[0], namespace: string): Error {
  const { group, resource: plural } = groupResourceOf(resource);
  const name = object.metadata?.name ?? '';
  const error = forbiddenBy(
    resource,
    object,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  return statusError(403, 'Forbidden', error.message, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind: plural,
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  });
}
