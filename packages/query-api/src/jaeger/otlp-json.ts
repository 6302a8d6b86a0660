import type { Attributes, AttributeValue, Span } from '@kind-e2e/telemetry';

const KINDS: Readonly<Record<Span['kind'], number>> = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const STATUS: Readonly<Record<Span['status']['code'], number>> = { unset: 0, ok: 1, error: 2 };

/** Spans as OTLP's TracesData in JSON, grouped by resource and scope; what Jaeger's /api/v3 answers with. */
export function tracesDataOf(traces: readonly (readonly Span[])[]): { resourceSpans: unknown[] } {
  const resourceSpans: unknown[] = [];
  for (const spans of traces) {
    const byResource = new Map<Span['resource'], Map<Span['scope'], Span[]>>();
    for (const span of spans) {
      const scopes = byResource.get(span.resource) ?? new Map<Span['scope'], Span[]>();
      byResource.set(span.resource, scopes);
      const list = scopes.get(span.scope) ?? [];
      scopes.set(span.scope, list);
      list.push(span);
    }
    for (const [resource, scopes] of byResource)
      resourceSpans.push({
        resource: { attributes: attributesOf(resource.attributes) },
        scopeSpans: [...scopes].map(([scope, list]) => ({
          scope: {
            ...(scope.name !== '' && { name: scope.name }),
            ...(scope.version !== '' && { version: scope.version }),
          },
          spans: list.map(spanOf),
        })),
      });
  }
  return { resourceSpans };
}

function spanOf(span: Span): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.traceState !== '' && { traceState: span.traceState }),
    ...(span.parentSpanId !== '' && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: String(span.startTimeUnixNano),
    endTimeUnixNano: String(span.endTimeUnixNano),
    attributes: attributesOf(span.attributes),
    ...(span.events.length > 0 && {
      events: span.events.map((event) => ({
        timeUnixNano: String(event.timeUnixNano),
        name: event.name,
        attributes: attributesOf(event.attributes),
      })),
    }),
    ...(span.links.length > 0 && {
      links: span.links.map((link) => ({
        traceId: link.traceId,
        spanId: link.spanId,
        ...(link.traceState !== '' && { traceState: link.traceState }),
        attributes: attributesOf(link.attributes),
      })),
    }),
    status: {
      ...(span.status.code !== 'unset' && { code: STATUS[span.status.code] }),
      ...(span.status.message !== '' && { message: span.status.message }),
    },
  };
}

function attributesOf(attributes: Attributes): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AttributeValue): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { intValue: String(value) };
    return { doubleValue: Number.isFinite(value) ? value : String(value) };
  }
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (isList(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: attributesOf(value) } };
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
