import type { Clock } from '@kind-e2e/base';
import { escalationCheck } from '../auth/escalation.ts';
import type { AdmissionMutator, AdmissionValidator } from '../options.ts';
import { AdmissionChain } from './admission-chain.ts';
import { certificateRequests } from './certificate-requests.ts';
import { defaultClasses } from './default-classes.ts';
import { defaultTolerations } from './default-tolerations.ts';
import { givenMutators, givenValidators } from './given-plugins.ts';
import { inUseProtection } from './in-use-protection.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { podSecurity } from './pod-security/pod-security.ts';
import { mutatingPolicies } from './policies/mutating-policies.ts';
import { validatingPolicies } from './policies/validating-policies.ts';
import { priorityAdmission } from './priority.ts';
import { resourceQuota } from './resource-quota.ts';
import { serviceAccountAdmission } from './service-account.ts';
import { unservedWarning } from './unserved-warning.ts';
import type { WebhookContext } from './webhooks/ask-webhook.ts';
import { mutatingWebhooks } from './webhooks/mutating-webhooks.ts';
import { validatingWebhooks } from './webhooks/validating-webhooks.ts';

/** The plugins in kube-apiserver's order (pkg/kubeapiserver/options/plugins.go). */
export function createAdmissionChain(
  sources: WebhookContext,
  clock: Clock,
  mutators: readonly AdmissionMutator[],
  validators: readonly AdmissionValidator[],
): AdmissionChain {
  const { store, authorizer } = sources;
  return new AdmissionChain([
    namespaceLifecycle(store),
    limitRanger(store),
    serviceAccountAdmission(store),
    priorityAdmission(store),
    defaultTolerations,
    defaultClasses(store),
    inUseProtection,
    certificateRequests(clock),
    givenMutators(store, mutators),
    mutatingPolicies(sources),
    mutatingWebhooks(sources),
    escalationCheck(authorizer),
    podSecurity(store),
    validatingPolicies(sources),
    unservedWarning,
    givenValidators(store, validators),
    validatingWebhooks(sources),
    resourceQuota(store),
  ]);
}
