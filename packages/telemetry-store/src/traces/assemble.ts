import { type Span, serviceOf } from '@kind-e2e/telemetry';

/**
 * The spans of a trace as readers want them: each once, every id unique, in order of start.
 *
 * Zipkin lets a client and a server share one span id. As Jaeger does (its `SpanIDUniquifier`, jaeger
 * `internal/jptrace` and `model/adjuster`), the server's span gets an id of its own with the client's as its parent, and
 * the server's children follow it.
 */
export function assembleTrace(spans: readonly Span[]): Span[] {
  const unique = withoutDuplicates(spans);
  const byId = new Map<string, Span[]>();
  for (const span of unique) {
    const same = byId.get(span.spanId);
    if (same) same.push(span);
    else byId.set(span.spanId, [span]);
  }
  let result = unique;
  if (byId.size < unique.length) {
    const taken = new Set(byId.keys());
    // New ids of server spans, by old id and service: their children are of the same service.
    const renamed = new Map<string, string>();
    const changed = new Map<Span, Span>();
    for (const [id, same] of byId) {
      if (same.length < 2) continue;
      const client = same.find((span) => span.kind === 'client');
      for (const span of same) {
        if (span === client || !client || span.kind !== 'server') continue;
        const fresh = freshId(id, taken);
        renamed.set(`${id}\0${serviceOf(span)}`, fresh);
        changed.set(span, { ...span, spanId: fresh, parentSpanId: id });
      }
    }
    result = unique.map((span) => {
      const own = changed.get(span);
      if (own) return own;
      const parent = renamed.get(`${span.parentSpanId}\0${serviceOf(span)}`);
      return parent === undefined ? span : { ...span, parentSpanId: parent };
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

/** An id that no span of the trace has, the same for the same trace each time. */
function freshId(id: string, taken: Set<string>): string {
  for (let n = BigInt(`0x${id}`) + 1n; ; n++) {
    const fresh = BigInt.asUintN(64, n).toString(16).padStart(16, '0');
    if (fresh === '0000000000000000' || taken.has(fresh)) continue;
    taken.add(fresh);
    return fresh;
  }
}
