import { LabError, systemClock } from '@kind-e2e/base';
import { waitFor } from '@kind-e2e/embedded';
import { LabTrace } from './trace.ts';

export interface WaitForTrace {
  /** Wait until so many spans are there. Default 1. */
  readonly minSpans?: number;
  /** Wait until each of these services has a span. */
  readonly services?: readonly string[];
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

export interface WaitFor {
  /** Default 15 s. */
  readonly timeoutMs?: number;
}

export interface LabSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface LabLogLine {
  readonly labels: Readonly<Record<string, string>>;
  readonly timestampNs: bigint;
  readonly line: string;
}

const TRACE_TIMEOUT_MS = 10_000;
const QUERY_TIMEOUT_MS = 15_000;

/** Requests from one workload to another through a service, as the receiving proxy counted them. */
export interface MeshEdge {
  /** Workload, or `unknown` for a caller outside of the mesh. */
  readonly source: string;
  readonly service: string;
  readonly destination: string;
  /** How many, by response code. */
  readonly requests: Readonly<Record<string, number>>;
  /** Over mutual TLS. */
  readonly isMutualTls: boolean;
}

/** Reads a lab's traces, metrics and logs by the public APIs, through the gateway. */
export class Telemetry {
  readonly #gateway: string;

  constructor(gateway: string) {
    this.#gateway = gateway;
  }

  /** The trace as it is now; undefined where it is not stored. */
  async trace(traceId: string): Promise<LabTrace | undefined> {
    const answer = await this.#get(`/jaeger/api/traces/${traceId}`);
    if (answer.status === 404) return undefined;
    const body = (await this.#json(answer)) as { data?: ConstructorParameters<typeof LabTrace>[0][] | null };
    const found = body.data?.[0];
    return found && found.spans.length > 0 ? new LabTrace(found) : undefined;
  }

  /** Waits for a trace; says what it saw when the time is up. */
  async waitForTrace(traceId: string, wanted: WaitForTrace = {}): Promise<LabTrace> {
    let last: LabTrace | undefined;
    try {
      return await waitFor(
        async () => {
          last = await this.trace(traceId);
          const complete =
            last !== undefined &&
            last.spans.length >= (wanted.minSpans ?? 1) &&
            (wanted.services ?? []).every((service) => last?.services.includes(service));
          return complete ? last : undefined;
        },
        { clock: systemClock, timeoutMs: wanted.timeoutMs ?? TRACE_TIMEOUT_MS, what: `trace ${traceId}` },
      );
    } catch (error) {
      throw new LabError(`trace ${traceId} did not become what was wanted; it is:\n${last ?? '(not stored)'}`, {
        code: 'TRACE_INCOMPLETE',
        side: 'user',
        cause: error,
      });
    }
  }

  async services(): Promise<readonly string[]> {
    const body = (await this.#json(await this.#get('/jaeger/api/services'))) as { data: string[] };
    return body.data;
  }

  /** PromQL now: the samples of a vector, or of a scalar as one sample without labels. */
  async promql(query: string, timeMs?: number): Promise<readonly LabSample[]> {
    const parameters = new URLSearchParams({
      query,
      ...(timeMs === undefined ? {} : { time: String(timeMs / 1_000) }),
    });
    const body = (await this.#json(await this.#get(`/prometheus/api/v1/query?${parameters}`))) as {
      data: { resultType: string; result: unknown };
    };
    if (body.data.resultType === 'scalar')
      return [{ labels: {}, value: Number((body.data.result as [number, string])[1]) }];
    const vector = body.data.result as { metric: Record<string, string>; value: [number, string] }[];
    return vector.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** Waits until a query's samples please the predicate (default: there is one above 0). */
  async waitForSamples(
    query: string,
    pleased: (samples: readonly LabSample[]) => boolean = (samples) => samples.some(({ value }) => value > 0),
    wait: WaitFor = {},
  ): Promise<readonly LabSample[]> {
    return waitFor(
      async () => {
        const samples = await this.promql(query);
        return pleased(samples) ? samples : undefined;
      },
      { clock: systemClock, timeoutMs: wait.timeoutMs ?? QUERY_TIMEOUT_MS, what: `samples of ${query}` },
    );
  }

  /** The edges of the mesh graph, from Istio's metrics alone. */
  async meshEdges(): Promise<readonly MeshEdge[]> {
    const samples = await this.promql(
      'sum by (source_workload, destination_service_name, destination_workload, response_code, connection_security_policy) (istio_requests_total{reporter="destination"})',
    );
    const edges = new Map<string, MeshEdge & { requests: Record<string, number> }>();
    for (const { labels, value } of samples) {
      const { source_workload: source = '', destination_service_name: service = '' } = labels;
      const destination = labels.destination_workload ?? '';
      const isMutualTls = labels.connection_security_policy === 'mutual_tls';
      const key = JSON.stringify([source, service, destination, isMutualTls]);
      const edge = edges.get(key) ?? { source, service, destination, requests: {}, isMutualTls };
      edge.requests[labels.response_code ?? ''] = value;
      edges.set(key, edge);
    }
    return [...edges.values()];
  }

  /** LogQL over the last `sinceMs` (default an hour), oldest first. */
  async logql(query: string, sinceMs = 3_600_000, limit = 1_000): Promise<readonly LabLogLine[]> {
    const nowNs = BigInt(systemClock.now()) * 1_000_000n;
    const parameters = new URLSearchParams({
      query,
      start: String(nowNs - BigInt(sinceMs) * 1_000_000n),
      end: String(nowNs + 60_000_000_000n),
      limit: String(limit),
      direction: 'forward',
    });
    const body = (await this.#json(await this.#get(`/loki/api/v1/query_range?${parameters}`))) as {
      data: { result: { stream: Record<string, string>; values: [string, string][] }[] };
    };
    return body.data.result
      .flatMap(({ stream, values }) =>
        values.map(([timestamp, line]) => ({ labels: stream, timestampNs: BigInt(timestamp), line })),
      )
      .sort((a, b) => (a.timestampNs < b.timestampNs ? -1 : a.timestampNs > b.timestampNs ? 1 : 0));
  }

  /** Waits until a LogQL query finds lines. */
  async waitForLines(query: string, wait: WaitFor = {}): Promise<readonly LabLogLine[]> {
    return waitFor(
      async () => {
        const lines = await this.logql(query);
        return lines.length > 0 ? lines : undefined;
      },
      { clock: systemClock, timeoutMs: wait.timeoutMs ?? QUERY_TIMEOUT_MS, what: `lines of ${query}` },
    );
  }

  #get(path: string): Promise<Response> {
    return fetch(`${this.#gateway}${path}`, { signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) });
  }

  async #json(answer: Response): Promise<unknown> {
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    // What is the asker's fault is thrown at once; what a restarting backend answers is asked again by those who wait.
    throw new LabError(`${answer.url} answered ${answer.status}: ${text.slice(0, 500)}`, {
      code: 'QUERY_FAILED',
      side: answer.status < 500 ? 'user' : 'internal',
    });
  }
}
