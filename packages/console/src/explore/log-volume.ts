import type { LogLine } from '../api/loki.ts';
import type { Series } from '../api/prometheus.ts';
import type { TimeRange } from '../time/range.ts';
import { type Level, levelOf } from './log-levels.ts';

/** Counts by level of lines that are all here, in steps as a range query gives them: each count at the end of its step. */
export function volumeOfLines(lines: readonly LogLine[], stepSeconds: number): Series[] {
  const byLevel = new Map<string, Map<number, number>>();
  for (const line of lines) {
    const level = levelOf(line.line, line.labels, line.metadata);
    const end = Math.ceil(line.at / 1000 / stepSeconds) * stepSeconds;
    const counts = byLevel.get(level) ?? new Map<number, number>();
    counts.set(end, (counts.get(end) ?? 0) + 1);
    byLevel.set(level, counts);
  }
  return [...byLevel].map(([level, counts]) => {
    const sorted = [...counts].sort(([a], [b]) => a - b);
    return {
      labels: { detected_level: level },
      times: sorted.map(([time]) => time),
      values: sorted.map(([, count]) => count),
    };
  });
}

/** Counts of a store, by its own words for levels (`INFO`, `warning`, none), as one series for each level. */
export function byLevel(series: readonly Series[]): Series[] {
  const merged = new Map<Level, Map<number, number>>();
  for (const item of series) {
    const level = levelOf('', item.labels);
    const counts = merged.get(level) ?? new Map<number, number>();
    for (const [index, time] of item.times.entries())
      counts.set(time, (counts.get(time) ?? 0) + (item.values[index] ?? 0));
    merged.set(level, counts);
  }
  return [...merged].map(([level, counts]) => {
    const sorted = [...counts].sort(([a], [b]) => a - b);
    return {
      labels: { detected_level: level },
      times: sorted.map(([time]) => time),
      values: sorted.map(([, count]) => count),
    };
  });
}

/** The series with a value at every step of the range, zero where there was none: bars need their neighbours. */
export function onEveryStep(series: readonly Series[], range: TimeRange, stepSeconds: number): Series[] {
  const first = Math.ceil(range.from / 1000 / stepSeconds) * stepSeconds;
  const times: number[] = [];
  for (let time = first; time <= range.to / 1000 + stepSeconds; time += stepSeconds) times.push(time);
  return series.map((item) => {
    const known = new Map(item.times.map((time, index) => [Math.round(time / stepSeconds), item.values[index] ?? 0]));
    return { labels: item.labels, times, values: times.map((time) => known.get(Math.round(time / stepSeconds)) ?? 0) };
  });
}
