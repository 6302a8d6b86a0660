import { randomBytes } from 'node:crypto';

/** Spans as a mesh and its applications send them: traces of ten, six tags, five services, ids that never repeat. */
const SPANS_A_TRACE = 10;
const SERVICES = 5;

export interface SpanBodies {
  /** Ids of some of the traces that were made. */
  readonly traceIds: string[];
  zipkinJson(spans: number, startUs: number): Buffer;
  otlpProtobuf(spans: number, startUs: number): Buffer;
  otlpJson(spans: number, startUs: number): Buffer;
}

interface MadeSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentId: Buffer | undefined;
  readonly name: string;
  readonly isClient: boolean;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tags: Readonly<Record<string, string>>;
}

export function createSpanBodies(): SpanBodies {
  const traceIds: string[] = [];
  let made = 0;
  /** Spans of one service each, so that a body of one service is one resource, as an SDK sends it. */
  const makeSpans = (count: number, startUs: number): MadeSpan[] => {
    const random = randomBytes(count * 28);
    const spans: MadeSpan[] = [];
    for (let at = 0; spans.length < count; ) {
      const traceId = random.subarray(at, at + 16);
      at += 16;
      if (made++ % 50 === 0) traceIds.push(traceId.toString('hex'));
      let parentId: Buffer | undefined;
      for (let i = 0; i < SPANS_A_TRACE && spans.length < count; i++) {
        const spanId = random.subarray(at, at + 8);
        at += 8;
        const dice = spanId.readUInt32LE(0);
        const startsAt = startUs + (spans.length - i) * 10 + i * 1000;
        spans.push({
          traceId,
          spanId,
          parentId,
          name: `GET /items/${i % 4}`,
          isClient: i % 2 === 1,
          startUs: startsAt,
          durationUs: 1_000 + (dice % 100_000) * (dice % 97 === 0 ? 20 : 1),
          tags: {
            component: 'proxy',
            'http.request.method': 'GET',
            'http.response.status_code': dice % 61 === 0 ? '503' : '200',
            'url.path': `/items/${dice % 500}`,
            'server.address': 'business-logic.default.svc.cluster.local',
            'guid:x-request-id': spanId.toString('hex') + traceId.toString('hex', 0, 8),
          },
        });
        parentId = spanId;
      }
    }
    return spans;
  };
  let services = 0;
  const nextService = (): string => `service-${services++ % SERVICES}`;
  return {
    traceIds,
    zipkinJson(count, startUs) {
      const spans = makeSpans(count, startUs).map((span, i) => ({
        traceId: span.traceId.toString('hex'),
        id: span.spanId.toString('hex'),
        ...(span.parentId && { parentId: span.parentId.toString('hex') }),
        name: span.name,
        kind: span.isClient ? 'CLIENT' : 'SERVER',
        timestamp: span.startUs,
        duration: span.durationUs,
        localEndpoint: { serviceName: `service-${Math.floor(i / 2) % SERVICES}`, ipv4: '10.96.0.7' },
        tags: span.tags,
      }));
      return Buffer.from(JSON.stringify(spans));
    },
    otlpProtobuf(count, startUs) {
      const spans = makeSpans(count, startUs).map((span) => bytes(2, protobufSpan(span)));
      return bytes(
        1,
        Buffer.concat([
          bytes(1, attribute(1, 'service.name', nextService())),
          bytes(2, Buffer.concat([bytes(1, Buffer.concat([text(1, 'bench'), text(2, '1.0.0')])), ...spans])),
        ]),
      );
    },
    otlpJson(count, startUs) {
      const spans = makeSpans(count, startUs).map((span) => ({
        traceId: span.traceId.toString('hex'),
        spanId: span.spanId.toString('hex'),
        ...(span.parentId && { parentSpanId: span.parentId.toString('hex') }),
        name: span.name,
        kind: span.isClient ? 3 : 2,
        startTimeUnixNano: `${span.startUs}000`,
        endTimeUnixNano: `${span.startUs + span.durationUs}000`,
        attributes: Object.entries(span.tags).map(([key, value]) => ({ key, value: { stringValue: value } })),
      }));
      const resource = { attributes: [{ key: 'service.name', value: { stringValue: nextService() } }] };
      return Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }));
    },
  };
}

/** opentelemetry/proto/trace/v1/trace.proto, Span. */
function protobufSpan(span: MadeSpan): Buffer {
  const times = Buffer.alloc(18);
  times[0] = 0x39;
  times.writeBigUInt64LE(BigInt(span.startUs) * 1000n, 1);
  times[9] = 0x41;
  times.writeBigUInt64LE(BigInt(span.startUs + span.durationUs) * 1000n, 10);
  return Buffer.concat([
    bytes(1, span.traceId),
    bytes(2, span.spanId),
    ...(span.parentId ? [bytes(4, span.parentId)] : []),
    text(5, span.name),
    Buffer.from([0x30, span.isClient ? 3 : 2]),
    times,
    ...Object.entries(span.tags).map(([key, value]) => attribute(9, key, value)),
  ]);
}

function attribute(field: number, key: string, value: string): Buffer {
  return bytes(field, Buffer.concat([text(1, key), bytes(2, text(1, value))]));
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

/** A length-delimited field. */
function bytes(field: number, value: Buffer): Buffer {
  const head = [field * 8 + 2];
  let length = value.length;
  for (; length > 127; length >>>= 7) head.push((length & 127) | 128);
  head.push(length);
  return Buffer.concat([Buffer.from(head), value]);
}
