import { Button, SegmentedControl } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { type LogLine, logLabels, logLabelValues, queryLogs, tailLogs } from '../api/loki.ts';
import { useTime, useTimeKey } from '../app/TimeProvider.tsx';
import { updateQuery, useQueryState } from '../app/url-state.ts';
import { type ChartSeries, TimeSeriesChart } from '../charts/TimeSeriesChart.tsx';
import { createLogqlLanguage } from '../editors/logql-language.ts';
import { QueryEditor } from '../editors/QueryEditor.tsx';
import { absolute, promDuration, stepFor } from '../time/range.ts';
import { Empty, ErrorState, QueryView, SkeletonBlock } from '../ui/States.tsx';
import { Badge } from '../ui/Value.tsx';
import { milliseconds } from '../units/brands.ts';
import { count } from '../units/format.ts';
import { paletteColor } from '../units/service-color.ts';
import classes from './explore.module.css';
import { LogLines } from './LogLines.tsx';
import { LEVEL_COLORS, type Level, needlesOf, volumeByWordQuery, volumeQuery } from './log-levels.ts';
import { byLevel, onEveryStep, volumeOfLines } from './log-volume.ts';
import { addMatcher, exactSelector } from './logql-edit.ts';

const DEFAULT_QUERY = '{app="business-logic"}';
const TAIL_LIMIT = 2000;
const LINE_LIMIT = 1000;
const CONTEXT_MS = 3_600_000;
const EXAMPLES = [
  '{app="business-logic"}',
  '{app="front-end"} |= "slow"',
  '{namespace="default"} |~ "(?i)error|warn"',
  'sum by (app) (rate({namespace="default"}[1m]))',
];

