import type { AdmissionPlugin } from './admission-chain.ts';

const WEBHOOKS: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingwebhookconfigurations',
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
]);

/** Webhooks and mutating policies are kept, since charts bring them, but not called: who makes one is told so. */
export const webhookWarning: AdmissionPlugin = {
  name: 'WebhookWarning',
  validate({ resource, operation, warnings }) {
    if (operation === 'DELETE' || !WEBHOOKS.has(resource.collection)) return;
    warnings.push(`kind-e2e stores ${resource.definition.kind} objects but does not call them`);
  },
};
