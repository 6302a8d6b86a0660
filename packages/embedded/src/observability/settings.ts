import { LabError } from '@kind-e2e/base';
import type { RetentionSetting } from '@kind-e2e/telemetry-store';

/** Ports of 127.0.0.1 that bring telemetry in from outside the cluster; 0 for none. */
export interface HostPorts {
  readonly zipkin: number;
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
  readonly jaeger: number;
  readonly prometheus: number;
  readonly loki: number;
}

/** What the observability process is told by its environment. */
export interface Settings {
  /** Address of the pod. `POD_IP`. */
  readonly address: string;
  /** `STORE_DIR` */
  readonly storeDirectory: string;
  /** `POD_LOG_DIR` */
  readonly podLogDirectory: string;
  /** `PROMETHEUS_CONFIG` */
  readonly prometheusConfig: string;
  /** `LOG_PIPELINE_CONFIG` */
  readonly logPipelineConfig: string;
  /** `RETENTION`: `7d`, `12h` or `off`. */
  readonly retention: RetentionSetting;
  /** `ENABLE_FEATURE`: names of Prometheus' `--enable-feature`, with commas between. */
  readonly enableFeature: string;
  /** Those of them that the query language knows. */
  readonly promqlFeatures: { readonly experimentalFunctions: boolean; readonly durationExpressions: boolean };
  /** `HOST_PORTS`, a JSON object. */
  readonly hostPorts: HostPorts;
  /** `https://host:port` of the API server, from the service variables. */
  readonly apiServer: string;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const enableFeature = env.ENABLE_FEATURE ?? '';
  const features = enableFeature.split(',');
  return {
    address: required(env, 'POD_IP'),
    storeDirectory: required(env, 'STORE_DIR'),
    podLogDirectory: required(env, 'POD_LOG_DIR'),
    prometheusConfig: required(env, 'PROMETHEUS_CONFIG'),
    logPipelineConfig: required(env, 'LOG_PIPELINE_CONFIG'),
    retention: parseRetention(env.RETENTION ?? '7d'),
    enableFeature,
    promqlFeatures: {
      experimentalFunctions: features.includes('promql-experimental-functions'),
      durationExpressions: features.includes('promql-duration-expr'),
    },
    hostPorts: JSON.parse(required(env, 'HOST_PORTS')) as HostPorts,
    apiServer: `https://${required(env, 'KUBERNETES_SERVICE_HOST')}:${required(env, 'KUBERNETES_SERVICE_PORT')}`,
  };
}

export function parseRetention(text: string): RetentionSetting {
  if (text === 'off') return 'off';
  const found = /^(\d+)([mhdwy])$/.exec(text);
  const unit = UNIT_MS[found?.[2] ?? ''];
  if (found === null || unit === undefined)
    throw new LabError(`RETENTION=${text} is not a time`, {
      code: 'RETENTION',
      side: 'user',
      remedy: 'write it as 7d, 12h or off',
    });
  return { maxAgeMs: Number(found[1]) * unit };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === '')
    throw new LabError(`${name} is not set`, {
      code: 'SETTING_MISSING',
      side: 'internal',
      remedy: 'look at the Deployment observability in istio-system',
    });
  return value;
}
