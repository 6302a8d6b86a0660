export { createReceiver, type ReceiverOptions } from './ingest/receiver.ts';
export type { LogStore } from './logs/log-store.ts';
export type { MetricStatistics, MetricStore } from './metrics/metric-store.ts';
export { openTelemetryStore, type TelemetryStore, type TelemetryStoreOptions } from './open.ts';
export {
  DEFAULT_LIMITS,
  DEFAULT_RETENTION,
  type Retention,
  type RetentionSetting,
  type StoreLimits,
} from './options.ts';
export type { SpanListener, TraceStore } from './traces/trace-store.ts';
