import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { TimeRange } from '../time/range.ts';
import { alignLines, stackColumns, withGaps } from './align.ts';
import classes from './chart.module.css';
import { Legend, type LegendOptions } from './Legend.tsx';
import { buildOptions } from './plot-options.ts';

export interface ChartSeries {
  key: string;
  name: string;
  color: string;
  times: readonly number[];
  values: readonly number[];
  /** 0 to 100 */
  fill?: number;
  width?: number;
  dash?: number[];
  draw?: 'line' | 'bars' | 'points';
  step?: boolean;
  unit?: string;
  axis?: 'left' | 'right';
}

export interface ChartExemplar {
  at: number;
  value: number;
  traceId: string;
  href: string;
  title: string;
}

export interface ChartProps {
  series: readonly ChartSeries[];
  range: TimeRange;
  height: number;
  unit?: string | undefined;
  decimals?: number | undefined;
  min?: number | undefined;
  max?: number | undefined;
  stacked?: boolean;
  logBase?: number | undefined;
  thresholds?: readonly { value: number; color: string }[];
  annotations?: readonly { at: number; text: string; color: string }[];
  exemplars?: readonly ChartExemplar[];
  onExemplar?: (href: string) => void;
  onZoom?: (from: number, to: number) => void;
  /** Charts of the same key show their cursor together. */
  syncKey?: string;
  legend?: LegendOptions;
  label: string;
  stepSeconds?: number;
}

const LEGEND_HEIGHT = 30;
const MAX_LEGEND_ROWS = 2;
const LEGEND_TABLE_HEIGHT = 104;

/** A uPlot of one panel. The height holds the legend too, so nothing moves when series come or go. */
export function TimeSeriesChart(props: ChartProps) {
  const { series, range, stacked = false, stepSeconds = 15 } = props;
  const scheme = useComputedColorScheme('light');
  const host = useRef<HTMLElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [width, setWidth] = useState(0);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const latest = useRef(props);
  latest.current = props;

  const aligned = useMemo(() => withGaps(alignLines(series), Math.max(stepSeconds * 3.5, 20)), [series, stepSeconds]);
  const shown = useMemo(() => {
    const columns = aligned.columns.map((column, index) =>
      hidden.has(series[index]?.key ?? '') ? column.map(() => null) : column,
    );
    return stacked ? stackColumns(columns) : columns;
  }, [aligned, hidden, series, stacked]);

  const legendMode = props.legend?.mode ?? 'list';
  const legendHeight =
    legendMode === 'hidden'
      ? 0
      : legendMode === 'table'
        ? LEGEND_TABLE_HEIGHT
        : LEGEND_HEIGHT * Math.min(legendRows(series, width), MAX_LEGEND_ROWS);
  const plotHeight = Math.max(props.height - legendHeight, 60);

  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver((entries) => setWidth(Math.floor(entries[0]?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // Everything that makes a new plot needed; data, range and size are changed in place.
  const structure = JSON.stringify([
    scheme,
    stacked,
    props.unit,
    props.decimals,
    props.min,
    props.max,
    props.logBase,
    props.syncKey,
    props.thresholds,
    series.map((item) => [
      item.key,
      item.name,
      item.color,
      item.fill,
      item.width,
      item.dash,
      item.draw,
      item.step,
      item.unit,
      item.axis,
    ]),
  ]);
  const hasWidth = width > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `structure` stands for the props that count
  useEffect(() => {
    if (host.current === null || !hasWidth) return undefined;
    const made = new uPlot(
      buildOptions({
        latest: () => latest.current,
        dark: scheme === 'dark',
        width,
        height: plotHeight,
        onHover: () => undefined,
      }),
      [aligned.times, ...shown] as uPlot.AlignedData,
      host.current,
    );
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = undefined;
    };
  }, [structure, hasWidth]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: exemplars and annotations are drawn anew with the data
  useEffect(() => {
    plot.current?.setData([aligned.times, ...shown] as uPlot.AlignedData);
  }, [aligned, shown, range.from, range.to, props.exemplars, props.annotations]);
  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height: plotHeight });
  }, [width, plotHeight]);

  const toggle = (key: string, isolate: boolean): void => {
    const others = series.filter((item) => item.key !== key).map((item) => item.key);
    const isAlone = others.every((item) => hidden.has(item)) && !hidden.has(key);
    if (isolate) setHidden(new Set(isAlone ? [] : others));
    else {
      const next = new Set(hidden);
      if (!next.delete(key)) next.add(key);
      setHidden(next);
    }
  };

  return (
    <div className={classes.chart} style={{ height: props.height }}>
      <figure ref={host} className={classes.host} style={{ height: plotHeight }} aria-label={chartSummary(props)} />
      {legendMode === 'hidden' ? null : (
        <Legend
          options={props.legend ?? { mode: 'list' }}
          height={legendHeight}
          series={series}
          columns={aligned.columns}
          hidden={hidden}
          onToggle={toggle}
          unit={props.unit}
          decimals={props.decimals}
        />
      )}
    </div>
  );
}

/** How many rows a list of names takes, by the width of an average letter: known before it is drawn, so nothing moves. */
function legendRows(series: readonly ChartSeries[], width: number): number {
  if (width === 0) return 1;
  const total = series.reduce((sum, item) => sum + item.name.length * 6.6 + 36, 0);
  return Math.max(Math.ceil(total / width), 1);
}

function chartSummary(props: ChartProps): string {
  const names = props.series.slice(0, 6).map((item) => item.name);
  return `${props.label}: chart of ${props.series.length} series over time${names.length > 0 ? `: ${names.join(', ')}` : ''}`;
}
