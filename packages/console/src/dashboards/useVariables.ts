import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useSearch } from 'wouter';
import { navigate } from 'wouter/use-browser-location';
import { logLabelValues } from '../api/loki.ts';
import { labelNames, labelValues, queryInstant, seriesName } from '../api/prometheus.ts';
import { DATA_SOURCES, typeOfSource } from '../signals/mapping.ts';
import type { TimeRange } from '../time/range.ts';
import type { Variable } from './model.ts';
import { ALL, customOptions, filterByRegex, type InterpolationContext, interpolate, sortOptions } from './variables.ts';

export interface VariableState {
  values: Record<string, string[]>;
  options: Record<string, string[]>;
  problems: Record<string, string>;
  set: (name: string, values: readonly string[]) => void;
}

const queryText = (variable: Variable): string =>
  typeof variable.query === 'string' ? variable.query : (variable.query?.query ?? '');

/** What a `query` variable asks Prometheus or Loki (grafana: public/app/plugins/datasource/prometheus/metric_find_query.ts). */
async function fetchOptions(variable: Variable, context: InterpolationContext, signal: AbortSignal): Promise<string[]> {
  const text = interpolate(queryText(variable), context).trim();
  const { range } = context;
  const source =
    variable.datasource?.type ??
    (variable.datasource?.uid ? typeOfSource(interpolate(variable.datasource.uid, context)) : undefined);
  const values = /^label_values\((?:(.+),)?\s*([a-zA-Z_]\w*)\s*\)$/s.exec(text);
  if (source === 'loki') return values ? logLabelValues(values[2] ?? '', range, signal) : [];
  if (values) return labelValues(values[2] ?? '', { match: values[1]?.trim(), ...range, signal });
  if (text === 'label_names()') return labelNames(undefined, signal);
  const metrics = /^metrics\((.*)\)$/.exec(text);
  if (metrics) {
    const pattern = new RegExp(metrics[1] ?? '');
    return (await labelValues('__name__', { signal })).filter((name) => pattern.test(name));
  }
  const result = /^query_result\((.*)\)$/s.exec(text);
  const found = await queryInstant(result?.[1] ?? text, range.to, signal);
  return found.series.map(
    (series) => `${seriesName(series.labels)} ${series.values[0] ?? ''} ${(series.times[0] ?? 0) * 1000}`,
  );
}

function staticOptions(variable: Variable): string[] {
  const text = queryText(variable);
  switch (variable.type) {
    case 'custom':
    case 'interval':
      return customOptions(text).map((option) => option.value);
    case 'datasource':
      return DATA_SOURCES.filter((source) => source.type === text).map((source) => source.uid);
    case 'constant':
    case 'textbox':
      return text === '' ? [] : [text];
    default:
      return [];
  }
}

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : value === '' ? [] : [value];

/** Values by the address (`var-name=…`), else the saved ones when they are still offered, else all or the first. */
function choose(variable: Variable, offered: readonly string[], fromUrl: readonly string[]): string[] {
  if (variable.type === 'constant') return [...offered];
  if (fromUrl.length > 0) return fromUrl.map((value) => (value === 'All' ? ALL : value));
  if (variable.type === 'textbox') return offered.length > 0 ? [offered[0] ?? ''] : [''];
  const saved = listOf(variable.current?.value);
  if (saved.includes(ALL)) return [ALL];
  const kept = saved.filter((value) => offered.includes(value));
  if (kept.length > 0) return kept;
  if (variable.includeAll) return [ALL];
  return offered.length > 0 ? [offered[0] ?? ''] : [];
}

export function useVariables(
  variables: readonly Variable[],
  time: { range: TimeRange; stepSeconds: number; scrapeSeconds: number },
): VariableState {
  const search = useSearch();
  const params = new URLSearchParams(search);
  const values: Record<string, string[]> = {};
  const options: Record<string, string[]> = {};
  // A query may use the variables before it, so its text is part of the key.
  const context = (): InterpolationContext => ({ values, variables, options, ...time });
  const prepared = variables.map((variable) => {
    const fromUrl = params.getAll(`var-${variable.name}`);
    const given = variable.type === 'query' ? listOf(variable.current?.value) : staticOptions(variable);
    values[variable.name] =
      variable.type === 'query'
        ? fromUrl.length > 0
          ? fromUrl.map((value) => (value === 'All' ? ALL : value))
          : given
        : choose(variable, given, fromUrl);
    if (variable.type !== 'query') options[variable.name] = given;
    return { variable, fromUrl };
  });
  const results = useQueries({
    queries: prepared.map(({ variable }) => ({
      queryKey: [
        'variable',
        variable.name,
        variable.type === 'query' ? interpolate(queryText(variable), context()) : '',
        Math.floor(time.range.to / 60_000),
      ],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        sortOptions(filterByRegex(await fetchOptions(variable, context(), signal), variable.regex), variable.sort),
      enabled: variable.type === 'query',
      placeholderData: (previous: string[] | undefined) => previous,
      staleTime: 30_000,
    })),
  });
  const problems: Record<string, string> = {};
  prepared.forEach(({ variable, fromUrl }, index) => {
    if (variable.type !== 'query') return;
    const result = results[index];
    options[variable.name] = result?.data ?? [];
    if (result?.isError) problems[variable.name] = result.error.message;
    if (result?.data) values[variable.name] = choose(variable, result.data, fromUrl);
  });
  const fingerprint = JSON.stringify([values, options, problems]);
  return useMemo(() => {
    const [values, options, problems] = JSON.parse(fingerprint) as [
      VariableState['values'],
      VariableState['options'],
      VariableState['problems'],
    ];
    return { values, options, problems, set: setVariable };
  }, [fingerprint]);
}

function setVariable(name: string, values: readonly string[]): void {
  const params = new URLSearchParams(window.location.search);
  params.delete(`var-${name}`);
  for (const value of values) params.append(`var-${name}`, value === ALL ? 'All' : value);
  navigate(`${window.location.pathname}?${params.toString()}`);
}
