import type { Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';

export type FailureVerdict =
  | { readonly action: 'Count' }
  | { readonly action: 'Ignore' }
  | { readonly action: 'FailIndex' }
  | { readonly action: 'FailJob'; readonly message: string };

/** What `spec.podFailurePolicy` says of a failed pod: the first rule that matches (pod_failure_policy.go). */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const match = matchRule(rule, pod);
    if (match === undefined) continue;
    switch (rule.action) {
      case 'Ignore':
        return { action: 'Ignore' };
      case 'FailIndex':
        return { action: 'FailIndex' };
      case 'Count':
        return { action: 'Count' };
      case 'FailJob':
        return { action: 'FailJob', message: `${match} matching FailJob rule at index ${index}` };
    }
  }
  return { action: 'Count' };
}

type Rule = NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>['rules'][number];

function matchRule(rule: Rule, pod: Pod): string | undefined {
  const name = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
  if (rule.onExitCodes) {
    const { containerName, operator, values } = rule.onExitCodes;
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    for (const status of statuses) {
      const code = status.state?.terminated?.exitCode ?? 0;
      if (code === 0 || (containerName && containerName !== status.name)) continue;
      if (values.includes(code) === (operator === 'In'))
        return `Container ${status.name} for pod ${name} failed with exit code ${code}`;
    }
    return undefined;
  }
  for (const pattern of rule.onPodConditions ?? [])
    for (const condition of pod.status?.conditions ?? [])
      if (condition.type === pattern.type && condition.status === (pattern.status || 'True'))
        return `Pod ${name} has condition ${condition.type}`;
  return undefined;
}
