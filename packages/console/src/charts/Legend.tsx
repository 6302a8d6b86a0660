import { formatUnitText } from '../units/format.ts';
import { pickReduced, reduceValues } from './align.ts';
import classes from './chart.module.css';
import type { ChartSeries } from './TimeSeriesChart.tsx';

export interface LegendOptions {
  mode: 'list' | 'table' | 'hidden';
  calcs?: readonly string[];
}

const CALC_NAMES: Readonly<Record<string, string>> = {
  lastNotNull: 'Last',
  last: 'Last',
  mean: 'Mean',
  max: 'Max',
  min: 'Min',
  sum: 'Total',
  count: 'Count',
};

interface Props {
  options: LegendOptions;
  height: number;
  series: readonly ChartSeries[];
  columns: readonly (readonly (number | null)[])[];
  hidden: ReadonlySet<string>;
  onToggle: (key: string, isolate: boolean) => void;
  unit: string | undefined;
  decimals: number | undefined;
}

/** Click shows a series alone, with Ctrl hides or shows it. */
export function Legend({ options, height, series, columns, hidden, onToggle, unit, decimals }: Props) {
  const calcs = options.calcs ?? [];
  const item = (one: ChartSeries, extra?: string) => (
    <button
      key={one.key}
      type="button"
      className={classes.legendItem}
      aria-pressed={!hidden.has(one.key)}
      title={`${one.name} (click: alone, Ctrl click: hide)`}
      onClick={(event) => onToggle(one.key, !(event.ctrlKey || event.metaKey))}
    >
      <span className={classes.mark} style={{ background: one.color }} />
      <span className="ellipsis">{one.name}</span>
      {extra ? <b style={{ fontWeight: 600 }}>{extra}</b> : null}
    </button>
  );
  if (options.mode === 'table')
    return (
      <div className={classes.legendTable} style={{ height }}>
        <table>
          <thead>
            <tr>
              <th>Name</th>
              {calcs.map((calc) => (
                <th key={calc}>{CALC_NAMES[calc] ?? calc}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {series.map((one, index) => {
              const reduced = reduceValues(columns[index] ?? []);
              return (
                <tr key={one.key}>
                  <td className="ellipsis">{item(one)}</td>
                  {calcs.map((calc) => (
                    <td key={calc}>{formatUnitText(pickReduced(reduced, calc), one.unit ?? unit, decimals)}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    );
  return (
    <div className={classes.legend} style={{ height }}>
      {series.map((one, index) => {
        const calc = calcs[0];
        return item(
          one,
          calc === undefined
            ? undefined
            : formatUnitText(pickReduced(reduceValues(columns[index] ?? []), calc), one.unit ?? unit, decimals),
        );
      })}
    </div>
  );
}
