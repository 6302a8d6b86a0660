import { type Attributes, type AttributeValue, SERVICE_NAME, type Span, serviceOf } from '@kind-e2e/telemetry';
import type { AdjustedSpan } from './clock-skew.ts';

/** Jaeger's UI model (jaeger internal/uimodel/model.go). Times are microseconds. */
export interface JaegerTag {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: string | boolean | number;
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly flags?: number;
  readonly operationName: string;
  readonly references: readonly {
    readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
    readonly traceID: string;
    readonly spanID: string;
  }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: readonly JaegerTag[] }>>;
  readonly warnings: readonly string[] | null;
}

/** 64-bit ids have 16 digits, as Jaeger prints them. */
export function jaegerTraceId(traceId: string): string {
  return traceId.startsWith('0000000000000000') ? traceId.slice(16) : traceId;
}

export function toJaegerTrace(spans: readonly AdjustedSpan[]): JaegerTrace {
  const processes: Record<string, { serviceName: string; tags: JaegerTag[] }> = {};
  const known = new Map<string, string>();
  const processOf = (span: Span): string => {
    const serviceName = serviceOf(span);
    const tags = tagsOf(span.resource.attributes, SERVICE_NAME);
    const key = JSON.stringify([serviceName, tags]);
    let id = known.get(key);
    if (!id) {
      id = `p${known.size + 1}`;
      known.set(key, id);
      processes[id] = { serviceName, tags };
    }
    return id;
  };
  return {
    traceID: jaegerTraceId(spans[0]?.span.traceId ?? ''),
    spans: spans.map((one) => toJaegerSpan(one, processOf(one.span))),
    processes,
    warnings: null,
  };
}

function toJaegerSpan({ span, warnings }: AdjustedSpan, processID: string): JaegerSpan {
  const traceID = jaegerTraceId(span.traceId);
  return {
    traceID,
    spanID: span.spanId,
    operationName: span.name,
    references: referencesOf(span),
    startTime: Number(span.startTimeUnixNano / 1000n),
    duration: Math.max(0, Number((span.endTimeUnixNano - span.startTimeUnixNano) / 1000n)),
    tags: spanTags(span),
    logs: span.events.map((event) => ({
      timestamp: Number(event.timeUnixNano / 1000n),
      fields: [
        ...(event.name === '' || 'event' in event.attributes ? [] : [text('event', event.name)]),
        ...tagsOf(event.attributes),
      ],
    })),
    processID,
    warnings: warnings.length > 0 ? warnings : null,
  };
}

/** The parent first; a link to the parent only changes what it is called (traces_to_jaegerproto.go). */
function referencesOf(span: Span): JaegerSpan['references'] {
  const traceID = jaegerTraceId(span.traceId);
  const references: JaegerSpan['references'][number][] = [];
  if (span.parentSpanId !== '') references.push({ refType: 'CHILD_OF', traceID, spanID: span.parentSpanId });
  for (const link of span.links) {
    if (/^0*$/.test(link.traceId)) continue;
    const refType = link.attributes['opentracing.ref_type'] === 'child_of' ? 'CHILD_OF' : 'FOLLOWS_FROM';
    if (link.traceId === span.traceId && link.spanId === span.parentSpanId)
      references[0] = { refType, traceID, spanID: link.spanId };
    else references.push({ refType, traceID: jaegerTraceId(link.traceId), spanID: link.spanId });
  }
  return references;
}

/** Attributes and what OpenTelemetry's translation to Jaeger adds to them (pkg/translator/jaeger, traces_to_jaegerproto.go). */
function spanTags(span: Span): JaegerTag[] {
  const tags: JaegerTag[] = [];
  if (span.scope.name !== '') tags.push(text('otel.scope.name', span.scope.name));
  if (span.scope.version !== '') tags.push(text('otel.scope.version', span.scope.version));
  tags.push(...tagsOf(span.attributes));
  if (span.kind !== 'unspecified' && !('span.kind' in span.attributes)) tags.push(text('span.kind', span.kind));
  if (span.status.code === 'error') {
    tags.push(text('otel.status_code', 'ERROR'));
    if (!('error' in span.attributes)) tags.push({ key: 'error', type: 'bool', value: true });
  } else if (span.status.code === 'ok') tags.push(text('otel.status_code', 'OK'));
  if (span.status.message !== '') tags.push(text('otel.status_description', span.status.message));
  if (span.traceState !== '') tags.push(text('w3c.tracestate', span.traceState));
  return tags;
}

function tagsOf(attributes: Attributes, without?: string): JaegerTag[] {
  const tags: JaegerTag[] = [];
  for (const [key, value] of Object.entries(attributes)) if (key !== without) tags.push(tagOf(key, value));
  return tags;
}

function text(key: string, value: string): JaegerTag {
  return { key, type: 'string', value };
}

function tagOf(key: string, value: AttributeValue): JaegerTag {
  if (typeof value === 'string') return text(key, value);
  if (typeof value === 'boolean') return { key, type: 'bool', value };
  // Beyond 2^53 a number of JSON would lose digits in a browser; Jaeger sends a string as well.
  if (typeof value === 'bigint') return { key, type: 'int64', value: value.toString() };
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? { key, type: 'int64', value }
      : { key, type: 'float64', value: Number.isFinite(value) ? value : String(value) };
  if (value instanceof Uint8Array) return { key, type: 'binary', value: Buffer.from(value).toString('base64') };
  return text(key, JSON.stringify(value, plainParts));
}

function plainParts(_key: string, part: unknown): unknown {
  if (typeof part === 'bigint') return part.toString();
  return part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part;
}
