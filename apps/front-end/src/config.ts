/** Configuration, all of it from the environment; a value that cannot be used stops the start with a clear message. */
export interface Config {
  /** Address to listen on. `HOST`, default 0.0.0.0. */
  readonly host: string;
  /** `PORT`, default 8080. */
  readonly port: number;
  /** Where business-logic is, from `BL_HOST` (`host:port` or a URL), default `http://business-logic:8000`. */
  readonly businessLogicUrl: URL;
  /** Longest wait for business-logic. `BL_TIMEOUT_SECONDS`, default 30. */
  readonly businessLogicTimeoutMs: number;
  /** Where a reader finds a trace; `{traceId}` is replaced. `TRACE_URL`, default `/jaeger/trace/{traceId}`. */
  readonly traceUrl: string;
  /** Where spans go. `OTEL_TRACES_EXPORTER`: otlp (default), zipkin or none. */
  readonly exporter: 'otlp' | 'zipkin' | 'none';
  /** `OTEL_SERVICE_NAME`, default front-end. */
  readonly serviceName: string;
  readonly serviceVersion: string;
}

export function readConfig(env: NodeJS.ProcessEnv): Config {
  return {
    host: env.HOST || '0.0.0.0',
    port: number(env, 'PORT', 8080, 0, 65_535),
    businessLogicUrl: businessLogic(env.BL_HOST || 'business-logic:8000'),
    businessLogicTimeoutMs: number(env, 'BL_TIMEOUT_SECONDS', 30, 0.001, 3_600) * 1_000,
    traceUrl: env.TRACE_URL || '/jaeger/trace/{traceId}',
    exporter: exporter(env),
    serviceName: env.OTEL_SERVICE_NAME || 'front-end',
    serviceVersion: env.SERVICE_VERSION || '0.1.0',
  };
}

function businessLogic(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || url.protocol !== 'http:')
    throw new Error(`BL_HOST=${text} is not a host and port or an http URL; set it to one such as business-logic:8000`);
  return url;
}

function number(env: NodeJS.ProcessEnv, name: string, fallback: number, least: number, most: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < least || value > most)
    throw new Error(`${name}=${text} is not a number from ${least} to ${most}; set it to one or leave it unset`);
  return value;
}

function exporter(env: NodeJS.ProcessEnv): Config['exporter'] {
  const text = env.OTEL_TRACES_EXPORTER || 'otlp';
  if (text === 'otlp' || text === 'zipkin' || text === 'none') return text;
  throw new Error(`OTEL_TRACES_EXPORTER=${text} is unknown; use otlp, zipkin or none`);
}
