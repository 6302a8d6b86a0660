import { formatTime } from '@kind-e2e/kube-api';

/** What conditions of all kinds have. */
export interface ConditionLike {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export function findCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The conditions with this one in them. Nothing changes where status and reason are as before; lastTransitionTime
 * changes only with the status (deploymentutil.SetDeploymentCondition and its kin).
 */
export function withCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  condition: C,
  nowMs: number,
): C[] {
  const current = findCondition(conditions, condition.type);
  if (current && current.status === condition.status && current.reason === condition.reason)
    return [...(conditions ?? [])];
  const lastTransitionTime =
    current?.status === condition.status && current.lastTransitionTime !== undefined
      ? current.lastTransitionTime
      : formatTime(nowMs);
  return [...withoutCondition(conditions, condition.type), { ...condition, lastTransitionTime }];
}

export function withoutCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
