import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useTime, useTimeKey } from '../app/TimeProvider.tsx';
import { stepFor } from '../time/range.ts';
import { type KubeObject, listObjects, RESOURCES, type Resource } from './kubernetes.ts';
import { type QueryResult, queryInstant, queryRange } from './prometheus.ts';

/** An instant query at the end of the page's time range; the last answer stays while the next one comes. */
export function useInstant(query: string, options: { enabled?: boolean } = {}): UseQueryResult<QueryResult> {
  const { range } = useTime();
  return useQuery({
    queryKey: ['prometheus', 'instant', query, ...useTimeKey()],
    queryFn: ({ signal }) => queryInstant(query, range.to, signal),
    placeholderData: keepPreviousData,
    enabled: (options.enabled ?? true) && query.trim() !== '',
  });
}

export function useRange(
  query: string,
  points = 240,
  options: { enabled?: boolean; minStep?: number } = {},
): UseQueryResult<QueryResult> & { stepSeconds: number } {
  const { range } = useTime();
  const stepSeconds = stepFor(range, points, options.minStep ?? 5);
  const result = useQuery({
    queryKey: ['prometheus', 'range', query, stepSeconds, ...useTimeKey()],
    queryFn: ({ signal }) => queryRange(query, { ...range, stepSeconds }, signal),
    placeholderData: keepPreviousData,
    enabled: (options.enabled ?? true) && query.trim() !== '',
  });
  return { ...result, stepSeconds };
}

/** Objects of a kind, read again at each refresh of the page. */
export function useObjects(
  kind: Resource,
  options: {
    namespace?: string | undefined;
    labels?: string | undefined;
    fields?: string | undefined;
    enabled?: boolean;
  } = {},
): UseQueryResult<KubeObject[]> {
  const { now } = useTime();
  return useQuery({
    queryKey: [
      'kube',
      kind.group,
      kind.plural,
      options.namespace ?? '',
      options.labels ?? '',
      options.fields ?? '',
      now,
    ],
    queryFn: async ({ signal }) =>
      (
        await listObjects(kind, {
          namespace: options.namespace,
          labels: options.labels,
          fields: options.fields,
          signal,
        })
      ).items,
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
  });
}

export const usePods = (namespace?: string): UseQueryResult<KubeObject[]> => useObjects(RESOURCES.pods, { namespace });
