import type { Frame } from '../field-config.ts';

export interface HeatCell {
  time: number;
  from: number;
  to: number;
  value: number;
}

export interface HeatMap {
  cells: HeatCell[];
  bounds: number[];
  max: number;
  stepSeconds: number;
}

/** Cumulative `le` buckets as cells of their own counts. Frames are named by `le` or carry it as a label. */
export function heatmapOf(frames: readonly Frame[], stepSeconds: number): HeatMap {
  const bound = (frame: Frame): number => {
    const text = frame.labels.le ?? frame.name;
    return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
  };
  const sorted = frames.filter((frame) => !Number.isNaN(bound(frame))).sort((a, b) => bound(a) - bound(b));
  const before = new Map<number, number>();
  const cells: HeatCell[] = [];
  let max = 0;
  let from = 0;
  for (const frame of sorted) {
    const to = bound(frame);
    frame.times.forEach((time, index) => {
      const cumulative = frame.values[index] ?? 0;
      const value = cumulative - (before.get(time) ?? 0);
      before.set(time, cumulative);
      if (value > 1e-9) {
        cells.push({ time, from, to, value });
        max = Math.max(max, value);
      }
    });
    from = to;
  }
  return { cells, bounds: sorted.map(bound), max, stepSeconds };
}
