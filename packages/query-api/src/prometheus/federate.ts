import { isStaleAt, type LabelMatcher, type Labels, METRIC_NAME, type MetricReader } from '@kind-e2e/telemetry';
import { valueText } from './render.ts';

/** How far back the newest sample of a series may be. */
const LOOKBACK_MS = 300_000;

/** `/federate`: the newest sample of each matching series in the text format (prometheus web/federate.go). */
export function federate(reader: MetricReader, selectors: readonly (readonly LabelMatcher[])[], nowMs: number): string {
  const lines = new Map<string, { labels: Labels; text: string }>();
  for (const matchers of selectors)
    for (const { labels, timestamps, values, histograms } of reader.select({
      matchers,
      startMs: nowMs - LOOKBACK_MS,
      endMs: nowMs,
    })) {
      const last = timestamps.length - 1;
      // The text format has no native histograms.
      if (last < 0 || isStaleAt(values, last) || histograms?.[last]) continue;
      const pairs = [...labels]
        .filter(([name]) => name !== METRIC_NAME)
        .map(([name, value]) => `${name}="${escapeValue(value)}"`);
      const instance = labels.has('instance') ? [] : ['instance=""'];
      const text = `{${[...pairs, ...instance].join(',')}} ${valueText(values[last] ?? 0)} ${timestamps[last]}`;
      lines.set(labels.key, { labels, text });
    }
  const byName = new Map<string, string[]>();
  for (const { labels, text } of lines.values()) {
    const name = labels.get(METRIC_NAME);
    const same = byName.get(name);
    if (same) same.push(text);
    else byName.set(name, [text]);
  }
  let out = '';
  for (const name of [...byName.keys()].sort()) {
    out += `# TYPE ${name} untyped\n`;
    for (const text of byName.get(name) ?? []) out += `${name}${text}\n`;
  }
  return out;
}

function escapeValue(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}