export function LogsExplore() {
  const { range, setRaw } = useTime();
  const key = useTimeKey();
  const [expr, setExpr] = useQueryState('expr', DEFAULT_QUERY);
  const [direction, setDirection] = useQueryState('dir', 'backward');
  const [contextOf] = useQueryState('around');
  const [text, setText] = useState(expr);
  useEffect(() => setText(expr), [expr]);
  const latestRange = useRef(range);
  latestRange.current = range;
  const language = useMemo(
    () =>
      createLogqlLanguage({
        labels: () => logLabels(latestRange.current),
        values: (label) => logLabelValues(label, latestRange.current),
      }),
    [],
  );
  const tail = useTail(expr);
  const step = stepFor(range, 60, 1);
  const volume = volumeQuery(expr, promDuration(step));
  const order = direction === 'forward' ? 'forward' : 'backward';
  const result = useQuery({
    queryKey: ['loki', 'logs', expr, order, contextOf, ...(contextOf ? [] : key)],
    queryFn: async ({ signal }) => {
      if (contextOf === '')
        return queryLogs(expr, { ...range, direction: order, limit: LINE_LIMIT, stepSeconds: step, signal });
      return linesAround(expr, contextOf, signal);
    },
    placeholderData: keepPreviousData,
    enabled: !tail.isOn,
  });
  const volumes = useQuery({
    queryKey: ['loki', 'volume', volume, step, ...key],
    queryFn: ({ signal }) => queryLogs(volume ?? '', { ...range, stepSeconds: step, signal }),
    placeholderData: keepPreviousData,
    enabled: volume !== undefined,
  });
  const volumeOfWords = volumeByWordQuery(expr, promDuration(step));
  const isLevelless =
    volumes.data?.kind === 'series' && volumes.data.series.every((item) => !item.labels.detected_level);
  const words = useQuery({
    queryKey: ['loki', 'volume', volumeOfWords, step, ...key],
    queryFn: ({ signal }) => queryLogs(volumeOfWords ?? '', { ...range, stepSeconds: step, signal }),
    placeholderData: keepPreviousData,
    enabled: volumeOfWords !== undefined && isLevelless,
  });
  const run = (query: string): void => {
    if (query.trim() !== '')
      updateQuery({ expr: query.trim() === DEFAULT_QUERY ? undefined : query.trim(), around: undefined });
  };
  // When all lines are here they are counted here, by the level that each shows; else Loki counts.
  const isComplete =
    result.data?.kind === 'lines' && result.data.lines.length < LINE_LIMIT && !result.isPlaceholderData;
  const counted = useMemo(() => {
    if (isComplete && result.data?.kind === 'lines') return volumeOfLines(result.data.lines, step);
    const answer = isLevelless && words.data !== undefined ? words.data : volumes.data;
    return answer?.kind === 'series' ? byLevel(answer.series) : undefined;
  }, [isComplete, isLevelless, result.data, volumes.data, words.data, step]);
  const needles = needlesOf(expr);
  const lineList = (lines: readonly LogLine[]) => (
    <LogLines
      lines={lines}
      needles={needles}
      anchor={contextOf || undefined}
      onFilter={(label, value, operator) => setExpr(addMatcher(expr, label, value, operator))}
      onContext={(line) => updateQuery({ expr: exactSelector(line.labels), around: line.ns })}
    />
  );

  return (
    <>
      <section className="card" style={{ marginBottom: 14 }} aria-label="Query">
        <div className={classes.bar}>
          <QueryEditor
            value={text}
            language={language}
            onChange={setText}
            onRun={run}
            label="LogQL query"
            placeholder={'{app="business-logic"} |= "error"'}
          />
          <Button h={36} onClick={() => run(text)}>
            Run
          </Button>
          <Button
            h={36}
            variant={tail.isOn ? 'filled' : 'default'}
            color={tail.isOn ? 'red' : undefined}
            leftSection={tail.isOn ? <IconPlayerStop size={15} /> : <IconPlayerPlay size={15} />}
            disabled={volume === undefined}
            onClick={tail.isOn ? tail.stop : tail.start}
          >
            {tail.isOn ? 'Stop' : 'Live'}
          </Button>
        </div>
        <div className={classes.history}>
          {EXAMPLES.map((example) => (
            <button key={example} type="button" className={classes.chip} onClick={() => run(example)}>
              {example}
            </button>
          ))}
        </div>
      </section>

      {volume !== undefined && !tail.isOn && contextOf === '' && !result.isError ? (
        <section className="card" style={{ marginBottom: 14 }} aria-label="Volume">
          <div className="card-head">Volume by level</div>
          <div style={{ padding: '6px 14px 8px', minHeight: 134 }}>
            {counted !== undefined ? (
              <TimeSeriesChart
                label="Log volume"
                series={volumeSeries(onEveryStep(counted, range, step))}
                range={range}
                height={126}
                stacked
                stepSeconds={step}
                unit="short"
                onZoom={(from, to) => setRaw(absolute(from, to))}
              />
            ) : volumes.isError ? (
              <ErrorState error={volumes.error} compact />
            ) : (
              <SkeletonBlock height={126} />
            )}
          </div>
        </section>
      ) : null}

      <section className="card" aria-label="Lines">
        <div className="card-head">
          {tail.isOn ? (
            <span aria-live="polite">
              <Badge tone={tail.state === 'open' ? 'ok' : 'warn'}>{tail.state === 'open' ? 'Live' : tail.state}</Badge>{' '}
              {count(tail.lines.length, 'line')}
            </span>
          ) : contextOf !== '' ? (
            <>
              Lines around one line
              <Button size="compact-xs" variant="default" onClick={() => updateQuery({ around: undefined })}>
                Back to the search
              </Button>
            </>
          ) : (
            <span aria-live="polite">
              {result.data?.kind === 'lines'
                ? `${count(result.data.lines.length, 'line')}${result.data.lines.length === LINE_LIMIT ? ' (the limit)' : ''}`
                : 'Result'}
            </span>
          )}
          <span className="end">
            {tail.isOn || contextOf !== '' ? null : (
              <SegmentedControl
                size="xs"
                value={order}
                onChange={(value) => setDirection(value)}
                aria-label="Order"
                data={[
                  { value: 'backward', label: 'Newest first' },
                  { value: 'forward', label: 'Oldest first' },
                ]}
              />
            )}
          </span>
        </div>
        {tail.isOn ? (
          tail.lines.length > 0 ? (
            lineList(tail.lines)
          ) : tail.problem ? (
            <ErrorState error={new Error(tail.problem)} onRetry={tail.start} />
          ) : (
            <Empty title="Waiting for the next line">Lines appear here as they are written.</Empty>
          )
        ) : (
          <QueryView
            query={result}
            isEmpty={(data) => (data.kind === 'lines' ? data.lines.length === 0 : data.series.length === 0)}
            empty={
              <Empty title="No lines match">
                Nothing in this time range matches {expr}. Widen the range, or begin with {'{namespace="default"}'}.
              </Empty>
            }
          >
            {(data) =>
              data.kind === 'lines' ? (
                lineList(data.lines)
              ) : (
                <div style={{ padding: 14 }}>
                  <TimeSeriesChart
                    label="Result"
                    height={360}
                    range={range}
                    stepSeconds={step}
                    onZoom={(from, to) => setRaw(absolute(from, to))}
                    series={data.series.map((series, index) => {
                      const name =
                        Object.entries(series.labels)
                          .map(([label, value]) => `${label}="${value}"`)
                          .join(', ') || 'value';
                      return {
                        key: name,
                        name,
                        color: paletteColor(index),
                        times: series.times,
                        values: series.values,
                        fill: 10,
                      };
                    })}
                  />
                </div>
              )
            }
          </QueryView>
        )}
      </section>
    </>
  );
}

