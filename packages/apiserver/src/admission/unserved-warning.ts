import { isRecord } from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import type { AdmissionPlugin } from './admission-chain.ts';

const MUTATING_POLICIES = 'admissionregistration.k8s.io/mutatingadmissionpolicies';
const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';

/** Mutating policies and conversion webhooks are kept, since charts bring them, but not called: who makes one is told so. */
export const unservedWarning: AdmissionPlugin = {
  name: 'UnservedWarning',
  validate({ resource, operation, subresource, object, warnings }) {
    if (operation === 'DELETE' || subresource !== '') return;
    if (resource.collection === MUTATING_POLICIES)
      warnings.push(`kind-e2e stores ${resource.definition.kind} objects but does not apply them`);
    const { conversion } = sectionOf(object, 'spec');
    if (resource.collection === CRDS && isRecord(conversion) && conversion.strategy === 'Webhook')
      warnings.push('kind-e2e does not call conversion webhooks: versions differ in nothing but their name');
  },
};
