import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import { createEngine, type QueryEngine } from '@kind-e2e/promql';
import type { LogReader, MetricReader, TraceReader } from '@kind-e2e/telemetry';
import { Router } from './http/router.ts';
import { jaegerRoutes } from './jaeger/routes.ts';
import type { RuleProvider, StatisticsProvider, TargetProvider } from './prometheus/providers.ts';
import { prometheusRoutes } from './prometheus/routes.ts';

export interface QueryApiOptions {
  readonly metrics: MetricReader & Partial<StatisticsProvider>;
  readonly logs: LogReader;
  readonly traces: TraceReader;
  /** Default: an engine of Prometheus' defaults. */
  readonly engine?: QueryEngine;
  readonly targets?: TargetProvider;
  readonly rules?: RuleProvider;
  /** Shown by Prometheus' /api/v1/status/flags. */
  readonly flags?: Readonly<Record<string, string>>;
  /** How far spans of another host may be moved to lie within their parents. Default 1 minute; 0 switches it off. */
  readonly maxClockSkewMs?: number;
  /** Most time a query may ask for. Default 2 minutes. */
  readonly maxQueryTimeoutMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** Answers a request and gives true, or gives false where no path of its APIs is meant. */
export type QueryApi = (request: IncomingMessage, response: ServerResponse) => boolean;

/** The query APIs of Prometheus, Loki, Jaeger and Zipkin, each with and without its prefix. */
export function createQueryApi(options: QueryApiOptions): QueryApi {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const maxTimeoutMs = options.maxQueryTimeoutMs ?? 120_000;
  const engine = options.engine ?? createEngine({ clock, timeoutMs: maxTimeoutMs });
  const router = new Router(logger);
  const { metrics, traces, targets, rules } = options;
  router.add(
    prometheusRoutes({
      metrics,
      engine,
      clock,
      maxTimeoutMs,
      flags: options.flags ?? {},
      ...(targets && { targets }),
      ...(rules && { rules }),
    }),
    ['', '/prometheus'],
  );
  const maxClockSkewNs = BigInt(Math.trunc((options.maxClockSkewMs ?? 60_000) * 1e6));
  router.add(jaegerRoutes({ traces, clock, maxClockSkewNs }), ['', '/jaeger']);
  return (request, response) => router.handle(request, response);
}
