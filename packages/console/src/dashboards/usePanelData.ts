import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { searchTraces, type Trace, traceById } from '../api/jaeger.ts';
import { type LogLine, queryLogs } from '../api/loki.ts';
import { type Exemplar, queryExemplars, queryInstant, queryRange } from '../api/prometheus.ts';
import { typeOfSource } from '../signals/mapping.ts';
import { parseDuration } from '../time/range.ts';
import { configFor, type Frame, legendOf } from './field-config.ts';
import type { BasePanel, Target } from './model.ts';
import { type InterpolationContext, interpolate } from './variables.ts';

export interface PanelData {
  frames: Frame[];
  lines: LogLine[];
  traces: Trace[];
  exemplars: Exemplar[];
  notes: string[];
  stepSeconds: number;
}

const INSTANT_PANELS = ['table', 'table-old', 'bargauge', 'gauge'];

function sourceType(target: Target, panel: BasePanel, context: InterpolationContext): string {
  const source = target.datasource ?? panel.datasource;
  const uid = source?.uid ? interpolate(source.uid, context) : undefined;
  return (uid ? typeOfSource(uid) : undefined) ?? source?.type ?? 'prometheus';
}

/** Runs the queries of a panel. Key and queries hold the interpolated text, so a change of a variable asks anew. */
export function usePanelData(panel: BasePanel, context: InterpolationContext): UseQueryResult<PanelData> {
  const targets = (panel.targets ?? []).filter((target) => !target.hide);
  const minimum = parseDuration(interpolate(panel.interval ?? '', context)) ?? 0;
  const stepSeconds = Math.max(context.stepSeconds, minimum / 1000);
  const own = { ...context, stepSeconds };
  const prepared = targets.map((target) => ({
    target,
    type: sourceType(target, panel, own),
    expr: interpolate(target.expr ?? (typeof target.query === 'string' ? target.query : '') ?? '', own),
    tags: interpolate(target.tags ?? '', own),
    service: interpolate(target.service ?? '', own),
  }));
  return useQuery({
    queryKey: [
      'panel',
      panel.type,
      prepared.map((item) => [
        item.type,
        item.expr,
        item.service,
        item.tags,
        item.target.format,
        item.target.instant,
        item.target.legendFormat,
      ]),
      context.range.from,
      context.range.to,
      stepSeconds,
    ],
    queryFn: async ({ signal }) => {
      const data: PanelData = { frames: [], lines: [], traces: [], exemplars: [], notes: [], stepSeconds };
      await Promise.all(
        prepared.map(async ({ target, type, expr, service }) => {
          if (type === 'jaeger') data.traces.push(...(await fetchTraces(target, expr, service, own, signal)));
          else if (expr.trim() === '') return;
          else if (type === 'loki') await fetchLogs(panel, target, expr, own, data, signal);
          else if (type === 'prometheus') await fetchMetrics(panel, target, expr, own, data, signal);
        }),
      );
      const order = new Map(prepared.map(({ target }, index) => [target.refId, index]));
      data.frames.sort(
        (a, b) =>
          (order.get(a.refId) ?? 0) - (order.get(b.refId) ?? 0) ||
          a.name.localeCompare(b.name, undefined, { numeric: true }),
      );
      return data;
    },
    enabled: prepared.length > 0,
    placeholderData: keepPreviousData,
  });
}

function addFrames(
  panel: BasePanel,
  target: Target,
  expr: string,
  series: readonly { labels: Readonly<Record<string, string>>; times: number[]; values: number[] }[],
  data: PanelData,
  context: InterpolationContext,
): void {
  for (const item of series) {
    const legend = target.legendFormat === undefined ? undefined : interpolate(target.legendFormat, context);
    const name = legendOf(item.labels, legend, expr);
    const { config, isHidden } = configFor(panel, { name, refId: target.refId });
    const display = config.displayName
      ?.replace(/\$\{__field\.labels\.(\w+)\}/g, (_whole, label: string) => item.labels[label] ?? '')
      .replaceAll('${__series.name}', name);
    data.frames.push({
      refId: target.refId,
      name: display || name,
      labels: item.labels,
      times: item.times,
      values: item.values,
      config,
      isHidden,
    });
  }
}

async function fetchMetrics(
  panel: BasePanel,
  target: Target,
  expr: string,
  context: InterpolationContext,
  data: PanelData,
  signal: AbortSignal,
): Promise<void> {
  const isInstant =
    target.instant ?? (target.range === undefined && target.format === 'table' && INSTANT_PANELS.includes(panel.type));
  const { range, stepSeconds } = context;
  const [result, exemplars] = await Promise.all([
    isInstant && !target.range
      ? queryInstant(expr, range.to, signal)
      : queryRange(expr, { ...range, stepSeconds }, signal),
    // Exemplars are an addition: the panel is shown without them when they cannot be had.
    target.exemplar ? queryExemplars(expr, range, signal).catch(() => []) : Promise.resolve([]),
  ]);
  data.notes.push(...result.notes);
  data.exemplars.push(...exemplars);
  addFrames(panel, target, expr, result.series, data, context);
}

async function fetchLogs(
  panel: BasePanel,
  target: Target,
  expr: string,
  context: InterpolationContext,
  data: PanelData,
  signal: AbortSignal,
): Promise<void> {
  const result = await queryLogs(expr, { ...context.range, limit: 500, stepSeconds: context.stepSeconds, signal });
  if (result.kind === 'lines') data.lines.push(...result.lines);
  else addFrames(panel, target, expr, result.series, data, context);
}

async function fetchTraces(
  target: Target,
  query: string,
  service: string,
  context: InterpolationContext,
  signal: AbortSignal,
): Promise<Trace[]> {
  if (target.queryType !== 'search') {
    const trace = query.trim() === '' ? undefined : await traceById(query.trim(), signal);
    return trace ? [trace] : [];
  }
  return searchTraces(
    {
      service,
      operation: target.operation && target.operation !== 'All' ? target.operation : undefined,
      minDuration: target.minDuration,
      maxDuration: target.maxDuration,
      ...context.range,
      limit: Number(target.limit ?? 20),
    },
    signal,
  );
}
