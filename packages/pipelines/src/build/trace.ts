import { randomBytes } from 'node:crypto';
import { type Clock, type Logger, messageOf } from '@kind-e2e/base';

export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly error: string | undefined;
}

export const newTraceId = (): string => randomBytes(16).toString('hex');
export const newSpanId = (): string => randomBytes(8).toString('hex');

const FLUSH_MS = 500;
const MOST_WAITING = 5_000;

/** Sends spans as OTLP JSON (opentelemetry-proto, ExportTraceServiceRequest), service `jenkins`. */
export class SpanExporter implements AsyncDisposable {
  readonly #endpoint: string | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #waiting: EndedSpan[] = [];
  #timer: Disposable | undefined;

  /** `endpoint`: `http://host:4318`, to which `/v1/traces` is added; none switches it off. */
  constructor(endpoint: string | undefined, clock: Clock, logger: Logger) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#logger = logger;
  }

  add(span: EndedSpan): void {
    if (this.#endpoint === undefined) return;
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift();
    this.#waiting.push(span);
    this.#timer ??= this.#clock.after(FLUSH_MS, () => void this.flush());
  }

  async flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const spans = this.#waiting;
    this.#waiting = [];
    if (spans.length === 0 || this.#endpoint === undefined) return;
    try {
      const answer = await fetch(`${this.#endpoint.replace(/\/$/, '')}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          resourceSpans: [
            {
              resource: { attributes: attributes({ 'service.name': 'jenkins', 'service.namespace': 'jenkins' }) },
              scopeSpans: [{ scope: { name: 'kind-e2e/pipelines' }, spans: spans.map(toOtlp) }],
            },
          ],
        }),
        signal: AbortSignal.timeout(5_000),
      });
      await answer.body?.cancel();
      if (!answer.ok) this.#logger.warn('spans were refused', { status: answer.status });
    } catch (error) {
      this.#logger.warn('spans could not be sent', { reason: messageOf(error) });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }
}

function toOtlp(span: EndedSpan): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: 1,
    startTimeUnixNano: `${Math.round(span.startMs * 1e3)}000`,
    endTimeUnixNano: `${Math.round(span.endMs * 1e3)}000`,
    attributes: attributes(span.attributes),
    status: span.error === undefined ? {} : { code: 2, message: span.error },
  };
}

function attributes(values: Readonly<Record<string, string | number | boolean>>): unknown[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === 'boolean'
        ? { boolValue: value }
        : typeof value === 'number'
          ? { intValue: String(Math.round(value)) }
          : { stringValue: value },
  }));
}
