import { pickReduced, reduceValues } from '../../charts/align.ts';
import { type Formatted, formatUnit } from '../../units/format.ts';
import { type Frame, mapValue, seriesColor, thresholdColor } from '../field-config.ts';
import type { BasePanel } from '../model.ts';

export interface ReducedFrame {
  name: string;
  value: number | null;
  formatted: Formatted;
  color: string;
  frame: Frame;
}

/** One figure for each series, as `reduceOptions` says, with its text and colour. */
export function reduceFrames(panel: BasePanel, frames: readonly Frame[]): ReducedFrame[] {
  const calc = panel.options?.reduceOptions?.calcs?.[0] ?? 'lastNotNull';
  return frames
    .filter((frame) => !frame.isHidden)
    .map((frame, index) => {
      const value = pickReduced(reduceValues(frame.values), calc);
      const mapped = mapValue(frame.config, value);
      const formatted =
        mapped?.text === undefined
          ? value === null && frame.config.noValue
            ? { text: frame.config.noValue, unit: '' }
            : formatUnit(value, frame.config.unit, frame.config.decimals ?? undefined)
          : { text: mapped.text, unit: '' };
      const byThreshold = frame.config.color?.mode === undefined || frame.config.color.mode === 'thresholds';
      const color =
        mapped?.color ??
        (byThreshold ? thresholdColor(frame.config, value) : undefined) ??
        seriesColor(frame.config, index, value);
      return { name: frame.name, value, formatted, color, frame };
    });
}

/** The ends of a gauge's scale: as configured, else from the values. */
export function scaleOf(reduced: readonly ReducedFrame[]): { min: number; max: number } {
  const config = reduced[0]?.frame.config;
  const values = reduced.map((item) => item.value ?? 0);
  const isShare = config?.unit === 'percent' || config?.unit === 'percentunit';
  const min = config?.min ?? Math.min(0, ...values);
  const max = config?.max ?? (isShare ? (config?.unit === 'percent' ? 100 : 1) : Math.max(...values, 0));
  return { min, max: max <= min ? min + 1 : max };
}
