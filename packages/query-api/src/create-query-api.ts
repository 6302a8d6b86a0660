import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, type Logger, messageOf, silentLogger, systemClock } from '@kind-e2e/base';
import { createEngine as createLogqlEngine, type QueryEngine as LogqlEngine } from '@kind-e2e/logql';
import {
  createEngine as createPromqlEngine,
  type EngineOptions,
  type QueryEngine as PromqlEngine,
} from '@kind-e2e/promql';
import type { LogReader, LogWriter, MetricReader, Span, TraceReader } from '@kind-e2e/telemetry';
import { Router } from './http/router.ts';
import { jaegerMetricsRoutes } from './jaeger/metrics-routes.ts';
import { jaegerRoutes } from './jaeger/routes.ts';
import { jaegerV3Routes } from './jaeger/v3-routes.ts';
import { lokiRoutes } from './loki/routes.ts';
import { TailServer } from './loki/tail.ts';
import type { RuleProvider, StatisticsProvider, TargetProvider } from './prometheus/providers.ts';
import { prometheusRoutes } from './prometheus/routes.ts';
import { zipkinRoutes } from './zipkin/routes.ts';

export interface QueryApiOptions {
  readonly metrics: MetricReader & Partial<StatisticsProvider>;
  readonly logs: LogReader & Pick<LogWriter, 'subscribe'>;
  readonly traces: TraceReader;
  /** Default: an engine with Prometheus' defaults. */
  readonly promql?: PromqlEngine;
  /** Of the default engine: what Prometheus has behind `--enable-feature`. */
  readonly promqlFeatures?: Pick<EngineOptions, 'experimentalFunctions' | 'durationExpressions'>;
  /** Default: an engine with Loki's defaults. */
  readonly logql?: LogqlEngine;
  readonly targets?: TargetProvider;
  readonly rules?: RuleProvider;
  /** Shown by Prometheus' /api/v1/status/flags. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Reads OTLP's JSON for Jaeger's /api/transform, which is not served without it. Throws what the body is refused for. */
  readonly readOtlpTraces?: (body: Buffer) => readonly Span[];
  /** How far spans of another host may be moved to lie within their parents. Default 1 minute; 0 switches it off. */
  readonly maxClockSkewMs?: number;
  /** Most time a query may take. Default 2 minutes. */
  readonly maxQueryTimeoutMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface QueryApi {
  /** Answers a request and gives true, or gives false where no path of its APIs is meant. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** The same for WebSocket upgrades (Loki's tail). */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

const TAIL_PATHS = new Set(['/loki/api/v1/tail', '/loki/loki/api/v1/tail']);

/** The query APIs of Prometheus, Loki, Jaeger and Zipkin, each with and without its prefix. */
export function createQueryApi(options: QueryApiOptions): QueryApi {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const maxTimeoutMs = options.maxQueryTimeoutMs ?? 120_000;
  const { metrics, traces, logs, targets, rules } = options;
  const router = new Router(logger);
  const promql = options.promql ?? createPromqlEngine({ ...options.promqlFeatures, clock, timeoutMs: maxTimeoutMs });
  router.add(
    prometheusRoutes({
      metrics,
      engine: promql,
      clock,
      maxTimeoutMs,
      flags: options.flags ?? {},
      ...(targets && { targets }),
      ...(rules && { rules }),
    }),
    ['', '/prometheus'],
  );
  let { logql } = options;
  const engine = (): LogqlEngine => {
    logql ??= createLogqlEngine({ clock, timeoutMs: maxTimeoutMs });
    return logql;
  };
  router.add(lokiRoutes({ logs, engine, clock }), ['', '/loki']);
  const maxClockSkewNs = BigInt(Math.trunc((options.maxClockSkewMs ?? 60_000) * 1e6));
  const { readOtlpTraces } = options;
  router.add(jaegerRoutes({ traces, clock, maxClockSkewNs, ...(readOtlpTraces && { readOtlpTraces }) }), [
    '',
    '/jaeger',
  ]);
  router.add(jaegerV3Routes({ traces, clock, maxClockSkewNs }), ['', '/jaeger']);
  router.add(jaegerMetricsRoutes({ metrics, engine: promql, clock }), ['', '/jaeger']);
  router.add(zipkinRoutes({ traces, clock }), ['', '/zipkin']);
  const tails = new TailServer({ logs, engine, clock, logger });
  return {
    handle: (request, response) => router.handle(request, response),
    upgrade: (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (!TAIL_PATHS.has(url.pathname)) return false;
      tails.upgrade(request, socket, head, url).catch((error: unknown) => {
        logger.warn('a tail could not begin', { error: messageOf(error) });
        socket.destroy();
      });
      return true;
    },
  };
}
