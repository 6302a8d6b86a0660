import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import type { QueryResult } from '../api/prometheus.ts';
import { useRange } from '../api/queries.ts';
import { useTime } from '../app/TimeProvider.tsx';
import { type ChartSeries, TimeSeriesChart } from '../charts/TimeSeriesChart.tsx';
import { absolute } from '../time/range.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { useServiceColor } from '../ui/Service.tsx';
import { Empty, ErrorState, SkeletonBlock } from '../ui/States.tsx';
import { Value } from '../ui/Value.tsx';
import classes from './home.module.css';

const APP = 'reporter="destination",destination_workload_namespace!="istio-system"';
const CHART_HEIGHT = 150;

const SIGNALS = [
  {
    title: 'Requests',
    unit: 'reqps',
    query: `sum by (destination_workload) (rate(istio_requests_total{${APP}}[1m]))`,
    total: (values: number[]) => values.reduce((a, b) => a + b, 0),
  },
  {
    title: 'Errors',
    unit: 'percentunit',
    query: `sum by (destination_workload) (rate(istio_requests_total{${APP},response_code=~"5.."}[1m])) / sum by (destination_workload) (rate(istio_requests_total{${APP}}[1m]))`,
    total: (values: number[]) => Math.max(0, ...values),
  },
  {
    title: 'Latency, 95th percentile',
    unit: 'ms',
    query: `histogram_quantile(0.95, sum by (destination_workload, le) (rate(istio_request_duration_milliseconds_bucket{${APP}}[1m])))`,
    total: (values: number[]) => Math.max(0, ...values),
  },
  {
    title: 'Memory of the pods',
    unit: 'bytes',
    query:
      'sum by (pod) (container_memory_working_set_bytes{namespace!="istio-system",container!=""}) or sum by (pod) (process_resident_memory_bytes{namespace!="istio-system"})',
    total: (values: number[]) => values.reduce((a, b) => a + b, 0),
  },
] as const;

/** Traffic, errors, latency and saturation of the app, as the mesh sees them. */
export function GoldenSignals() {
  return (
    <section className="card" aria-label="Golden signals">
      <div className="card-head">
        Golden signals of the app
        <span className="end">
          <AppLink to="/grafana/d/business-logic">Dashboard</AppLink>
        </span>
      </div>
      <div className={classes.signals}>
        {SIGNALS.map((signal) => (
          <Signal key={signal.title} {...signal} />
        ))}
      </div>
    </section>
  );
}

function Signal({ title, unit, query, total }: (typeof SIGNALS)[number]) {
  const { range, setRaw } = useTime();
  const result = useRange(query, 180);
  const series = useLines(result.data, unit === 'bytes' ? 'pod' : 'destination_workload');
  const last = series.map((line) => line.values.at(-1) ?? 0).filter(Number.isFinite);
  return (
    <div className={classes.signal}>
      <div className={classes.signalHead}>
        {title}
        <b>{last.length > 0 ? <Value value={total(last)} unit={unit} /> : null}</b>
      </div>
      {result.data === undefined ? (
        result.isError ? (
          <ErrorState error={result.error} compact />
        ) : (
          <SkeletonBlock height={CHART_HEIGHT} />
        )
      ) : series.length === 0 ? (
        <div style={{ height: CHART_HEIGHT, display: 'grid', placeItems: 'center' }}>
          <Empty compact title={title === 'Errors' ? 'No errors' : 'No samples in this time'} />
        </div>
      ) : (
        <TimeSeriesChart
          label={title}
          series={series}
          range={range}
          height={CHART_HEIGHT}
          unit={unit}
          syncKey="home"
          stepSeconds={result.stepSeconds}
          onZoom={(from, to) => setRaw(absolute(from, to))}
          {...(unit === 'percentunit' ? { min: 0 } : {})}
        />
      )}
    </div>
  );
}

function useLines(data: QueryResult | undefined, label: string): ChartSeries[] {
  const color = useServiceColor();
  const scheme = useComputedColorScheme('light');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colour follows the scheme
  return useMemo(
    () =>
      (data?.series ?? [])
        .map((series) => {
          const name = series.labels[label] ?? 'all';
          return {
            key: name,
            name,
            color: color(name.replace(/-[a-f0-9]{6,10}-[a-z0-9]{5}$/, '')),
            times: series.times,
            values: series.values,
            fill: 14,
          };
        })
        .sort((a, b) => a.name.localeCompare(b.name)),
    [data, scheme, label],
  );
}
