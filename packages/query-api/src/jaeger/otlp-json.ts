import type { Attributes, AttributeValue, Span } from '@kind-e2e/telemetry';
import type { AdjustedSpan } from './clock-skew.ts';

const KINDS: Readonly<Record<Span['kind'], number>> = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const STATUS: Readonly<Record<Span['status']['code'], number>> = { unset: 0, ok: 1, error: 2 };

/** The attribute in which Jaeger says what there is to say of a span (`internal/jptrace/attributes.go`). */
const WARNINGS = '@jaeger@warnings';

/**
 * Spans as OTLP's TracesData in JSON, grouped by resource and scope; what Jaeger's /api/v3 answers with. What is empty is
 * left out, as the collector's pdata writes it.
 */
export function tracesDataOf(traces: readonly (readonly AdjustedSpan[])[]): { resourceSpans: unknown[] } {
  const resourceSpans: unknown[] = [];
  for (const spans of traces) {
    const byResource = new Map<Span['resource'], Map<Span['scope'], AdjustedSpan[]>>();
    for (const one of spans) {
      const { resource, scope } = one.span;
      const scopes = byResource.get(resource) ?? new Map<Span['scope'], AdjustedSpan[]>();
      byResource.set(resource, scopes);
      const list = scopes.get(scope) ?? [];
      scopes.set(scope, list);
      list.push(one);
    }
    for (const [resource, scopes] of byResource)
      resourceSpans.push({
        resource: attributesOf(resource.attributes),
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

function spanOf({ span, warnings }: AdjustedSpan): unknown {
  const kind = KINDS[span.kind];
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.traceState !== '' && { traceState: span.traceState }),
    ...(span.parentSpanId !== '' && { parentSpanId: span.parentSpanId }),
    ...(span.name !== '' && { name: span.name }),
    ...(kind !== 0 && { kind }),
    ...timeOf('startTimeUnixNano', span.startTimeUnixNano),
    ...timeOf('endTimeUnixNano', span.endTimeUnixNano),
    ...attributesOf(warnings.length > 0 ? { ...span.attributes, [WARNINGS]: warnings } : span.attributes),
    ...(span.events.length > 0 && {
      events: span.events.map((event) => ({
        ...timeOf('timeUnixNano', event.timeUnixNano),
        ...(event.name !== '' && { name: event.name }),
        ...attributesOf(event.attributes),
      })),
    }),
    ...(span.links.length > 0 && {
      links: span.links.map((link) => ({
        traceId: link.traceId,
        spanId: link.spanId,
        ...(link.traceState !== '' && { traceState: link.traceState }),
        ...attributesOf(link.attributes),
      })),
    }),
    status: {
      ...(span.status.message !== '' && { message: span.status.message }),
      ...(span.status.code !== 'unset' && { code: STATUS[span.status.code] }),
    },
  };
}

function timeOf(name: string, timeNs: bigint): Record<string, string> {
  return timeNs === 0n ? {} : { [name]: String(timeNs) };
}

function attributesOf(attributes: Attributes): { readonly attributes?: unknown[] } {
  const list = keyValuesOf(attributes);
  return list.length === 0 ? {} : { attributes: list };
}

function keyValuesOf(attributes: Attributes): unknown[] {
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
  if (isList(value)) return { arrayValue: valuesOf(value.map(anyValue)) };
  return { kvlistValue: valuesOf(keyValuesOf(value)) };
}

function valuesOf(values: unknown[]): { readonly values?: unknown[] } {
  return values.length === 0 ? {} : { values };
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
