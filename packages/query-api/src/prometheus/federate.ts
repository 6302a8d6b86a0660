import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@kind-e2e/base';
import { PromqlSyntaxError, parseMetricSelector } from '@kind-e2e/promql';
import { isStaleAt, type LabelMatcher, type Labels, METRIC_NAME, type MetricReader } from '@kind-e2e/telemetry';
import { sendText } from '../http/send.ts';
import { valueText } from './value-bytes.ts';

/** How far back the newest sample of a series may be. */
const LOOKBACK_MS = 300_000;

/** `/federate`: the newest sample of each matching series in the text format (prometheus web/federate.go). */
export function federate(
  reader: MetricReader,
  selectors: readonly string[],
  nowMs: number,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  let matchers: (readonly LabelMatcher[])[];
  try {
    matchers = selectors.map((text) => parseMetricSelector(text).matchers);
  } catch (error) {
    if (!(error instanceof PromqlSyntaxError)) throw error;
    sendText(response, 400, `${messageOf(error)}\n`);
    return;
  }
  const isUtf8 = /escaping=allow-utf-8/.test(request.headers.accept ?? '');
  const text = newestSamples(reader, matchers, nowMs, isUtf8 ? (name) => name : underscored);
  const escaping = isUtf8 ? 'allow-utf-8' : 'underscores';
  sendText(response, 200, text, `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`);
}

/** A name for clients that do not know others (model.EscapeName, UnderscoreEscaping). */
function underscored(name: string): string {
  return name.replace(/^\d/, '_').replace(/[^A-Za-z0-9_:]/gu, '_');
}

function quoted(name: string): string {
  return /^[A-Za-z_:][\w:]*$/.test(name) ? name : `"${escapeValue(name)}"`;
}

function newestSamples(
  reader: MetricReader,
  selectors: readonly (readonly LabelMatcher[])[],
  nowMs: number,
  nameOf: (name: string) => string,
): string {
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
        .map(([name, value]) => `${quoted(nameOf(name))}="${escapeValue(value)}"`);
      const instance = labels.has('instance') ? [] : ['instance=""'];
      const name = quoted(nameOf(labels.get(METRIC_NAME)));
      const inside = [...(name.startsWith('"') ? [name] : []), ...pairs, ...instance].join(',');
      const text = `${name.startsWith('"') ? '' : name}{${inside}} ${valueText(values[last] ?? 0)} ${timestamps[last]}`;
      lines.set(labels.key, { labels, text });
    }
  const byName = new Map<string, string[]>();
  for (const { labels, text } of lines.values()) {
    const name = quoted(nameOf(labels.get(METRIC_NAME)));
    const same = byName.get(name);
    if (same) same.push(text);
    else byName.set(name, [text]);
  }
  let out = '';
  for (const name of [...byName.keys()].sort()) {
    out += `# TYPE ${name} untyped\n`;
    for (const text of byName.get(name) ?? []) out += `${text}\n`;
  }
  return out;
}

function escapeValue(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}
