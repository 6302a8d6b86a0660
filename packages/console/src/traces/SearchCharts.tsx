import { navigate } from 'wouter/use-browser-location';
import { hrefTo, updateQuery } from '../app/url-state.ts';
import type { TimeRange } from '../time/range.ts';
import { useServiceColor } from '../ui/Service.tsx';
import { formatLocal } from '../ui/Time.tsx';
import { microseconds } from '../units/brands.ts';
import { count, formatDuration } from '../units/format.ts';
import { durationBins, type TraceRow } from './search-state.ts';
import type { ResultRow } from './TraceSearchPage.tsx';
import { traceTitle } from './trace-tree.ts';
import classes from './traces.module.css';

const HEIGHT = 110;
const WIDTH = 1000;

const toField = (us: number): string =>
  us >= 1_000_000
    ? `${Number((us / 1e6).toPrecision(4))}s`
    : us >= 1000
      ? `${Number((us / 1e3).toPrecision(4))}ms`
      : `${Math.round(us)}us`;

/** How many traces took how long; a click on a bar searches for that duration. */
export function DurationHistogram({ rows }: { rows: readonly TraceRow[] }) {
  const bins = durationBins(rows);
  const top = Math.max(...bins.map((bin) => bin.count), 1);
  const first = bins[0];
  const last = bins.at(-1);
  return (
    <div>
      <div className={classes.chartTitle}>
        <span>Durations</span>
        <span>{bins.length > 0 ? 'a click on a bar filters' : ''}</span>
      </div>
      <div style={{ display: 'flex', alignItems: 'flex-end', gap: 2, height: HEIGHT }}>
        {bins.map((bin) => (
          <button
            type="button"
            data-mark
            key={bin.from}
            disabled={bin.count === 0}
            title={`${formatDuration(microseconds(bin.from))} – ${formatDuration(microseconds(bin.to))}: ${bin.count}`}
            aria-label={`${bin.count} traces between ${formatDuration(microseconds(bin.from))} and ${formatDuration(microseconds(bin.to))}`}
            onClick={() =>
              updateQuery({ minDuration: toField(bin.from * 0.9999), maxDuration: toField(bin.to * 1.0001) })
            }
            style={{
              all: 'unset',
              flex: 1,
              height: '100%',
              display: 'flex',
              flexDirection: 'column',
              justifyContent: 'flex-end',
              cursor: bin.count > 0 ? 'pointer' : 'default',
            }}
          >
            <span
              style={{
                display: 'block',
                height: `${(bin.errors / top) * 100}%`,
                background: 'var(--bad)',
                borderRadius: '2px 2px 0 0',
              }}
            />
            <span
              style={{
                display: 'block',
                height: `${((bin.count - bin.errors) / top) * 100}%`,
                minHeight: bin.count > 0 ? 2 : 1,
                background: bin.count > 0 ? 'var(--accent)' : 'var(--surface-3)',
                opacity: bin.count > 0 ? 0.8 : 1,
                borderRadius: bin.errors > 0 ? 0 : '2px 2px 0 0',
              }}
            />
          </button>
        ))}
      </div>
      <div className={classes.chartTitle} style={{ margin: '4px 0 0' }}>
        <span>{first ? formatDuration(microseconds(first.from)) : ''}</span>
        <span>{last ? formatDuration(microseconds(last.to)) : ''}</span>
      </div>
    </div>
  );
}

const LOG_FROM = 30;

/** Round durations (µs) of a scale from `low` to `high`, for the lines of the grid: powers of ten, or four even steps. */
export function durationTicks(low: number, high: number, isLog: boolean): number[] {
  if (isLog) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const ticks = Array.from(
      { length: Math.floor(Math.log10(high) + 1e-9) - first + 1 },
      (_, index) => 10 ** (first + index),
    );
    return ticks.length > 4 ? ticks.filter((_, index) => (ticks.length - 1 - index) % 2 === 0) : ticks;
  }
  const rough = high / 3;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10) * unit;
  return Array.from({ length: Math.floor(high / step) }, (_, index) => (index + 1) * step);
}

/** Each trace a dot: when, and how long. Red ones failed. When not all are here, the time is that of those that are. */
export function DurationScatter({
  rows,
  range,
  isCut,
}: {
  rows: readonly ResultRow[];
  range: TimeRange;
  isCut: boolean;
}) {
  const color = useServiceColor();
  const high = Math.max(...rows.map((row) => row.duration), 1);
  const low = Math.min(...rows.map((row) => row.duration).filter((value) => value > 0), high);
  const isLog = high / Math.max(low, 1) > LOG_FROM;
  const y = (duration: number): number => {
    const share = isLog ? Math.log(Math.max(duration, low) / low) / Math.log(high / low || 2) : duration / high;
    return HEIGHT - 8 - share * (HEIGHT - 18);
  };
  const from = isCut ? Math.min(...rows.map((row) => row.start / 1000)) : range.from;
  const to = Math.max(isCut ? Math.max(...rows.map((row) => row.start / 1000)) : range.to, from + 1);
  const x = (start: number): number => ((start / 1000 - from) / (to - from)) * 100;
  return (
    <div>
      <div className={classes.chartTitle}>
        <span>Duration over time{isLog ? ' (logarithmic)' : ''}</span>
        <span>{isCut ? 'the traces found last' : ''}</span>
      </div>
      <div className={classes.plot}>
        <div className={classes.ticks} aria-hidden>
          {rows.length === 0
            ? null
            : durationTicks(low, high, isLog).map((tick) => (
                <span key={tick} style={{ top: y(tick) }}>
                  {formatDuration(microseconds(tick))}
                </span>
              ))}
        </div>
        <svg className={classes.scatter} width="100%" height={HEIGHT} aria-label="Traces by time and duration">
          <line x1="0" x2="100%" y1={HEIGHT - 2} y2={HEIGHT - 2} stroke="var(--line)" />
          {rows.length === 0
            ? null
            : durationTicks(low, high, isLog).map((tick) => (
                <line key={tick} x1="0" x2="100%" y1={y(tick)} y2={y(tick)} stroke="var(--line)" strokeOpacity={0.7} />
              ))}
          {rows.slice(0, WIDTH).map((row) => {
            const title = traceTitle(row.tree);
            const href = hrefTo(`/jaeger/trace/${row.id}`);
            return (
              // biome-ignore lint/a11y/useSemanticElements: a circle of an SVG cannot be an anchor by itself
              <circle
                key={row.id}
                role="link"
                tabIndex={-1}
                cx={`${Math.min(Math.max(x(row.start), 0.6), 99.4)}%`}
                cy={y(row.duration)}
                r={Math.min(3 + Math.sqrt(row.spans) / 3, 8)}
                fill={row.errors > 0 ? 'var(--bad)' : color(title.service)}
                fillOpacity={0.7}
                onClick={() => navigate(href)}
                onKeyDown={(event) => {
                  if (event.key === 'Enter') navigate(href);
                }}
              >
                <title>{`${title.operation}\n${formatDuration(microseconds(row.duration))}, ${count(row.spans, 'span')}${row.errors > 0 ? `, ${count(row.errors, 'error')}` : ''}\n${formatLocal(row.start / 1000)}`}</title>
              </circle>
            );
          })}
        </svg>
      </div>
      <div className={`${classes.chartTitle} ${classes.scatterTimes}`}>
        <span>{formatLocal(from, { withDate: false })}</span>
        <span>{formatLocal(to, { withDate: false })}</span>
      </div>
    </div>
  );
}
