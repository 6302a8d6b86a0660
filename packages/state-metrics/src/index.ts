export { StateMetrics, type StateMetricsOptions } from './state-metrics.ts';
