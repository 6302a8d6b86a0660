import { compareStrings } from '@kind-e2e/telemetry';
import type { LabelIndex } from '../label-index.ts';
import type { Series } from './series.ts';

/** What `/api/v1/status/tsdb` tells. */
export interface MetricStatistics {
  readonly numSeries: number;
  readonly numLabelPairs: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly seriesCountByMetricName: readonly { readonly name: string; readonly value: number }[];
  /** By `name=value`. */
  readonly seriesCountByLabelValuePair: readonly { readonly name: string; readonly value: number }[];
  readonly labelValueCountByLabelName: readonly { readonly name: string; readonly value: number }[];
  readonly memoryInBytesByLabelName: readonly { readonly name: string; readonly value: number }[];
}

export function statisticsOf(index: LabelIndex<Series>): MetricStatistics {
  const top = (list: { name: string; value: number }[]): { name: string; value: number }[] =>
    list.sort((a, b) => b.value - a.value || compareStrings(a.name, b.name)).slice(0, 10);
  const cardinalities = [...index.cardinalities()];
  let minTime = Infinity;
  let maxTime = -Infinity;
  for (const series of index.values()) {
    minTime = Math.min(minTime, series.minTime);
    maxTime = Math.max(maxTime, series.maxTime);
  }
  return {
    numSeries: index.size,
    numLabelPairs: cardinalities.reduce((sum, entry) => sum + entry.values, 0),
    minTime,
    maxTime,
    seriesCountByMetricName: top(
      index.countByValue('__name__').map(({ value, items }) => ({ name: value, value: items })),
    ),
    seriesCountByLabelValuePair: top([...index.countByPair()]),
    labelValueCountByLabelName: top(cardinalities.map(({ name, values }) => ({ name, value: values }))),
    memoryInBytesByLabelName: top(cardinalities.map(({ name, bytes }) => ({ name, value: bytes }))),
  };
}
