import { type AttributeValue, SERVICE_NAME, type Span } from '@kind-e2e/telemetry';

const KINDS: Readonly<Partial<Record<Span['kind'], string>>> = {
  client: 'CLIENT',
  server: 'SERVER',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
};
/** Attributes that are endpoints in Zipkin's model. */
const ENDPOINT_KEYS = new Set(['net.host.ip', 'net.host.port', 'net.peer.ip', 'net.peer.port', 'peer.service']);

export interface ZipkinEndpointJson {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

/** zipkin-api/zipkin2-api.yaml, Span. Times are microseconds. */
export interface ZipkinSpanJson {
  readonly traceId: string;
  readonly parentId?: string;
  readonly id: string;
  readonly kind?: string;
  readonly name: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint?: ZipkinEndpointJson;
  readonly remoteEndpoint?: ZipkinEndpointJson;
  readonly annotations?: readonly { readonly timestamp: number; readonly value: string }[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly shared?: boolean;
}

/** The spans of a trace as sent. A server that has the id of a client shares its span (`shared`). */
export function toZipkinTrace(spans: readonly Span[]): ZipkinSpanJson[] {
  const clients = new Set(spans.filter(({ kind }) => kind === 'client').map(({ spanId }) => spanId));
  return spans.map((span) => toZipkinSpan(span, span.kind === 'server' && clients.has(span.spanId)));
}

/** A span in Zipkin's v2 JSON: the reverse of how Zipkin's spans are taken in. */
function toZipkinSpan(span: Span, isShared: boolean): ZipkinSpanJson {
  const { attributes } = span;
  const tags: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) if (!ENDPOINT_KEYS.has(key)) tags[key] = text(value);
  if (span.status.code === 'error' && !('error' in tags)) tags.error = span.status.message || 'true';
  if (span.scope.name !== '') tags['otel.scope.name'] = span.scope.name;
  const kind = KINDS[span.kind];
  const local = endpoint(
    span.resource.attributes[SERVICE_NAME],
    attributes['net.host.ip'],
    attributes['net.host.port'],
  );
  const remote = endpoint(attributes['peer.service'], attributes['net.peer.ip'], attributes['net.peer.port']);
  const durationUs = Number((span.endTimeUnixNano - span.startTimeUnixNano) / 1000n);
  return {
    traceId: span.traceId.startsWith('0000000000000000') ? span.traceId.slice(16) : span.traceId,
    ...(span.parentSpanId !== '' && { parentId: span.parentSpanId }),
    id: span.spanId,
    ...(kind && { kind }),
    name: span.name,
    timestamp: Number(span.startTimeUnixNano / 1000n),
    duration: Math.max(1, durationUs),
    ...(local && { localEndpoint: local }),
    ...(remote && { remoteEndpoint: remote }),
    ...(span.events.length > 0 && {
      annotations: span.events.map((event) => ({ timestamp: Number(event.timeUnixNano / 1000n), value: event.name })),
    }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(isShared && { shared: true }),
  };
}

function endpoint(
  service: AttributeValue | undefined,
  ip: AttributeValue | undefined,
  port: AttributeValue | undefined,
): ZipkinEndpointJson | undefined {
  const found = {
    ...(service !== undefined && { serviceName: text(service) }),
    ...(typeof ip === 'string' && { [ip.includes(':') ? 'ipv6' : 'ipv4']: ip }),
    ...(typeof port === 'number' && { port }),
  };
  return Object.keys(found).length > 0 ? found : undefined;
}

function text(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
}
