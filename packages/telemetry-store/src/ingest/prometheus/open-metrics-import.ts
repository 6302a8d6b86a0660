import { Labels, METRIC_NAME, type MetricMetadata, type MetricWriter, type Sample } from '@kind-e2e/telemetry';
import { parseExposition } from '../../scrape/text-parser.ts';

export interface ImportResult {
  readonly accepted: number;
  readonly rejected: readonly { readonly reason: string; readonly count: number }[];
}

const BATCH = 10_000;

/**
 * Takes OpenMetrics with timestamps, as `promtool tsdb create-blocks-from openmetrics` does. A sample without a time is
 * an error. Samples older than the store's window are refused and counted unless its retention is off.
 */
export async function importOpenMetrics(text: string, writer: MetricWriter): Promise<ImportResult> {
  const samples: Sample[] = [];
  const metadata = new Map<string, MetricMetadata>();
  const labelsOf = new Map<string, Labels>();
  parseExposition(text, true, {
    sample({ name, labels, value, timestampMs, key, exemplar }) {
      if (timestampMs === undefined) throw new Error(`expected timestamp for series ${key}, found none`);
      let known = labelsOf.get(key);
      if (!known) {
        known = Labels.from([...labels, [METRIC_NAME, name]]);
        labelsOf.set(key, known);
      }
      samples.push({
        labels: known,
        timestampMs,
        value,
        ...(exemplar && { exemplar: { ...exemplar, timestampMs: exemplar.timestampMs ?? timestampMs } }),
      });
    },
    metadata(metric, change) {
      metadata.set(metric, { type: 'unknown', help: '', unit: '', ...metadata.get(metric), ...change });
    },
  });
  for (const [metric, entry] of metadata) writer.setMetadata(metric, entry);
  // In order of time, so that the store need not sort.
  samples.sort((a, b) => a.timestampMs - b.timestampMs);
  let accepted = 0;
  const rejected = new Map<string, number>();
  for (let at = 0; at < samples.length; at += BATCH) {
    const result = await writer.append(samples.slice(at, at + BATCH));
    accepted += result.accepted;
    for (const { reason, count } of result.rejected) rejected.set(reason, (rejected.get(reason) ?? 0) + count);
  }
  return { accepted, rejected: [...rejected].map(([reason, count]) => ({ reason, count })) };
}
