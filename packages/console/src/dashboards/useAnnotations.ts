import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { queryRange } from '../api/prometheus.ts';
import { namedColor } from '../units/service-color.ts';
import { legendOf } from './field-config.ts';
import type { AnnotationQuery } from './model.ts';
import { type InterpolationContext, interpolate } from './variables.ts';

export interface Annotation {
  at: number;
  text: string;
  color: string;
}

/** Prometheus annotations: each point where the query has a value that was not there a step before. */
export function useAnnotations(queries: readonly AnnotationQuery[], context: InterpolationContext): Annotation[] {
  const active = queries.filter((query) => query.enable !== false && query.expr);
  const result = useQuery({
    queryKey: [
      'annotations',
      active.map((query) => interpolate(query.expr ?? '', context)),
      context.range.from,
      context.range.to,
    ],
    queryFn: async ({ signal }) => {
      const found = await Promise.all(
        active.map(async (query) => {
          const data = await queryRange(
            interpolate(query.expr ?? '', context),
            { ...context.range, stepSeconds: context.stepSeconds },
            signal,
          );
          return data.series.flatMap((series) =>
            series.times.flatMap((time, index) => {
              const before = series.times[index - 1];
              if (!series.values[index] || (before !== undefined && time - before <= context.stepSeconds * 1.5))
                return [];
              return [
                {
                  at: time * 1000,
                  text: legendOf(series.labels, query.titleFormat ?? query.textFormat, query.name),
                  color: namedColor(query.iconColor ?? 'blue'),
                },
              ];
            }),
          );
        }),
      );
      return found.flat();
    },
    enabled: active.length > 0,
    placeholderData: keepPreviousData,
  });
  return result.data ?? [];
}
