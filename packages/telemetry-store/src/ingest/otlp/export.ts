import type { Clock } from '@kind-e2e/base';
import type { TelemetryStore } from '../../open.ts';
import { IngestError } from '../ingest-error.ts';
import { parseJsonObject } from './json.ts';
import { decodeOtlpLogs } from './logs.ts';
import { decodeOtlpMetrics } from './metrics.ts';
import type { OtlpSignal, PartialSuccess } from './response.ts';
import { encodeOtlpJsonTraces } from './traces.ts';

/** Takes one Export…ServiceRequest, whatever transport brought it. What was refused comes back as partial success. */
export async function exportOtlp(
  signal: OtlpSignal,
  body: Buffer,
  mediaType: string,
  store: Pick<TelemetryStore, 'metrics' | 'logs' | 'traces'>,
  clock: Clock,
): Promise<PartialSuccess | undefined> {
  switch (signal) {
    case 'traces': {
      const request = mediaType === 'application/json' ? encodeOtlpJsonTraces(parseJsonObject(body)) : body;
      return partialOf((await store.traces.appendRequest(request)).rejected);
    }
    case 'logs':
      return partialOf((await store.logs.append(decodeOtlpLogs(body, mediaType, clock))).rejected);
    case 'metrics': {
      const { samples, metadata, problems } = decodeOtlpMetrics(body, mediaType);
      for (const [name, entry] of metadata) store.metrics.setMetadata(name, entry);
      const { rejected } = await store.metrics.append(samples);
      return partialOf([...rejected, ...[...problems].map(([reason, count]) => ({ reason, count }))]);
    }
  }
}

function partialOf(
  rejected: readonly { readonly reason: string; readonly count: number }[],
): PartialSuccess | undefined {
  if (rejected.length === 0) return undefined;
  const count = rejected.reduce((sum, refusal) => sum + refusal.count, 0);
  const message = rejected.map((refusal) => `${refusal.reason} (${refusal.count})`).join('; ');
  if (rejected.every(({ reason }) => reason.includes('rate limit')))
    throw new IngestError(429, message, { retryAfterSeconds: 1 });
  return { rejected: count, message };
}
