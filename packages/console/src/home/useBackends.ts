import { useQueries } from '@tanstack/react-query';
import { services } from '../api/jaeger.ts';
import { listObjects, RESOURCES } from '../api/kubernetes.ts';
import { logLabels } from '../api/loki.ts';
import { buildInfo } from '../api/prometheus.ts';
import { useTime } from '../app/TimeProvider.tsx';

export interface Backend {
  name: string;
  what: string;
  to: string;
  state: 'up' | 'down' | 'asking';
  detail: string;
}

/** Asks each backend something small at every refresh. */
export function useBackends(): Backend[] {
  const { now, range } = useTime();
  const questions = [
    {
      name: 'Kubernetes',
      what: 'API server',
      to: '/cluster',
      ask: async (signal: AbortSignal) =>
        `${(await listObjects(RESOURCES.namespaces, { signal })).items.length} namespaces`,
    },
    {
      name: 'Prometheus',
      what: 'metrics',
      to: '/prometheus/targets',
      ask: async (signal: AbortSignal) => `API of ${(await buildInfo(signal)).version}`,
    },
    {
      name: 'Loki',
      what: 'logs',
      to: '/grafana/explore',
      ask: async (signal: AbortSignal) => `${(await logLabels(range, signal)).length} labels`,
    },
    {
      name: 'Jaeger',
      what: 'traces',
      to: '/jaeger',
      ask: async (signal: AbortSignal) => `${(await services(signal)).length} services`,
    },
  ];
  const results = useQueries({
    queries: questions.map((question) => ({
      queryKey: ['backend', question.name, now],
      queryFn: ({ signal }: { signal: AbortSignal }) => question.ask(signal),
      placeholderData: (previous: string | undefined) => previous,
      retry: false,
    })),
  });
  return questions.map(({ name, what, to }, index) => {
    const result = results[index];
    const state = result?.isError ? 'down' : result?.data !== undefined ? 'up' : 'asking';
    return {
      name,
      what,
      to,
      state,
      detail: result?.isError
        ? result.error instanceof Error
          ? result.error.message
          : 'no answer'
        : (result?.data ?? ''),
    };
  });
}
