import type { ReactNode } from 'react';
import { formatUnit } from '../units/format.ts';

/** A figure with its unit, the unit smaller. */
export function Value({
  value,
  unit,
  decimals,
}: {
  value: number | null | undefined;
  unit?: string;
  decimals?: number | undefined;
}) {
  const formatted = formatUnit(value, unit, decimals);
  return (
    <span className="nowrap" style={{ fontVariantNumeric: 'tabular-nums' }}>
      {formatted.text}
      {formatted.unit ? <span className="unit">{formatted.unit}</span> : null}
    </span>
  );
}

export type Tone = 'ok' | 'warn' | 'bad' | 'accent' | 'plain';

export function Badge({ tone = 'plain', children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span className="badge" data-tone={tone} title={title}>
      {children}
    </span>
  );
}
