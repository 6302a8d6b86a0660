import { type TracerProvider as ApiTracerProvider, context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Config } from './config.ts';

const IN_CLUSTER_OTLP = 'http://jaeger-collector.istio-system.svc.cluster.local:4318';
const IN_CLUSTER_ZIPKIN = 'http://zipkin.istio-system.svc.cluster.local:9411/api/v2/spans';
/** The SDK's own default of 5 s would keep a trace off the screen for so long. */
const DEFAULT_BATCH_DELAY_MS = 300;
/** Paths that probes and scrapers ask; traces of them tell nothing. */
const UNTRACED_PATHS = ['/healthz', '/readyz', '/metrics'];

export interface Tracing {
  /** Sends what is left and stops. */
  shutdown(): Promise<void>;
}

/**
 * Starts the OpenTelemetry SDK. Must run before `node:http` and the web framework are loaded, since instrumentations
 * wrap modules as they are loaded. Context is taken in and passed on as W3C Trace Context and as B3 in several headers.
 */
export function startTracing(
  config: Config,
  env: NodeJS.ProcessEnv,
  instrumentations: readonly Instrumentation[] = [],
): Tracing {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({
      propagators: [
        new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
        new W3CTraceContextPropagator(),
        new W3CBaggagePropagator(),
      ],
    }),
  );
  const exporter = createExporter(config, env);
  const provider = new TracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        [ATTR_SERVICE_NAME]: config.serviceName,
        [ATTR_SERVICE_VERSION]: config.serviceVersion,
        ...(env.POD_NAME ? { 'k8s.pod.name': env.POD_NAME } : {}),
        ...(env.POD_NAMESPACE ? { 'k8s.namespace.name': env.POD_NAMESPACE } : {}),
        ...(env.NODE_NAME ? { 'k8s.node.name': env.NODE_NAME } : {}),
      }),
    ),
    spanProcessors: exporter
      ? [
          new BatchSpanProcessor({
            exporter,
            scheduledDelayMillis: Number(env.OTEL_BSP_SCHEDULE_DELAY) || DEFAULT_BATCH_DELAY_MS,
          }),
        ]
      : [],
  });
  trace.setGlobalTracerProvider(provider as ApiTracerProvider);
  registerInstrumentations({
    tracerProvider: provider as ApiTracerProvider,
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: (request) => UNTRACED_PATHS.includes(request.url?.split('?')[0] ?? ''),
      }),
      ...instrumentations,
    ],
  });
  return { shutdown: () => provider.shutdown() };
}

function createExporter(config: Config, env: NodeJS.ProcessEnv): SpanExporter | undefined {
  if (config.exporter === 'none') return undefined;
  if (config.exporter === 'zipkin')
    return new ZipkinExporter({ url: env.OTEL_EXPORTER_ZIPKIN_ENDPOINT || IN_CLUSTER_ZIPKIN });
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT || IN_CLUSTER_OTLP;
  return new OTLPTraceExporter({
    url: env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || `${endpoint.replace(/\/$/, '')}/v1/traces`,
  });
}
