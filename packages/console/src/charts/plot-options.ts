import uPlot from 'uplot';
import { clock } from '../time/clock.ts';
import { formatLocal } from '../ui/Time.tsx';
import { formatUnitText } from '../units/format.ts';
import classes from './chart.module.css';
import type { ChartProps, ChartSeries } from './TimeSeriesChart.tsx';

interface Context {
  latest: () => ChartProps;
  dark: boolean;
  width: number;
  height: number;
  onHover: () => void;
}

const MAX_TOOLTIP_ROWS = 12;
const EXEMPLAR_LIMIT = 80;

/** Steps of an axis of bytes, so that it says 64 MiB and not 61 MiB. */
const BINARY_INCREMENTS = Array.from({ length: 51 }, (_, power) => 2 ** power);

const pad = (value: number): string => String(value).padStart(2, '0');

function timeLabels(_plot: uPlot, splits: number[], _axis: number, _space: number, increment: number): string[] {
  return splits.map((second) => {
    const date = new Date(second * 1000);
    if (increment >= 86_400) return `${pad(date.getDate())}.${pad(date.getMonth() + 1)}.`;
    const text = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
    return increment < 60 ? `${text}:${pad(date.getSeconds())}` : text;
  });
}

function fillOf(series: ChartSeries, plot: uPlot): CanvasGradient | string | undefined {
  const opacity = series.fill ?? 0;
  if (opacity === 0) return undefined;
  // Stacked bars stand before one another: what is behind must not shine through.
  if (series.draw === 'bars') return series.color;
  const color = `color-mix(in srgb, ${series.color} ${opacity}%, transparent)`;
  if (opacity >= 50) return color;
  const gradient = plot.ctx.createLinearGradient(0, plot.bbox.top, 0, plot.bbox.top + plot.bbox.height);
  gradient.addColorStop(0, color);
  gradient.addColorStop(1, `color-mix(in srgb, ${series.color} ${Math.round(opacity / 6)}%, transparent)`);
  return gradient;
}

function toPlotSeries(item: ChartSeries, stacked: boolean): uPlot.Series {
  const bars = item.draw === 'bars';
  const paths = bars
    ? uPlot.paths.bars?.({ size: [0.86, 40], align: 1 })
    : item.step
      ? uPlot.paths.stepped?.({ align: 1 })
      : item.draw === 'points'
        ? () => null
        : uPlot.paths.linear?.();
  return {
    label: item.name,
    scale: item.axis === 'right' ? 'right' : 'y',
    stroke: item.color,
    width: item.draw === 'points' ? 0 : bars ? 0 : (item.width ?? 1.5),
    ...(item.dash ? { dash: item.dash } : {}),
    fill: (plot: uPlot) =>
      fillOf(stacked && !bars ? { ...item, fill: Math.max(item.fill ?? 0, 28) } : item, plot) ?? 'transparent',
    ...(paths ? { paths } : {}),
    points: item.draw === 'points' ? { show: true, size: 5, fill: item.color } : bars ? { show: false } : { size: 4 },
    spanGaps: false,
  };
}

