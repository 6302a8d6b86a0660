import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@kind-e2e/base';
import { PromqlSyntaxError, parseMetricSelector } from '@kind-e2e/promql';
import { isStaleAt, type LabelMatcher, type Labels, METRIC_NAME, type MetricReader } from '@kind-e2e/telemetry';
import { sendBytes, sendText } from '../http/send.ts';
import { encodeFamilies, type FederatedSample } from './federate-protobuf.ts';
import { valueText } from './value-bytes.ts';

/** How far back the newest sample of a series may be. */
const LOOKBACK_MS = 300_000;

/** `/federate`: the newest sample of each matching series in the text format or as protobuf (prometheus web/federate.go). */
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
  const accept = request.headers.accept ?? '';
  const isUtf8 = /escaping=allow-utf-8/.test(accept);
  const escaping = isUtf8 ? 'allow-utf-8' : 'underscores';
  const nameOf = isUtf8 ? (name: string): string => name : underscored;
  const samples = newestSamples(reader, matchers, nowMs);
  if (wantsProtobuf(accept))
    sendBytes(response, 200, encodeFamilies(samples, nameOf), `${PROTOBUF}; escaping=${escaping}`);
  else
    sendText(response, 200, textOf(samples, nameOf), `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`);
}

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** Whether the first format of the header, by weight, that can be served is the binary one (common/expfmt, Negotiate). */
function wantsProtobuf(accept: string): boolean {
  const clauses = accept.split(',').map((clause) => {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    return { type, parameters, weight: Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1) };
  });
  for (const { type, parameters } of clauses.sort((a, b) => b.weight - a.weight)) {
    if (type === 'application/vnd.google.protobuf' && parameters.includes('encoding=delimited'))
      return parameters.includes('proto=io.prometheus.client.MetricFamily');
    const version = parameters.find((one) => one.startsWith('version='));
    if (type === 'text/plain' && (version === undefined || version === 'version=0.0.4')) return false;
  }
  return false;
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
): readonly FederatedSample[] {
  const found = new Map<string, FederatedSample>();
  for (const matchers of selectors)
    for (const { labels, timestamps, values, histograms } of reader.select({
      matchers,
      startMs: nowMs - LOOKBACK_MS,
      endMs: nowMs,
    })) {
      const last = timestamps.length - 1;
      if (last < 0 || isStaleAt(values, last)) continue;
      const histogram = histograms?.[last];
      found.set(labels.key, { labels, timestampMs: timestamps[last] ?? 0, value: values[last] ?? 0, histogram });
    }
  const name = ({ labels }: FederatedSample): string => labels.get(METRIC_NAME);
  return [...found.values()].sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}

/** The text format has no native histograms. */
function textOf(samples: readonly FederatedSample[], nameOf: (name: string) => string): string {
  const lines: { labels: Labels; text: string }[] = [];
  for (const { labels, timestampMs, value, histogram } of samples) {
    if (histogram !== undefined) continue;
    const pairs = [...labels]
      .filter(([name]) => name !== METRIC_NAME)
      .map(([name, content]) => `${quoted(nameOf(name))}="${escapeValue(content)}"`);
    const instance = labels.has('instance') ? [] : ['instance=""'];
    const name = quoted(nameOf(labels.get(METRIC_NAME)));
    const inside = [...(name.startsWith('"') ? [name] : []), ...pairs, ...instance].join(',');
    const text = `${name.startsWith('"') ? '' : name}{${inside}} ${value === 0 ? '0' : valueText(value)} ${timestampMs}`;
    lines.push({ labels, text });
  }
  const byName = new Map<string, string[]>();
  for (const { labels, text } of lines) {
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
