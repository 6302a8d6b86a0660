/** Why a node cannot take a pod. */
export interface Rejection {
  /** The words of upstream's plugins, as they stand in `FailedScheduling`. */
  readonly reasons: readonly string[];
  /** Whether deleting pods from the node could help (framework.Unschedulable, not …AndUnresolvable). */
  readonly isResolvable: boolean;
}

export function unresolvable(reason: string): Rejection {
  return { reasons: [reason], isResolvable: false };
}

export function resolvable(...reasons: string[]): Rejection {
  return { reasons, isResolvable: true };
}

/**
 * The message of a pod that fits nowhere (framework/types.go FitError): how many nodes for which reason, sorted, and
 * what preemption said.
 */
export function describeFailure(
  nodeCount: number,
  rejections: Iterable<Rejection>,
  preFilterMessage: string | undefined,
  postFilterMessage: string | undefined,
): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const { reasons } of rejections) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  const why = preFilterMessage ?? reasons.join(', ');
  return `0/${nodeCount} nodes are available: ${why}.${postFilterMessage === undefined ? '' : ` ${postFilterMessage}`}`;
}
