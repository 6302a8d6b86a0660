import { mkdirSync } from 'node:fs';
import { type Clock, Disposer, type Logger, silentLogger, systemClock } from '@kind-e2e/base';
import { LogStore } from './logs/log-store.ts';
import { MetricStore } from './metrics/metric-store.ts';
import { DEFAULT_LIMITS, type RetentionSetting, resolveRetention, type StoreLimits } from './options.ts';
import { TraceStore } from './traces/trace-store.ts';

export interface TelemetryStoreOptions {
  /** Made where it does not exist. Only one process may have it open. */
  readonly directory: string;
  /** Default 7 days and 2 GiB a signal; `off` keeps everything and takes data of any age. */
  readonly retention?: RetentionSetting;
  readonly limits?: Partial<StoreLimits>;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** The three stores of one directory; each is reader and writer of its signal. */
export interface TelemetryStore extends AsyncDisposable {
  readonly metrics: MetricStore;
  readonly logs: LogStore;
  readonly traces: TraceStore;
  /** Seals what is in memory and closes the files; the same as disposing. */
  close(): Promise<void>;
}

/** Opens, or makes, the stores; replays what was acknowledged before a crash. */
export function openTelemetryStore(options: TelemetryStoreOptions): TelemetryStore {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const shared = {
    directory: options.directory,
    retention: resolveRetention(options.retention),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    clock,
    logger,
  };
  const disposer = new Disposer();
  const metrics = disposer.use(new MetricStore(shared));
  const logs = disposer.use(new LogStore(shared));
  const traces = disposer.use(new TraceStore(shared));
  const close = (): Promise<void> => disposer[Symbol.asyncDispose]();
  return { metrics, logs, traces, close, [Symbol.asyncDispose]: close };
}
