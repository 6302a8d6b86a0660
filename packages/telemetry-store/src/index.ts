export { LogCollector, type LogCollectorOptions } from './collect/collector.ts';
export { createPipeline, type Pipeline, type PipelineEntry, type PipelineStage } from './collect/pipeline.ts';
export { parsePipelineConfig } from './collect/pipeline-config.ts';
export { type GrpcReceiver, type GrpcReceiverOptions, listenGrpc } from './ingest/grpc.ts';
export { readOtlpJsonTraces } from './ingest/otlp/traces.ts';
export { type ImportResult, importOpenMetrics } from './ingest/prometheus/open-metrics-import.ts';
export { createReceiver, type ReceiverOptions } from './ingest/receiver.ts';
export type { LogStore } from './logs/log-store.ts';
export type { MetricStore } from './metrics/metric-store.ts';
export type { MetricStatistics } from './metrics/statistics.ts';
export { openTelemetryStore, type TelemetryStore, type TelemetryStoreOptions } from './open.ts';
export {
  DEFAULT_LIMITS,
  DEFAULT_RETENTION,
  type Retention,
  type RetentionSetting,
  type StoreLimits,
} from './options.ts';
export { type RuleConfigMapsOptions, watchRuleConfigMaps } from './rules/config-maps.ts';
export { RuleEngine, type RuleEngineOptions } from './rules/rule-engine.ts';
export { parseRuleFile, type RuleFile, type RuleGroup } from './rules/rule-file.ts';
export { parsePrometheusConfig } from './scrape/config.ts';
export type { PrometheusConfig, ScrapeConfig } from './scrape/config-model.ts';
export { type DefaultScrapeConfigOptions, defaultScrapeConfig } from './scrape/default-config.ts';
export { type ScrapedTarget, Scraper, type ScraperOptions } from './scrape/scraper.ts';
export { SpanMetrics, type SpanMetricsOptions } from './span-metrics/span-metrics.ts';
export { runSql, type SqlOptions, type SqlResult } from './sql/run-sql.ts';
export type { SpanListener, TraceStore } from './traces/trace-store.ts';
