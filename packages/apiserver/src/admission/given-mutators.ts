import type { AdmissionMutator } from '../options.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionPlugin } from './admission-chain.ts';

/** The mutators that the server was started with, in the place of mutating webhooks: last of the first round. */
export function givenMutators(store: ObjectStore, mutators: readonly AdmissionMutator[]): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    mutate({ resource, operation, subresource, object, user, dryRun, warnings }) {
      if (operation === 'DELETE' || subresource !== '') return undefined;
      const { group, version, plural } = resource.definition;
      const namespace = object.metadata?.namespace ?? '';
      const namespaceObject = namespace === '' ? undefined : store.collection('namespaces').get('', namespace)?.object;
      let current = object;
      for (const mutate of mutators)
        current =
          mutate({
            resource: { group, version, resource: plural },
            operation,
            namespace,
            ...(namespaceObject ? { namespaceObject } : {}),
            object: current,
            user,
            dryRun,
            warn: (text) => warnings.push(text),
          }) ?? current;
      resource.behavior.setDefaults(current);
      return current;
    },
  };
}
