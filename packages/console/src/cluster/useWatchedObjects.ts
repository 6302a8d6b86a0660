import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { type KubeObject, listObjects, type Resource, watchObjects } from '../api/kubernetes.ts';
import { clock } from '../time/clock.ts';

interface Listing {
  items: KubeObject[];
  resourceVersion: string;
}

const RETRY_MS = 2000;
const keyOf = (item: KubeObject): string => `${item.metadata.namespace ?? ''}/${item.metadata.name}`;

/** A list that a watch keeps up to date. When the watch ends it is listed anew; no polling. */
export function useWatchedObjects(kind: Resource, namespace?: string): UseQueryResult<Listing> {
  const client = useQueryClient();
  const queryKey = ['watched', kind.group, kind.plural, namespace ?? ''];
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => listObjects(kind, { namespace, signal }),
    staleTime: 10_000,
  });
  const isListed = query.isSuccess;
  const version = query.data?.resourceVersion;
  // biome-ignore lint/correctness/useExhaustiveDependencies: one watch for each list; its events change the data, not the version
  useEffect(() => {
    if (!isListed || version === undefined) return undefined;
    const abort = new AbortController();
    let cancel: (() => void) | undefined;
    const follow = async (): Promise<void> => {
      try {
        for await (const event of watchObjects(kind, { namespace, resourceVersion: version, signal: abort.signal })) {
          client.setQueryData<Listing>(queryKey, (old) => {
            if (old === undefined) return old;
            const key = keyOf(event.object);
            const object = { ...event.object, kind: event.object.kind ?? kind.kind };
            const rest = old.items.filter((item) => keyOf(item) !== key);
            return { ...old, items: event.type === 'DELETED' ? rest : [...rest, object] };
          });
        }
      } catch {
        // The list below says what is wrong, when something is.
      }
      if (!abort.signal.aborted) cancel = clock.after(RETRY_MS, () => void client.invalidateQueries({ queryKey }));
    };
    void follow();
    return () => {
      abort.abort();
      cancel?.();
    };
  }, [isListed, version, kind, namespace]);
  return query;
}