export function buildOptions(context: Context): uPlot.Options {
  const props = context.latest();
  const ink = context.dark ? '#929cab' : '#5d6878';
  const grid = context.dark ? '#232a33' : '#e9ecf1';
  const font = "11px 'Inter Variable', Inter, system-ui, 'Open Sans', sans-serif";
  const hasRight = props.series.some((item) => item.axis === 'right');
  const rightUnit = props.series.find((item) => item.axis === 'right')?.unit;
  const valueAxis = (scale: string, unit: string | undefined, side: 1 | 3): uPlot.Axis => ({
    scale,
    side,
    stroke: ink,
    font,
    grid: { show: scale === 'y', stroke: grid, width: 1 },
    ticks: { show: false },
    gap: 6,
    ...(unit === 'bytes' || unit === 'kbytes' || unit === 'mbytes' ? { incrs: BINARY_INCREMENTS } : {}),
    space: 32,
    size: (_plot, values) => Math.max(34, ...(values ?? []).map((text) => text.length * 6.4 + 12)),
    values: (_plot, splits) =>
      splits.map((value) =>
        value === null ? '' : formatUnitText(Number(value.toPrecision(12)), unit, props.decimals),
      ),
  });
  const isLog = props.logBase !== undefined && props.logBase > 1;
  const yRange: uPlot.Range.Function = (_plot, low, high) => yLimits(props, low, high);
  return {
    width: context.width,
    height: context.height,
    padding: [8, hasRight ? 0 : 10, 0, 0],
    legend: { show: false },
    cursor: {
      ...(props.syncKey ? { sync: { key: props.syncKey, setSeries: false } } : {}),
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      focus: { prox: 30 },
    },
    focus: { alpha: 1 },
    scales: {
      x: { time: true, range: () => [context.latest().range.from / 1000, context.latest().range.to / 1000] },
      y: isLog ? { distr: 3, log: (props.logBase === 2 ? 2 : 10) as uPlot.Scale.LogBase } : { range: yRange },
      ...(hasRight ? { right: { range: yRange } } : {}),
    },
    axes: [
      {
        stroke: ink,
        font,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        gap: 6,
        size: 28,
        space: 74,
        values: timeLabels,
      },
      valueAxis('y', props.unit, 3),
      ...(hasRight ? [valueAxis('right', rightUnit ?? props.unit, 1)] : []),
    ],
    series: [{}, ...props.series.map((item) => toPlotSeries(item, props.stacked ?? false))],
    ...(props.stacked
      ? { bands: props.series.slice(1).map((_, index) => ({ series: [index + 1, index + 2] as [number, number] })) }
      : {}),
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          const from = plot.posToVal(left, 'x') * 1000;
          const to = plot.posToVal(left + width, 'x') * 1000;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          context.latest().onZoom?.(from, to);
        },
      ],
      drawClear: [(plot) => drawThresholds(plot, context.latest())],
      draw: [(plot) => drawAnnotations(plot, context.latest()), (plot) => placeExemplars(plot, context.latest())],
    },
    plugins: [tooltipPlugin(context)],
  };
}

function yLimits(props: ChartProps, low: number | null, high: number | null): [number, number] {
  let from = props.min ?? Math.min(low ?? 0, 0);
  let to = props.max ?? (high === null ? 1 : high + Math.abs(high - Math.min(low ?? 0, 0)) * 0.08);
  if (props.min === undefined && low !== null && low < 0) from = low - Math.abs((high ?? 0) - low) * 0.08;
  if (to <= from) to = from + 1;
  if (from === to) from -= 1;
  return [from, to];
}

function drawThresholds(plot: uPlot, props: ChartProps): void {
  for (const threshold of props.thresholds ?? []) {
    const y = plot.valToPos(threshold.value, 'y', true);
    if (!Number.isFinite(y) || y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) continue;
    plot.ctx.save();
    plot.ctx.strokeStyle = threshold.color;
    plot.ctx.setLineDash([6, 5]);
    plot.ctx.lineWidth = 1.5;
    plot.ctx.beginPath();
    plot.ctx.moveTo(plot.bbox.left, y);
    plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
    plot.ctx.stroke();
    plot.ctx.restore();
  }
}

function drawAnnotations(plot: uPlot, props: ChartProps): void {
  for (const note of props.annotations ?? []) {
    const x = plot.valToPos(note.at / 1000, 'x', true);
    if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
    plot.ctx.save();
    plot.ctx.strokeStyle = note.color;
    plot.ctx.fillStyle = note.color;
    plot.ctx.setLineDash([4, 4]);
    plot.ctx.beginPath();
    plot.ctx.moveTo(x, plot.bbox.top);
    plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    plot.ctx.stroke();
    plot.ctx.beginPath();
    plot.ctx.moveTo(x - 5, plot.bbox.top + plot.bbox.height + 7);
    plot.ctx.lineTo(x + 5, plot.bbox.top + plot.bbox.height + 7);
    plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    plot.ctx.fill();
    plot.ctx.restore();
  }
}

