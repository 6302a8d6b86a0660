import type { AdmissionMutator, AdmissionRequest, AdmissionValidator } from '../options.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission-chain.ts';

/** The mutators that the server was started with, in the place of mutating webhooks: last of the first round. */
export function givenMutators(store: ObjectStore, mutators: readonly AdmissionMutator[]): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    mutate(attributes) {
      const { operation, subresource, object, resource, reinvocation } = attributes;
      if (operation === 'DELETE' || subresource !== '' || reinvocation.isSecond) return undefined;
      const request = requestOf(store, attributes, operation);
      let current = object;
      for (const mutate of mutators) current = mutate({ ...request, object: current }) ?? current;
      resource.behavior.setDefaults(current);
      return current;
    },
  };
}

/** The validators that the server was started with, in the place of validating webhooks. */
export function givenValidators(store: ObjectStore, validators: readonly AdmissionValidator[]): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(attributes) {
      const { operation, subresource, old } = attributes;
      if (operation === 'DELETE' || validators.length === 0) return;
      const request = { ...requestOf(store, attributes, operation), subresource, old };
      for (const validate of validators) validate(request);
    },
  };
}

function requestOf(
  store: ObjectStore,
  { resource, object, user, dryRun, warnings }: AdmissionAttributes,
  operation: 'CREATE' | 'UPDATE',
): AdmissionRequest {
  const { group, version, plural } = resource.definition;
  const namespace = object.metadata?.namespace ?? '';
  const namespaceObject = namespace === '' ? undefined : store.collection('namespaces').get('', namespace)?.object;
  return {
    resource: { group, version, resource: plural },
    operation,
    namespace,
    ...(namespaceObject ? { namespaceObject } : {}),
    object,
    user,
    dryRun,
    warn: (text) => warnings.push(text),
  };
}
