import type { TagOverride } from '../snapshot/telemetry.ts';
import { escapeLabel } from './expose.ts';

/** Label text of a series under the overrides of Telemetry objects; undefined: the metric is turned off. */
export function applyOverrides(
  labels: readonly (readonly [string, string])[],
  overrides: readonly TagOverride[],
  metric: string,
): string | undefined {
  if (overrides.length === 0) return format(labels);
  const reporter = labels.find(([name]) => name === 'reporter')?.[1];
  const result = new Map(labels);
  for (const override of overrides) {
    if (override.metric !== 'ALL_METRICS' && override.metric !== metric) continue;
    if (override.reporter !== undefined && override.reporter !== reporter) continue;
    if (override.disabled) {
      if (override.tag === '') return undefined;
      continue;
    }
    if (override.tag === '') continue;
    if (override.value === undefined) result.delete(override.tag);
    else result.set(override.tag, override.value);
  }
  return format([...result]);
}

function format(labels: readonly (readonly [string, string])[]): string {
  return labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',');
}
