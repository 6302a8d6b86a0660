import classes from '../dashboard.module.css';
import type { PanelBodyProps } from './PanelBody.tsx';
import { reduceFrames, scaleOf } from './reduce.ts';

/** Bars from the left; a pie chart is shown this way too, largest first, since lengths compare better than angles. */
export function BarGaugePanel({ panel, data }: PanelBodyProps) {
  const reduced = reduceFrames(panel, data.frames);
  if (panel.type !== 'bargauge') reduced.sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const { min, max } = scaleOf(reduced);
  return (
    <div
      style={{
        height: '100%',
        overflow: 'auto',
        display: 'flex',
        flexDirection: 'column',
        justifyContent: reduced.length < 4 ? 'center' : 'flex-start',
      }}
    >
      {reduced.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two series may have one name
        <div key={`${item.name}-${index}`} className={classes.barRow}>
          <span className="ellipsis" title={item.name}>
            {item.name}
          </span>
          <span className={classes.barTrack}>
            <i
              style={{
                width: `${Math.min(Math.max((((item.value ?? min) - min) / (max - min)) * 100, 0), 100)}%`,
                background: item.color,
              }}
            />
          </span>
          <b className="num">
            {item.formatted.text}
            {item.formatted.unit ? <span className="unit">{item.formatted.unit}</span> : null}
          </b>
        </div>
      ))}
    </div>
  );
}
