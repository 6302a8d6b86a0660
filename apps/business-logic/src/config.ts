/** Configuration, all of it from the environment; a value that cannot be used stops the start with a clear message. */
export interface Config {
  /** Address to listen on. `HOST`, default 0.0.0.0. */
  readonly host: string;
  /** `PORT`, default 8000. */
  readonly port: number;
  /** How long the slow endpoint works. `SLOW_SECONDS`, default 3. */
  readonly slowMs: number;
  /** Where spans go. `OTEL_TRACES_EXPORTER`: otlp (default), zipkin or none. */
  readonly exporter: 'otlp' | 'zipkin' | 'none';
  /** `OTEL_SERVICE_NAME`, default business-logic. */
  readonly serviceName: string;
  readonly serviceVersion: string;
}

export function readConfig(env: NodeJS.ProcessEnv): Config {
  return {
    host: env.HOST || '0.0.0.0',
    port: number(env, 'PORT', 8000, 0, 65_535),
    slowMs: number(env, 'SLOW_SECONDS', 3, 0, 3_600) * 1_000,
    exporter: exporter(env),
    serviceName: env.OTEL_SERVICE_NAME || 'business-logic',
    serviceVersion: env.SERVICE_VERSION || '0.1.0',
  };
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