function volumeSeries(
  series: readonly { labels: Readonly<Record<string, string>>; times: number[]; values: number[] }[],
): ChartSeries[] {
  const order: Level[] = ['unknown', 'trace', 'debug', 'info', 'warn', 'error', 'critical'];
  return series
    .map((item) => {
      const name = item.labels.detected_level ?? 'unknown';
      const level = order.find((known) => known === name) ?? 'unknown';
      return {
        key: name,
        name: level === 'unknown' ? 'no level' : name,
        color: LEVEL_COLORS[level],
        times: item.times,
        values: item.values,
        draw: 'bars' as const,
        fill: 85,
      };
    })
    .sort((a, b) => order.indexOf(b.key as Level) - order.indexOf(a.key as Level));
}

async function linesAround(expr: string, ns: string, signal: AbortSignal) {
  const at = Number(ns.slice(0, -6));
  const half = { limit: 100, signal };
  const [before, after] = await Promise.all([
    queryLogs(expr, { from: milliseconds(at - CONTEXT_MS), to: milliseconds(at), direction: 'backward', ...half }),
    queryLogs(expr, { from: milliseconds(at), to: milliseconds(at + CONTEXT_MS), direction: 'forward', ...half }),
  ]);
  const seen = new Map<string, LogLine>();
  for (const part of [before, after])
    if (part.kind === 'lines') for (const line of part.lines) seen.set(`${line.ns}${line.line}`, line);
  const lines = [...seen.values()]
    .sort((a, b) => (a.ns < b.ns ? 1 : a.ns > b.ns ? -1 : 0))
    .map((line, index) => ({ ...line, key: `${line.ns}-c${index}` }));
  return { kind: 'lines' as const, lines };
}

function useTail(query: string) {
  const [live, setLive] = useQueryState('live');
  const isOn = live === '1';
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [state, setState] = useState<'connecting' | 'open' | 'ended'>('connecting');
  const [problem, setProblem] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` starts it again
  useEffect(() => {
    if (!isOn) return undefined;
    setLines([]);
    setState('connecting');
    setProblem(undefined);
    const tail = tailLogs(query, {
      onOpen: () => setState('open'),
      onLines: (fresh) => setLines((old) => [...fresh, ...old].slice(0, TAIL_LIMIT)),
      onEnd: (reason) => {
        setState('ended');
        setProblem(reason);
      },
    });
    return () => tail.close();
  }, [isOn, query, attempt]);
  return {
    isOn,
    lines,
    state,
    problem,
    start: () => {
      setLive('1', { replace: true });
      setAttempt((count) => count + 1);
    },
    stop: () => setLive(undefined, { replace: true }),
  };
}
