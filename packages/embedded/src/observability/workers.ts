import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Disposer, type Logger, messageOf } from '@kind-e2e/base';
import type { KubeClient } from '@kind-e2e/kube-client';
import {
  createPipeline,
  LogCollector,
  listenGrpc,
  parsePipelineConfig,
  parsePrometheusConfig,
  RuleEngine,
  Scraper,
  SpanMetrics,
  type TelemetryStore,
  watchRuleConfigMaps,
} from '@kind-e2e/telemetry-store';
import type { Settings } from './settings.ts';

export interface WorkerOptions {
  readonly settings: Settings;
  readonly store: TelemetryStore;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** OTLP over gRPC; the number is the specification's. */
const OTLP_GRPC_PORT = 4317;

/** Starts what fills the stores by itself: scraper, collector, span metrics, rules. */
export function startWorkers(
  { settings, store, client, clock, logger }: WorkerOptions,
  disposer: Disposer,
): { readonly scraper: Scraper; readonly rules: RuleEngine } {
  const config = readFileSync(settings.prometheusConfig, 'utf8');
  const scraper = disposer.use(
    new Scraper({ config, writer: store.metrics, client, clock, logger: logger.child({ component: 'scraper' }) }),
  );
  disposer.use(reloadOnChange(settings.prometheusConfig, (text) => scraper.reload(text), clock, logger));
  const collector = disposer.use(
    new LogCollector({
      directory: settings.podLogDirectory,
      positionsFile: join(settings.storeDirectory, 'positions.json'),
      writer: store.logs,
      client,
      clock,
      logger: logger.child({ component: 'collector' }),
    }),
  );
  const usePipeline = (text: string): void => collector.usePipeline(createPipeline(parsePipelineConfig(text), clock));
  try {
    usePipeline(readFileSync(settings.logPipelineConfig, 'utf8'));
  } catch (error) {
    // Lines are worth more than what was to be done with them.
    const reason = messageOf(error);
    logger.error('log pipeline refused, lines are stored as they are', { file: settings.logPipelineConfig, reason });
  }
  disposer.use(reloadOnChange(settings.logPipelineConfig, usePipeline, clock, logger));
  disposer.use(new SpanMetrics({ traces: store.traces, writer: store.metrics, clock, logger }));
  const rules = disposer.use(
    new RuleEngine({
      metrics: store.metrics,
      files: [],
      alertmanagers: parsePrometheusConfig(config).alertmanagers,
      promqlFeatures: settings.promqlFeatures,
      clock,
      logger: logger.child({ component: 'rules' }),
    }),
  );
  disposer.use(watchRuleConfigMaps({ client, onChange: (files) => rules.reload(files), logger, clock }));
  return { scraper, rules };
}

/** OTLP over gRPC on the pod's address, and on 127.0.0.1 where that port is free. */
export async function openGrpc(
  settings: Settings,
  store: TelemetryStore,
  clock: Clock,
  logger: Logger,
): Promise<AsyncDisposable> {
  const inPod = await listenGrpc({
    store,
    addresses: [{ host: settings.address, port: OTLP_GRPC_PORT }],
    clock,
    logger,
  });
  const port = settings.hostPorts.otlpGrpc;
  const outside =
    port === 0
      ? undefined
      : await listenGrpc({ store, addresses: [{ host: '127.0.0.1', port }], clock, logger }).catch((error: unknown) => {
          logger.warn('a port of 127.0.0.1 could not be opened', { port, reason: messageOf(error) });
        });
  return {
    [Symbol.asyncDispose]: async () => {
      await inPod[Symbol.asyncDispose]();
      await outside?.[Symbol.asyncDispose]();
    },
  };
}

const CONFIG_CHECK_MS = 5_000;

/** Reads a configuration again when its file changed; a wrong one is said and the old one stays. */
function reloadOnChange(file: string, use: (text: string) => void, clock: Clock, logger: Logger): Disposable {
  const stopped = new AbortController();
  let known = readFileSync(file, 'utf8');
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(CONFIG_CHECK_MS, stopped.signal).catch(() => undefined);
      if (stopped.signal.aborted) return;
      try {
        const text = readFileSync(file, 'utf8');
        if (text === known) continue;
        known = text;
        use(text);
        logger.info('configuration reloaded', { file });
      } catch (error) {
        logger.error('configuration refused, the old one stays', { file, reason: messageOf(error) });
      }
    }
  };
  loop();
  return { [Symbol.dispose]: () => stopped.abort() };
}
