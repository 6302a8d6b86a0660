import { type Span, serviceOf } from '@kind-e2e/telemetry';

/**
 * The spans of a trace as readers want them: each once, every id unique, in order of start.
 *
 * Zipkin lets a client and a server share one span id. As Jaeger does (`jaegerquery/internal/adjuster/
 * spaniduniquifier.go`), the server's span gets an id of its own, the lowest that is free, with the shared one as its
 * parent; all that named the shared one as their parent follow the server.
 */
export function assembleTrace(spans: readonly Span[]): Span[] {
  const unique = withoutDuplicates(spans);
  const clients = new Map<string, boolean>();
  for (const { spanId, kind } of unique) clients.set(spanId, clients.get(spanId) === true || kind === 'client');
  let result = unique;
  if (clients.size < unique.length) {
    const renamed = new Map<string, string>();
    const changed = new Map<Span, Span>();
    let used = 0n;
    for (const span of unique) {
      if (span.kind !== 'server' || clients.get(span.spanId) !== true) continue;
      let spanId: string;
      do {
        used++;
        spanId = used.toString(16).padStart(16, '0');
      } while (clients.has(spanId));
      renamed.set(span.spanId, spanId);
      changed.set(span, { ...span, spanId, parentSpanId: span.spanId });
    }
    result = unique.map((span) => {
      const own = changed.get(span) ?? span;
      const parent = renamed.get(own.parentSpanId);
      return parent === undefined || parent === own.spanId ? own : { ...own, parentSpanId: parent };
    });
  }
  return result.sort((a, b) =>
    a.startTimeUnixNano < b.startTimeUnixNano
      ? -1
      : a.startTimeUnixNano > b.startTimeUnixNano
        ? 1
        : b.endTimeUnixNano > a.endTimeUnixNano
          ? 1
          : b.endTimeUnixNano < a.endTimeUnixNano
            ? -1
            : 0,
  );
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
