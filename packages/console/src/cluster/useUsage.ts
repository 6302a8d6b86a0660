import { z } from 'zod';
import { RESOURCES, type ResourceName } from '../api/kubernetes.ts';
import { useObjects } from '../api/queries.ts';
import { parseQuantity } from './read.ts';

export interface Usage {
  cpu: number;
  memory: number;
}

const usage = z.object({ cpu: z.string(), memory: z.string() });
const podMetrics = z.object({ containers: z.array(z.object({ usage })) });
const nodeMetrics = z.object({ usage });

/** CPU (cores) and memory (bytes) by `namespace/name` of pods or name of nodes; empty without a metrics API. */
export function useUsage(kind: ResourceName): ReadonlyMap<string, Usage> {
  const isNode = kind === 'nodes';
  const query = useObjects(isNode ? RESOURCES.nodemetrics : RESOURCES.podmetrics, {
    enabled: isNode || kind === 'pods',
  });
  const found = new Map<string, Usage>();
  for (const item of query.data ?? []) {
    const parts = isNode
      ? [nodeMetrics.safeParse(item).data?.usage]
      : (podMetrics.safeParse(item).data?.containers ?? []).map((container) => container.usage);
    let [cpu, memory] = [0, 0];
    for (const part of parts) {
      cpu += parseQuantity(part?.cpu) ?? 0;
      memory += parseQuantity(part?.memory) ?? 0;
    }
    found.set(isNode ? item.metadata.name : `${item.metadata.namespace}/${item.metadata.name}`, { cpu, memory });
  }
  return found;
}
