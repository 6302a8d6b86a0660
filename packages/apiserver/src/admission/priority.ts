import type { KubeObject } from '@kind-e2e/kube-api';
import type { ObjectStore } from '../storage/object-store.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission-chain.ts';
import { isPodCreation, type Json, specOf } from './pod-parts.ts';
import { forbiddenBy } from './refusal.ts';

const COLLECTION = 'scheduling.k8s.io/priorityclasses';

/** Turns priorityClassName into the number that the scheduler uses (plugin/priority). */
export function priorityAdmission(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'Priority',
    validate(attributes) {
      if (attributes.resource.collection === COLLECTION) checkSoleDefault(store, attributes);
    },
    mutate(attributes) {
      if (!isPodCreation(attributes)) return undefined;
      const { object: pod, resource } = attributes;
      const spec = specOf(pod);
      let name = typeof spec.priorityClassName === 'string' ? spec.priorityClassName : '';
      let found: KubeObject | undefined;
      if (name === '') {
        found = defaultClass(store);
        name = found?.metadata?.name ?? '';
        if (name !== '') spec.priorityClassName = name;
      } else {
        found = store.collection(COLLECTION).get('', name)?.object;
        if (!found) throw forbiddenBy(resource, pod, `no PriorityClass with name ${name} was found`);
      }
      const { value, preemptionPolicy } = (found ?? {}) as Json;
      const priority = typeof value === 'number' ? value : 0;
      const policy = typeof preemptionPolicy === 'string' ? preemptionPolicy : 'PreemptLowerPriority';
      if (typeof spec.priority === 'number' && spec.priority !== priority)
        throw forbiddenBy(
          resource,
          pod,
          `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
        );
      spec.priority = priority;
      if (typeof spec.preemptionPolicy === 'string' && spec.preemptionPolicy !== policy)
        throw forbiddenBy(
          resource,
          pod,
          `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
        );
      spec.preemptionPolicy = policy;
      return undefined;
    },
  };
}

/** The class that a write makes the default, while another one is that already. */
function checkSoleDefault(store: ObjectStore, { resource, operation, object }: AdmissionAttributes): void {
  if (operation === 'DELETE' || (object as Json).globalDefault !== true) return;
  const name = defaultClass(store)?.metadata?.name;
  if (name !== undefined && (operation === 'CREATE' || name !== object.metadata?.name))
    throw forbiddenBy(
      resource,
      object,
      `PriorityClass ${name} is already marked as default. Only one default can exist`,
    );
}

/** The class with `globalDefault`; the least important of several. */
function defaultClass(store: ObjectStore): KubeObject | undefined {
  let found: KubeObject | undefined;
  for (const record of store.collection(COLLECTION).records()) {
    const object = record.object as Json;
    if (object.globalDefault !== true) continue;
    if (!found || Number(object.value) < Number((found as Json).value)) found = record.object;
  }
  return found;
}
