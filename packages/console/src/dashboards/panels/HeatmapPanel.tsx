import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { timeTicks } from '../../time/range.ts';
import { formatLocal } from '../../ui/Time.tsx';
import { formatNumber, formatUnitText } from '../../units/format.ts';
import { heatmapOf } from './heatmap-data.ts';
import type { PanelBodyProps } from './PanelBody.tsx';

const LEFT = 58;
const BOTTOM = 20;
const TICK_PX = 110;

/** Buckets upwards, time to the right, the deeper the colour the more. */
export function HeatmapPanel({ panel, data, context, height }: PanelBodyProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const dark = useComputedColorScheme('light') === 'dark';
  const map = heatmapOf(data.frames, data.stepSeconds);
  const { range } = context;
  const inner = { width: Math.max(width - LEFT, 10), height: Math.max(height - BOTTOM, 10) };
  const rowHeight = inner.height / Math.max(map.bounds.length, 1);
  const x = (second: number): number => LEFT + ((second * 1000 - range.from) / (range.to - range.from)) * inner.width;
  const cellWidth = Math.max((map.stepSeconds * 1000 * inner.width) / (range.to - range.from), 1);
  const unit = panel.fieldConfig?.defaults?.unit ?? 's';
  return (
    <div ref={ref} style={{ height }}>
      <svg width={width} height={height} role="img" aria-label={`${panel.title}: heat map`}>
        {map.cells.map((cell) => {
          const row = map.bounds.indexOf(cell.to);
          const share = Math.sqrt(cell.value / map.max);
          return (
            <rect
              key={`${cell.time}-${cell.to}`}
              x={x(cell.time - map.stepSeconds)}
              y={inner.height - (row + 1) * rowHeight + 0.5}
              width={Math.max(cellWidth - 0.5, 0.8)}
              height={Math.max(rowHeight - 1, 1)}
              fill={`hsl(${dark ? 255 - share * 215 : 262 - share * 20} ${60 + share * 25}% ${dark ? 22 + share * 48 : 94 - share * 56}%)`}
            >
              <title>{`${formatLocal(cell.time * 1000)}\n${formatUnitText(cell.from, unit)} – ${formatUnitText(cell.to, unit)}: ${formatNumber(cell.value)}`}</title>
            </rect>
          );
        })}
        {map.bounds.map((bound, index) =>
          index % Math.ceil(16 / Math.max(rowHeight, 1)) === 0 ? (
            <text
              key={bound}
              x={LEFT - 6}
              y={inner.height - (index + 1) * rowHeight + 9}
              textAnchor="end"
              fontSize="10.5"
              fill="var(--ink-3)"
            >
              {bound === Number.POSITIVE_INFINITY ? '+Inf' : formatUnitText(bound, unit)}
            </text>
          ) : null,
        )}
        {timeTicks(range, Math.max(Math.floor(inner.width / TICK_PX), 1)).map((at) => (
          <text key={at} x={x(at / 1000)} y={height - 5} textAnchor="middle" fontSize="10.5" fill="var(--ink-3)">
            {formatLocal(at, { withDate: false }).replace(/:00$/, '')}
          </text>
        ))}
      </svg>
    </div>
  );
}
