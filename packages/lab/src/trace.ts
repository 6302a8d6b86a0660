/** One span as Jaeger's API gives it, with what assertions need close at hand. Times in milliseconds. */
export interface LabSpan {
  readonly spanId: string;
  /** '' for a root, or for a parent that is not in the trace. */
  readonly parentSpanId: string;
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly tags: Readonly<Record<string, unknown>>;
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly {
    readonly spanID: string;
    readonly operationName: string;
    readonly startTime: number;
    readonly duration: number;
    readonly processID: string;
    readonly references?: readonly { readonly refType: string; readonly spanID: string }[];
    readonly tags?: readonly { readonly key: string; readonly value: unknown }[];
  }[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** A whole trace, to be asserted on. */
export class LabTrace {
  readonly traceId: string;
  readonly spans: readonly LabSpan[];
  readonly #byId: ReadonlyMap<string, LabSpan>;

  constructor(trace: JaegerTrace) {
    this.traceId = trace.traceID;
    this.spans = trace.spans
      .map((span) => {
        const tags = Object.fromEntries((span.tags ?? []).map(({ key, value }) => [key, value]));
        return {
          spanId: span.spanID,
          parentSpanId: span.references?.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? '',
          service: trace.processes[span.processID]?.serviceName ?? '',
          name: span.operationName,
          kind: String(tags['span.kind'] ?? 'internal'),
          startMs: span.startTime / 1_000,
          durationMs: span.duration / 1_000,
          tags,
        };
      })
      .sort((a, b) => a.startMs - b.startMs);
    this.#byId = new Map(this.spans.map((span) => [span.spanId, span]));
  }

  get services(): readonly string[] {
    return [...new Set(this.spans.map((span) => span.service))].sort();
  }

  get roots(): readonly LabSpan[] {
    return this.spans.filter((span) => span.parentSpanId === '');
  }

  parentOf(span: LabSpan): LabSpan | undefined {
    return this.#byId.get(span.parentSpanId);
  }

  childrenOf(span: LabSpan): readonly LabSpan[] {
    return this.spans.filter((candidate) => candidate.parentSpanId === span.spanId);
  }

  /** 1 for a root. */
  depthOf(span: LabSpan): number {
    const parent = this.parentOf(span);
    return parent ? this.depthOf(parent) + 1 : 1;
  }

  get depth(): number {
    return Math.max(0, ...this.spans.map((span) => this.depthOf(span)));
  }

  /** The first span that matches. */
  find(wanted: {
    readonly service?: string | RegExp;
    readonly name?: string | RegExp;
    readonly kind?: string;
  }): LabSpan | undefined {
    return this.spans.find(
      (span) =>
        matches(wanted.service, span.service) &&
        matches(wanted.name, span.name) &&
        (wanted.kind === undefined || wanted.kind === span.kind),
    );
  }

  /** The names from the root down to a span, for messages. */
  pathOf(span: LabSpan): readonly string[] {
    const parent = this.parentOf(span);
    return [...(parent ? this.pathOf(parent) : []), `${span.service}: ${span.name}`];
  }

  /** As indented lines. */
  toString(): string {
    const lines: string[] = [];
    const visit = (span: LabSpan, depth: number): void => {
      lines.push(`${'  '.repeat(depth)}${span.service}: ${span.name} (${span.kind}, ${span.durationMs.toFixed(1)} ms)`);
      for (const child of this.childrenOf(span)) visit(child, depth + 1);
    };
    for (const span of this.spans) if (!this.parentOf(span)) visit(span, 0);
    return lines.join('\n');
  }
}

function matches(wanted: string | RegExp | undefined, found: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === found : wanted.test(found);
}
