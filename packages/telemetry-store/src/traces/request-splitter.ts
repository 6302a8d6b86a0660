import { MalformedError } from '../bytes/byte-reader.ts';
import { walkRequest } from './request-walker.ts';

/** Spans of one record of the write-ahead log; larger requests are split, so that blocks keep their size. */
export const RECORD_SPANS_MAX = 2048;

/** Parts of a request with at most `RECORD_SPANS_MAX` good spans each, and `allowed` altogether. */
export function* splitRequest(request: Buffer, allowed: number, maxSpanBytes: number): Generator<Buffer> {
  const parts: { resource: Buffer; scope: Buffer; spans: Buffer[] }[] = [];
  let resource: Buffer = Buffer.alloc(0);
  let scope: Buffer = Buffer.alloc(0);
  let left = allowed;
  walkRequest(request, {
    resource: (bytes) => {
      resource = bytes;
    },
    scope: (bytes) => {
      scope = bytes;
    },
    span: (span) => {
      if (span.traceIdAt < 0 || span.spanIdAt < 0 || span.end - span.at > maxSpanBytes || left === 0) return;
      left--;
      let part = parts.at(-1);
      if (!part || part.resource !== resource || part.scope !== scope || part.spans.length >= RECORD_SPANS_MAX) {
        part = { resource, scope, spans: [] };
        parts.push(part);
      }
      part.spans.push(request.subarray(span.at, span.end));
    },
  });
  let pieces: Buffer[] = [];
  let count = 0;
  for (const part of parts) {
    const scopeSpans = field(2, [field(1, [part.scope]), ...part.spans.map((span) => field(2, [span]))]);
    pieces.push(field(1, [field(1, [part.resource]), scopeSpans]));
    count += part.spans.length;
    if (count < RECORD_SPANS_MAX) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    count = 0;
  }
  if (count > 0) yield Buffer.concat(pieces);
}

function field(number: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length >= 1 << 28) throw new MalformedError('a part of the request is too large');
  const head = Buffer.from([
    number * 8 + 2,
    (length & 127) | 128,
    ((length >> 7) & 127) | 128,
    ((length >> 14) & 127) | 128,
    length >> 21,
  ]);
  return Buffer.concat([head, ...parts]);
}
