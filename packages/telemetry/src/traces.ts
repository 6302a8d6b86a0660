/** OpenTelemetry's span kinds. */
export type SpanKind = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type AttributeValue =
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface SpanEvent {
  readonly timeUnixNano: bigint;
  readonly name: string;
  readonly attributes: Attributes;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: Attributes;
}

/** One span, whatever protocol brought it; the model is OTLP's. Ids are lower-case hex of 32 and 16 digits. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly status: { readonly code: 'unset' | 'ok' | 'error'; readonly message: string };
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly resource: { readonly attributes: Attributes };
  readonly scope: { readonly name: string; readonly version: string };
}

/** The resource attribute that names the service. */
export const SERVICE_NAME = 'service.name';

/** `service.name` of a span's resource, or 'unknown_service' as the specification says. */
export function serviceOf(span: Span): string {
  const name = span.resource.attributes[SERVICE_NAME];
  return typeof name === 'string' && name !== '' ? name : 'unknown_service';
}

export interface TraceSearch {
  readonly service?: string;
  readonly operation?: string;
  /** All must hold on one span (its attributes, its resource's, or an event's), values compared as strings. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly minDurationNs?: bigint;
  readonly maxDurationNs?: bigint;
  /** Range of span start times, both inclusive. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly limit: number;
  /** Default `newest`. */
  readonly order?: 'newest' | 'longest';
}

/** What the Jaeger and Zipkin APIs read. */
export interface TraceReader {
  /**
   * The spans of a trace in order of start, each once; empty where the trace is unknown. Where a client and a server
   * share an id, the server gets one of its own, unless the spans are asked for `as-sent`.
   */
  trace(traceId: string, ids?: 'unique' | 'as-sent'): readonly Span[];
  /** Whole traces that hold a matching span. */
  search(search: TraceSearch): readonly (readonly Span[])[];
  services(): readonly string[];
  operations(service: string, kind?: SpanKind): readonly { readonly name: string; readonly kind: SpanKind }[];
  /** Calls between services in the range. */
  dependencies(
    startNs: bigint,
    endNs: bigint,
  ): readonly {
    readonly parent: string;
    readonly child: string;
    readonly callCount: number;
    readonly errorCount: number;
  }[];
}

export interface TraceWriter {
  /** Resolves when the spans are durable. */
  append(spans: readonly Span[]): Promise<{
    readonly accepted: number;
    readonly rejected: readonly { readonly reason: string; readonly count: number }[];
  }>;
}
