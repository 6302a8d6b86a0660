import type { PanelBodyProps } from './PanelBody.tsx';
import { reduceFrames, scaleOf } from './reduce.ts';

const START = 0.75 * Math.PI;
const SWEEP = 1.5 * Math.PI;

function arc(from: number, to: number, radius: number): string {
  const at = (share: number): string =>
    `${(60 + radius * Math.cos(START + SWEEP * share)).toFixed(2)} ${(58 + radius * Math.sin(START + SWEEP * share)).toFixed(2)}`;
  return `M${at(from)}A${radius} ${radius} 0 ${(to - from) * SWEEP > Math.PI ? 1 : 0} 1 ${at(to)}`;
}

export function GaugePanel({ panel, data, height }: PanelBodyProps) {
  const reduced = reduceFrames(panel, data.frames);
  const { min, max } = scaleOf(reduced);
  return (
    <div
      style={{ display: 'flex', flexWrap: 'wrap', justifyContent: 'center', gap: 8, height: '100%', overflow: 'auto' }}
    >
      {reduced.map((item) => {
        const share = Math.min(Math.max(((item.value ?? min) - min) / (max - min), 0), 1);
        return (
          <svg
            key={item.name}
            viewBox="0 0 120 104"
            height={Math.max(Math.min(height, 220), 80)}
            role="img"
            aria-label={`${item.name}: ${item.formatted.text} ${item.formatted.unit}`}
          >
            <path d={arc(0, 1, 46)} fill="none" stroke="var(--surface-3)" strokeWidth="11" />
            {share > 0 ? <path d={arc(0, share, 46)} fill="none" stroke={item.color} strokeWidth="11" /> : null}
            <text x="60" y="62" textAnchor="middle" fontSize="19" fontWeight="640" fill="var(--ink)">
              {item.formatted.text}
              <tspan fontSize="10" fill="var(--ink-3)">
                {' '}
                {item.formatted.unit}
              </tspan>
            </text>
            {reduced.length > 1 || panel.options?.textMode === 'value_and_name' ? (
              <text x="60" y="100" textAnchor="middle" fontSize="9" fill="var(--ink-2)">
                {item.name.slice(0, 28)}
              </text>
            ) : null}
          </svg>
        );
      })}
    </div>
  );
}
