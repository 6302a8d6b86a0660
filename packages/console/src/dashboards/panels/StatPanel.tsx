import { Sparkline } from '../../charts/Sparkline.tsx';
import classes from '../dashboard.module.css';
import type { PanelBodyProps } from './PanelBody.tsx';
import { reduceFrames } from './reduce.ts';

/** Large figures with a small line behind them. */
export function StatPanel({ panel, data, height }: PanelBodyProps) {
  const { options } = panel;
  const reduced = reduceFrames(panel, data.frames);
  const showsName =
    options?.textMode === 'value_and_name' ||
    options?.textMode === 'name' ||
    (reduced.length > 1 && options?.textMode !== 'value');
  const isFilled = options?.colorMode === 'background' || options?.colorMode === 'background_solid';
  const isColored = options?.colorMode !== 'none';
  const sparkHeight = Math.min(height * 0.34, 44);
  const hasLine = (values: readonly unknown[]): boolean => options?.graphMode === 'area' && values.length > 2;
  return (
    <div className={classes.stats}>
      {reduced.map((item, index) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: two series may have one name
          key={`${item.name}-${index}`}
          className={classes.stat}
          style={{
            ...(isFilled ? { background: `color-mix(in srgb, ${item.color} 22%, var(--surface))` } : {}),
            // The line stands below the figure, never behind it.
            ...(hasLine(item.frame.values) ? { paddingBottom: sparkHeight } : {}),
          }}
        >
          {options?.textMode === 'name' || options?.textMode === 'none' ? null : (
            <div
              className={classes.value}
              style={isColored ? { color: `color-mix(in oklab, ${item.color} 72%, var(--ink))` } : undefined}
            >
              {item.formatted.text}
              {item.formatted.unit ? <span className="unit">{item.formatted.unit}</span> : null}
            </div>
          )}
          {showsName ? <div className={classes.name}>{item.name}</div> : null}
          {hasLine(item.frame.values) ? (
            <div className={classes.spark}>
              <Sparkline values={item.frame.values} color={item.color} height={sparkHeight} />
            </div>
          ) : null}
        </div>
      ))}
    </div>
  );
}
