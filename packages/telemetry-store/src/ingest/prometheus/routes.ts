import type { IncomingMessage, ServerResponse } from 'node:http';
import { MalformedError } from '../../bytes/byte-reader.ts';
import { readRaw } from '../body.ts';
import { IngestError } from '../ingest-error.ts';
import { type IngestRoute, type RouteContext, sendText } from '../receiver.ts';
import { decompressSnappy } from '../snappy.ts';
import { RemoteWriteReader } from './remote-write.ts';

const V1 = 'prometheus.WriteRequest';
const V2 = 'io.prometheus.write.v2.Request';

const MAX_SCRATCH_BYTES = 4 * 1024 * 1024;

/** POST /api/v1/write: remote write 1.0 and 2.0 (prometheus.io, "Remote-Write" specifications). */
export function prometheusRoutes(context: RouteContext): IngestRoute[] {
  const reader = new RemoteWriteReader();
  let kept = Buffer.alloc(0);
  /** A body is read without a pause, so the next may be in the same place. */
  const scratch = (bytes: number): Buffer => {
    if (bytes > MAX_SCRATCH_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (bytes > kept.length) kept = Buffer.allocUnsafeSlow(Math.max(bytes, kept.length * 2));
    return kept.subarray(0, bytes);
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const message = messageType(String(request.headers['content-type'] ?? ''));
    const encoding = String(request.headers['content-encoding'] ?? 'snappy').toLowerCase();
    if (encoding !== 'snappy')
      throw new IngestError(415, `${encoding} encoding (compression) is not accepted by this server`);
    const raw = await readRaw(request, context.limits.maxBodyBytes);
    let written: ReturnType<RemoteWriteReader['readV1']>;
    try {
      const body = decompressSnappy(raw, context.limits.maxDecodedBytes, scratch);
      written = message === V2 ? reader.readV2(body) : reader.readV1(body);
    } catch (error) {
      if (error instanceof MalformedError) throw new IngestError(400, error.message, { cause: error });
      throw error;
    }
    const { metrics } = context.store;
    for (const { metric, metadata } of written.metadata) metrics.setMetadata(metric, metadata);
    const results = [metrics.appendBatch(written.batch)];
    if (written.samples.length > 0) results.push(metrics.append(written.samples));
    const rejected = (await Promise.all(results)).flatMap((result) => result.rejected);
    const refused = rejected.reduce((sum, { count }) => sum + count, 0);
    const { samples, histograms, exemplars } = written.counts;
    if (message === V2) {
      response.setHeader('X-Prometheus-Remote-Write-Samples-Written', String(Math.max(0, samples - refused)));
      response.setHeader('X-Prometheus-Remote-Write-Histograms-Written', String(histograms));
      response.setHeader('X-Prometheus-Remote-Write-Exemplars-Written', String(exemplars));
    }
    if (written.invalidLabels.length > 0)
      context.logger.warn('series of a remote write were left out', {
        count: written.invalidLabels.length,
        first: written.invalidLabels[0],
      });
    const problems = [
      // The receiver of version 1 says nothing of these; the specification of version 2 wants them told.
      ...(message === V2 ? written.invalidLabels : []),
      ...written.problems,
      ...rejected.map(({ reason, count }) => `${reason} (${count} samples)`),
    ];
    if (problems.length > 0)
      throw new IngestError(
        rejected.some(({ reason }) => reason === 'rate limit exceeded') ? 429 : 400,
        problems.join('\n'),
      );
    response.writeHead(204);
    response.end();
  };
  const fail = (_request: IncomingMessage, response: ServerResponse, error: IngestError): void =>
    sendText(response, error.status, error.message);
  return ['', '/prometheus'].map((prefix) => ({ method: 'POST', path: `${prefix}/api/v1/write`, handle, fail }));
}

function messageType(contentType: string): string {
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim());
  if (type !== '' && type?.toLowerCase() !== 'application/x-protobuf')
    throw new IngestError(415, `expected application/x-protobuf as the first (media) part, got ${type} content-type`);
  const proto = parameters.find((parameter) => parameter.startsWith('proto='))?.slice('proto='.length);
  if (proto === undefined) return V1;
  if (proto !== V1 && proto !== V2) throw new IngestError(415, `got ${proto} proto; only ${V1} and ${V2} are accepted`);
  return proto;
}