/** Exemplars are real links over the canvas: they can be focused, opened in a new tab, read out. */
function placeExemplars(plot: uPlot, props: ChartProps): void {
  // Links that are there already stay the same elements, so that one keeps the focus over a refresh.
  const old = new Map(
    [...plot.over.querySelectorAll<HTMLAnchorElement>('a[data-mark]')].map((link) => [link.dataset.mark, link]),
  );
  const seen = [...(props.exemplars ?? [])].sort((a, b) => b.value - a.value).slice(0, EXEMPLAR_LIMIT);
  const top = plot.scales.y?.max ?? Number.POSITIVE_INFINITY;
  for (const exemplar of seen) {
    const x = plot.valToPos(exemplar.at / 1000, 'x');
    const y = plot.valToPos(Math.min(exemplar.value, top), 'y');
    if (x < 0 || x > plot.over.clientWidth || !Number.isFinite(y) || y > plot.over.clientHeight) continue;
    const key = `${exemplar.href} ${exemplar.at} ${exemplar.value}`;
    const link = old.get(key) ?? document.createElement('a');
    old.delete(key);
    link.className = classes.exemplar ?? '';
    link.dataset.mark = key;
    link.href = exemplar.href;
    link.title = exemplar.title;
    link.ariaLabel = exemplar.title;
    link.style.left = `${x}px`;
    link.style.top = `${Math.max(y, 4)}px`;
    link.onmousedown = (event) => event.stopPropagation();
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || !props.onExemplar) return;
      event.preventDefault();
      props.onExemplar(exemplar.href);
    };
    if (!link.isConnected) plot.over.append(link);
  }
  for (const link of old.values()) link.remove();
}

function tooltipPlugin(context: Context): uPlot.Plugin {
  let box: HTMLDivElement | undefined;
  const hide = (): void => {
    if (box) box.style.display = 'none';
  };
  return {
    hooks: {
      init: (plot: uPlot) => {
        box = document.createElement('div');
        box.className = classes.tooltip ?? '';
        box.style.display = 'none';
        document.body.append(box);
        plot.over.addEventListener('mouseleave', hide);
      },
      destroy: () => box?.remove(),
      setCursor: (plot: uPlot) => {
        const { idx, left, top } = plot.cursor;
        // A cursor that another chart moved shows its line, but no box.
        if (
          !box ||
          idx === null ||
          idx === undefined ||
          left === undefined ||
          left < 0 ||
          !plot.over.matches(':hover')
        ) {
          hide();
          return;
        }
        fillTooltip(box, plot, context.latest(), idx);
        const bounds = plot.over.getBoundingClientRect();
        box.style.display = 'block';
        const { width, height } = box.getBoundingClientRect();
        const x = bounds.left + left + 16;
        box.style.left = `${x + width > window.innerWidth - 8 ? Math.max(8, bounds.left + left - width - 16) : x}px`;
        box.style.top = `${Math.min(bounds.top + (top ?? 0) + 12, window.innerHeight - height - 8)}px`;
      },
    },
  };
}

function fillTooltip(box: HTMLDivElement, plot: uPlot, props: ChartProps, index: number): void {
  const second = plot.data[0]?.[index];
  if (second === undefined) return;
  const when = document.createElement('div');
  when.className = classes.when ?? '';
  const isLive = second * 1000 > clock.now();
  when.textContent = isLive ? 'still to come' : formatLocal(second * 1000);
  const rows = props.series
    .flatMap((item, place) => {
      const raw = plot.data[place + 1]?.[index];
      if (raw === null || raw === undefined) return [];
      const below = props.stacked ? lastBelow(plot, place, index) : 0;
      const position = plot.valToPos(raw, item.axis === 'right' ? 'right' : 'y');
      return [{ item, value: raw - below, distance: Math.abs(position - (plot.cursor.top ?? 0)) }];
    })
    .sort((a, b) => b.value - a.value);
  const near = rows.reduce<(typeof rows)[number] | undefined>(
    (best, row) => (best && best.distance <= row.distance ? best : row),
    undefined,
  );
  const nodes = rows.slice(0, MAX_TOOLTIP_ROWS).map((row) => {
    const line = document.createElement('div');
    line.className = classes.row ?? '';
    line.dataset.near = String(row === near && rows.length > 1);
    const mark = document.createElement('span');
    mark.className = classes.mark ?? '';
    mark.style.background = row.item.color;
    const name = document.createElement('span');
    name.textContent = row.item.name;
    const value = document.createElement('b');
    value.textContent = formatUnitText(row.value, row.item.unit ?? props.unit, props.decimals);
    line.append(mark, name, value);
    return line;
  });
  const more = document.createElement('div');
  more.className = classes.when ?? '';
  more.textContent = rows.length > MAX_TOOLTIP_ROWS ? `and ${rows.length - MAX_TOOLTIP_ROWS} more` : '';
  box.replaceChildren(when, ...nodes, more);
}

function lastBelow(plot: uPlot, place: number, index: number): number {
  for (let below = place + 2; below < plot.data.length; below += 1) {
    const value = plot.data[below]?.[index];
    if (value !== null && value !== undefined) return value;
  }
  return 0;
}
