import { type Span, serviceOf } from '@kind-e2e/telemetry';

/** The spans of a trace as readers want them: each once, in order of start, every id unique unless wanted `as-sent`. */
export function assembleTrace(spans: readonly Span[], ids: 'unique' | 'as-sent' = 'unique'): Span[] {
  const once = withoutDuplicates(spans);
  return inOrder(ids === 'unique' ? withOwnIds(once) : once);
}

/** By start; of those that start together the longer first, which is the caller of the other. */
function inOrder(spans: readonly Span[]): Span[] {
  return spans.toSorted(
    (a, b) => sign(a.startTimeUnixNano - b.startTimeUnixNano) || sign(b.endTimeUnixNano - a.endTimeUnixNano),
  );
}

function sign(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}

/**
 * Zipkin lets a client and a server share one span id. As Jaeger does (`jaegerquery/internal/adjuster/
 * spaniduniquifier.go`), the server's span gets an id of its own, the lowest that is free, with the shared one as its
 * parent; all that named the shared one as their parent follow the server.
 */
function withOwnIds(spans: readonly Span[]): readonly Span[] {
  const hasClient = new Map<string, boolean>();
  for (const { spanId, kind } of spans) hasClient.set(spanId, hasClient.get(spanId) === true || kind === 'client');
  if (hasClient.size === spans.length) return spans;
  const renamed = new Map<string, string>();
  const changed = new Map<Span, Span>();
  let used = 0n;
  for (const span of spans) {
    if (span.kind !== 'server' || hasClient.get(span.spanId) !== true) continue;
    let spanId: string;
    do {
      used++;
      spanId = used.toString(16).padStart(16, '0');
    } while (hasClient.has(spanId));
    renamed.set(span.spanId, spanId);
    changed.set(span, { ...span, spanId, parentSpanId: span.spanId });
  }
  return spans.map((span) => {
    const own = changed.get(span) ?? span;
    const parent = renamed.get(own.parentSpanId);
    return parent === undefined || parent === own.spanId ? own : { ...own, parentSpanId: parent };
  });
}

/** A span that was sent twice stays once. */
function withoutDuplicates(spans: readonly Span[]): Span[] {
  const seen = new Set<string>();
  return spans.filter((span) => {
    const key = `${span.spanId}\0${span.kind}\0${span.startTimeUnixNano}\0${span.endTimeUnixNano}\0${span.name}\0${serviceOf(span)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
