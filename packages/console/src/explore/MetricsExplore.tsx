import { Button, SegmentedControl } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { type QueryResult, seriesName } from '../api/prometheus.ts';
import { useInstant, useRange } from '../api/queries.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { updateQuery, useQueryState } from '../app/url-state.ts';
import { TimeSeriesChart } from '../charts/TimeSeriesChart.tsx';
import { createPromqlLanguage } from '../editors/promql-language.ts';
import { QueryEditor } from '../editors/QueryEditor.tsx';
import { absolute } from '../time/range.ts';
import { Empty, QueryView, SkeletonBlock } from '../ui/States.tsx';
import { Badge, Value } from '../ui/Value.tsx';
import { paletteColor } from '../units/service-color.ts';
import classes from './explore.module.css';
import { unitOfQuery } from './unit-of-query.ts';

const EXAMPLES = [
  'sum by (destination_workload) (rate(istio_requests_total{reporter="destination"}[1m]))',
  'histogram_quantile(0.95, sum by (le, view) (rate(http_request_duration_seconds_bucket[1m])))',
  'sum by (status) (rate(http_responses_total[1m]))',
  'up',
];
const CHART_HEIGHT = 400;
const MAX_DRAWN = 100;

/** One PromQL query as a graph and as a table. */
export function MetricsExplore({ param }: { param: string }) {
  const { range, setRaw } = useTime();
  const [expr] = useQueryState(param, '');
  const [tab, setTab] = useQueryState('tab', 'graph');
  const [isStacked, setStacked] = useQueryState('stacked');
  const [text, setText] = useState(expr);
  useEffect(() => setText(expr), [expr]);
  const language = useMemo(createPromqlLanguage, []);
  const run = (query: string): void => updateQuery({ [param]: query.trim() });
  const unit = useMemo(() => unitOfQuery(expr), [expr]);
  const graph = useRange(expr, 300, { enabled: tab === 'graph' });
  const table = useInstant(expr, { enabled: tab !== 'graph' });
  return (
    <>
      <section className="card" style={{ marginBottom: 14 }} aria-label="Query">
        <div className={classes.bar}>
          <QueryEditor
            value={text}
            language={language}
            onChange={setText}
            onRun={run}
            label="PromQL query"
            placeholder="Expression (Enter runs it, Shift Enter is a new line)"
          />
          <Button h={36} onClick={() => run(text)}>
            Run
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
      <section className="card" aria-label="Result">
        <div className="card-head">
          <SegmentedControl
            size="xs"
            value={tab === 'graph' ? 'graph' : 'table'}
            onChange={(value) => setTab(value)}
            aria-label="Shape"
            data={[
              { value: 'graph', label: 'Graph' },
              { value: 'table', label: 'Table' },
            ]}
          />
          <span className="end">
            {tab === 'graph' ? (
              <>
                <span className="dim">step {graph.stepSeconds} s</span>
                <SegmentedControl
                  size="xs"
                  value={isStacked === '1' ? 'stacked' : 'lines'}
                  onChange={(value) => setStacked(value === 'stacked' ? '1' : undefined)}
                  aria-label="Drawing"
                  data={[
                    { value: 'lines', label: 'Lines' },
                    { value: 'stacked', label: 'Stacked' },
                  ]}
                />
              </>
            ) : null}
          </span>
        </div>
        {expr.trim() === '' ? (
          <Empty title="Nothing asked yet">Type an expression, or take one of the examples above.</Empty>
        ) : tab === 'graph' ? (
          <QueryView
            query={graph}
            loading={
              <div style={{ padding: 14 }}>
                <SkeletonBlock height={CHART_HEIGHT} />
              </div>
            }
            isEmpty={(data) => data.series.length === 0}
            empty={<NoData />}
          >
            {(data) => (
              <div style={{ padding: 14 }}>
                <Notes data={data} />
                <TimeSeriesChart
                  label={expr}
                  {...(unit === undefined ? {} : { unit })}
                  height={CHART_HEIGHT}
                  range={range}
                  stepSeconds={graph.stepSeconds}
                  stacked={isStacked === '1'}
                  legend={{
                    mode: data.series.length > 8 ? 'table' : 'list',
                    calcs: data.series.length > 8 ? ['min', 'max', 'lastNotNull'] : [],
                  }}
                  onZoom={(from, to) => setRaw(absolute(from, to))}
                  series={data.series.slice(0, MAX_DRAWN).map((series, index) => {
                    const name = seriesName(series.labels);
                    return {
                      key: name,
                      name,
                      color: paletteColor(index),
                      times: series.times,
                      values: series.values,
                      fill: isStacked === '1' ? 40 : 0,
                    };
                  })}
                />
                {data.series.length > MAX_DRAWN ? (
                  <p className="dim">
                    The first {MAX_DRAWN} of {data.series.length} series are drawn.
                  </p>
                ) : null}
              </div>
            )}
          </QueryView>
        ) : (
          <QueryView
            query={table}
            isEmpty={(data) => data.series.length === 0 && data.text === undefined}
            empty={<NoData />}
          >
            {(data) => (
              <>
                <Notes data={data} />
                <ResultTable data={data} unit={unit} />
              </>
            )}
          </QueryView>
        )}
      </section>
    </>
  );
}

const NoData = () => (
  <Empty title="The query gives nothing">No series in this time range has such a name and such labels.</Empty>
);

function Notes({ data }: { data: QueryResult }) {
  return data.notes.map((note) => (
    <div key={note} style={{ marginBottom: 6 }}>
      <Badge tone="warn">{note}</Badge>
    </div>
  ));
}

function ResultTable({ data, unit }: { data: QueryResult; unit: string | undefined }) {
  if (data.text !== undefined) return <p className="mono card-body">{data.text}</p>;
  return (
    <div className="scroll-x">
      <table className="grid">
        <thead>
          <tr>
            <th>Series</th>
            <th className="num">Value</th>
          </tr>
        </thead>
        <tbody>
          {data.series.slice(0, 1000).map((series) => (
            <tr key={seriesName(series.labels)}>
              <td className="mono" style={{ overflowWrap: 'anywhere' }}>
                {seriesName(series.labels)}
              </td>
              <td className="num" title={String(series.values.at(-1))}>
                <Value value={series.values.at(-1) ?? Number.NaN} {...(unit === undefined ? {} : { unit })} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
