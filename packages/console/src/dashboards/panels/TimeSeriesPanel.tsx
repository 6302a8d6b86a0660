import { useMemo } from 'react';
import { useTime } from '../../app/TimeProvider.tsx';
import { hrefTo } from '../../app/url-state.ts';
import { type ChartSeries, TimeSeriesChart } from '../../charts/TimeSeriesChart.tsx';
import { traceOfExemplar } from '../../signals/mapping.ts';
import { absolute } from '../../time/range.ts';
import { formatLocal } from '../../ui/Time.tsx';
import { formatUnitText } from '../../units/format.ts';
import { namedColor } from '../../units/service-color.ts';
import { seriesColor } from '../field-config.ts';
import type { PanelBodyProps } from './PanelBody.tsx';

export function TimeSeriesPanel({
  panel,
  data,
  annotations,
  height,
  onOpen,
}: PanelBodyProps & { onOpen: (href: string) => void }) {
  const { range, setRaw } = useTime();
  const defaults = panel.fieldConfig?.defaults ?? {};
  const custom = defaults.custom ?? {};
  const series = useMemo<ChartSeries[]>(
    () =>
      data.frames
        .filter((frame) => !frame.isHidden)
        .map((frame, index) => {
          const own = frame.config.custom ?? {};
          const isNegative = own.transform === 'negative-Y';
          return {
            key: `${frame.refId}-${frame.name}-${index}`,
            name: frame.name,
            color: seriesColor(frame.config, index, frame.values.at(-1)),
            times: frame.times,
            values: isNegative ? frame.values.map((value) => -value) : frame.values,
            fill: own.fillOpacity ?? 0,
            width: own.lineWidth ?? 1.5,
            draw:
              own.drawStyle === 'bars'
                ? ('bars' as const)
                : own.drawStyle === 'points'
                  ? ('points' as const)
                  : ('line' as const),
            step: own.lineInterpolation === 'stepAfter' || own.lineInterpolation === 'stepBefore',
            ...(own.lineStyle?.fill === 'dash' ? { dash: own.lineStyle.dash ?? [8, 6] } : {}),
            ...(frame.config.unit ? { unit: frame.config.unit } : {}),
            ...(own.axisPlacement === 'right' ? { axis: 'right' as const } : {}),
          };
        }),
    [data.frames],
  );
  const unit = defaults.unit ?? data.frames[0]?.config.unit;
  const exemplars = useMemo(
    () =>
      data.exemplars.flatMap((exemplar) => {
        const trace = traceOfExemplar(exemplar.labels);
        if (trace === undefined) return [];
        return [
          {
            at: exemplar.at,
            value: exemplar.value,
            traceId: trace,
            href: hrefTo(`/jaeger/trace/${trace}`),
            title: `${formatUnitText(exemplar.value, unit)} at ${formatLocal(exemplar.at)}: open the trace ${trace.slice(0, 12)}`,
          },
        ];
      }),
    [data.exemplars, unit],
  );
  const thresholdsShown = ['line', 'dashed', 'area', 'line+area', 'dashed+area'].includes(
    custom.thresholdsStyle?.mode ?? 'off',
  );
  const legend = panel.options?.legend;
  const isTable = legend?.displayMode === 'table';
  return (
    <TimeSeriesChart
      label={panel.title}
      series={series}
      range={range}
      height={height}
      unit={unit}
      decimals={defaults.decimals ?? undefined}
      min={defaults.min ?? undefined}
      max={defaults.max ?? undefined}
      stacked={custom.stacking?.mode === 'normal' || custom.stacking?.mode === 'percent'}
      logBase={custom.scaleDistribution?.type === 'log' ? (custom.scaleDistribution.log ?? 10) : undefined}
      thresholds={
        thresholdsShown
          ? (defaults.thresholds?.steps ?? []).flatMap((step) =>
              step.value === null || step.value === undefined
                ? []
                : [{ value: step.value, color: namedColor(step.color) }],
            )
          : []
      }
      annotations={annotations}
      exemplars={exemplars}
      onExemplar={onOpen}
      onZoom={(from, to) => setRaw(absolute(from, to))}
      syncKey="dashboard"
      stepSeconds={data.stepSeconds}
      legend={
        legend?.showLegend === false || legend?.displayMode === 'hidden'
          ? { mode: 'hidden' }
          : { mode: isTable ? 'table' : 'list', calcs: legend?.calcs ?? [] }
      }
    />
  );
}
