import { isRecord } from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import type { AdmissionPlugin } from './admission-chain.ts';

const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';

/** Conversion webhooks are kept, since charts bring them, but not called: who makes one is told so. */
export const unservedWarning: AdmissionPlugin = {
  name: 'UnservedWarning',
  validate({ resource, operation, subresource, object, warnings }) {
    if (operation === 'DELETE' || subresource !== '') return;
    const { conversion } = sectionOf(object, 'spec');
    if (resource.collection === CRDS && isRecord(conversion) && conversion.strategy === 'Webhook')
      warnings.push('kind-e2e does not call conversion webhooks: versions differ in nothing but their name');
  },
};
