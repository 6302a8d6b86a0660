import { type LabelMatcher, Labels, type LogReader } from '@kind-e2e/telemetry';
import type { LokiRange } from './parameters.ts';

export interface VolumeOptions {
  readonly matchers: readonly LabelMatcher[];
  readonly limit: number;
  /** Labels to add up by; empty for those of the matchers. */
  readonly targetLabels: readonly string[];
  readonly aggregateBy: 'series' | 'labels';
}

/** Bytes by label set, largest first (Loki pkg/storage/stores/index/seriesvolume). */
export function volumesOf(
  logs: LogReader,
  range: LokiRange,
  options: VolumeOptions,
): { labels: Labels; bytes: number }[] {
  const { matchers, limit, aggregateBy } = options;
  const wanted = new Set(
    options.targetLabels.length > 0
      ? options.targetLabels
      : matchers.filter(({ value }) => value !== '').map(({ name }) => name),
  );
  const sums = new Map<string, { labels: Labels; bytes: number }>();
  const add = (labels: Labels, bytes: number): void => {
    const known = sums.get(labels.key);
    if (known) known.bytes += bytes;
    else sums.set(labels.key, { labels, bytes });
  };
  for (const { labels, bytes } of logs.volumes(matchers, range.startNs, range.endNs)) {
    if (aggregateBy === 'series') {
      add(labels.only(wanted), bytes);
      continue;
    }
    const names = options.targetLabels.length > 0 ? options.targetLabels : [...labels].map(([name]) => name);
    for (const name of names) if (labels.has(name)) add(Labels.fromObject({ [name]: 'x' }), bytes);
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes || (a.labels.key < b.labels.key ? -1 : 1)).slice(0, limit);
}

const MILLISECOND_NS = 1_000_000n;

/** A range in pieces that begin at multiples of the step and end a millisecond before the next (util.ForInterval). */
export function periodsOf({ startNs, endNs }: LokiRange, step: bigint): LokiRange[] {
  const periods: LokiRange[] = [];
  for (let from = startNs - (startNs % step); from < endNs; from += step) {
    const end = from + step >= endNs ? endNs : from + step - MILLISECOND_NS;
    periods.push({ startNs: periods.length === 0 ? startNs : from, endNs: end });
  }
  return periods;
}
