import { parse } from 'yaml';
import type { HttpRetry, LocalityLbSetting } from './istio-types.ts';
import type { ConfigMapLike } from './objects.ts';

export interface ExtensionProvider {
  name?: string;
  zipkin?: { service?: string; port?: number; maxTagLength?: number; path?: string };
  opentelemetry?: { service?: string; port?: number; maxTagLength?: number; http?: { path?: string } };
  envoyFileAccessLog?: {
    path?: string;
    logFormat?: { text?: string; labels?: Record<string, string> };
    omitEmptyValues?: boolean;
  };
  prometheus?: Record<string, never>;
  [other: string]: unknown;
}

/** Istio's MeshConfig, as far as it is read (mesh/v1alpha1/config.proto). */
export interface MeshConfig {
  trustDomain?: string;
  rootNamespace?: string;
  enableTracing?: boolean;
  enableAutoMtls?: boolean;
  accessLogFile?: string;
  accessLogFormat?: string;
  accessLogEncoding?: 'TEXT' | 'JSON';
  outboundTrafficPolicy?: { mode?: 'REGISTRY_ONLY' | 'ALLOW_ANY' };
  extensionProviders?: ExtensionProvider[];
  defaultProviders?: { tracing?: string[]; metrics?: string[]; accessLogging?: string[] };
  defaultConfig?: {
    tracing?: { sampling?: number; zipkin?: { address?: string }; maxPathTagLength?: number };
    meshId?: string;
    [other: string]: unknown;
  };
  localityLbSetting?: LocalityLbSetting;
  defaultHttpRetryPolicy?: HttpRetry;
  connectTimeout?: string;
  [other: string]: unknown;
}

/** Fields that have an effect here; others are reported. */
export const KNOWN_MESH_CONFIG_FIELDS: ReadonlySet<string> = new Set([
  'trustDomain',
  'rootNamespace',
  'enableTracing',
  'enableAutoMtls',
  'accessLogFile',
  'accessLogFormat',
  'accessLogEncoding',
  'outboundTrafficPolicy',
  'extensionProviders',
  'defaultProviders',
  'defaultConfig',
  'localityLbSetting',
  'defaultHttpRetryPolicy',
  'connectTimeout',
  'discoveryAddress',
  'enablePrometheusMerge',
]);

/**
 * What holds where there is no ConfigMap `istio` in the root namespace: the provider `zipkin`, every trace kept, access
 * logs in Istio's text format. Fields of a ConfigMap replace these one by one.
 */
export const DEFAULT_MESH_CONFIG: MeshConfig = {
  trustDomain: 'cluster.local',
  rootNamespace: 'istio-system',
  enableTracing: true,
  enableAutoMtls: true,
  accessLogFile: '/dev/stdout',
  outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
  extensionProviders: [{ name: 'zipkin', zipkin: { service: 'zipkin.istio-system.svc.cluster.local', port: 9411 } }],
  defaultProviders: { tracing: ['zipkin'] },
  defaultConfig: { tracing: { sampling: 100 } },
};

export interface ParsedMeshConfig {
  readonly config: MeshConfig;
  /** What is wrong with the text, if anything; then the defaults are in force. */
  readonly problem?: string;
}

/** Reads `data.mesh` of the ConfigMap `istio`. */
export function parseMeshConfig(configMap: ConfigMapLike | undefined): ParsedMeshConfig {
  const text = configMap?.data?.mesh;
  if (text === undefined) return { config: DEFAULT_MESH_CONFIG };
  try {
    const value: unknown = parse(text);
    if (value === null || value === undefined) return { config: DEFAULT_MESH_CONFIG };
    if (typeof value !== 'object' || Array.isArray(value)) throw new Error('not a mapping');
    const config = { ...DEFAULT_MESH_CONFIG, ...(value as MeshConfig) };
    // Without default providers tracing waits for a Telemetry, as in Istio, unless there is the old zipkin address.
    if (!('defaultProviders' in value) && 'extensionProviders' in value) config.defaultProviders = {};
    return { config };
  } catch (error) {
    return { config: DEFAULT_MESH_CONFIG, problem: error instanceof Error ? error.message : String(error) };
  }
}
