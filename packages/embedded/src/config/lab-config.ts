import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

/** Ports of 127.0.0.1; 0 leaves one out (only those that are not needed by others). */
export interface LabPorts {
  readonly gateway: number;
  readonly api: number;
  readonly registry: number;
  readonly zipkin: number;
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
  readonly jaeger: number;
  readonly prometheus: number;
  readonly loki: number;
}

export const DEFAULT_PORTS: LabPorts = {
  gateway: 8080,
  api: 6443,
  registry: 5001,
  zipkin: 9411,
  otlpGrpc: 4317,
  otlpHttp: 4318,
  jaeger: 16686,
  prometheus: 9090,
  loki: 3100,
};

/** What a lab is: kept as `lab.json` in its data directory and read by each of its processes. */
export interface LabConfig {
  /** Absolute. */
  readonly dataDir: string;
  readonly ports: LabPorts;
  /** The address block, see `createAddressPlan`. */
  readonly addressBlock: number;
  /** `7d`, `12h`, … or `off`: how long telemetry is kept. */
  readonly retention: string;
  /** Names of Prometheus' `--enable-feature`, with commas between. */
  readonly enableFeature?: string;
}

export interface LabPaths {
  readonly version: string;
  readonly config: string;
  readonly run: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly apiDatabase: string;
  readonly registry: string;
  readonly telemetry: string;
  readonly podLogs: string;
  readonly pods: string;
  readonly logs: string;
  readonly release: string;
}

export function labPaths(dataDir: string): LabPaths {
  const at = (...parts: string[]): string => join(dataDir, ...parts);
  return {
    version: at('version'),
    config: at('lab.json'),
    run: at('run.json'),
    kubeconfig: at('kubeconfig'),
    pki: at('pki'),
    apiDatabase: at('state', 'api.db'),
    registry: at('registry'),
    telemetry: at('telemetry'),
    podLogs: at('log', 'pods'),
    pods: at('pods'),
    logs: at('log'),
    release: at('release.json'),
  };
}

/** `.kind-e2e` of a folder, or what the user named. */
export function resolveDataDir(option: string | undefined, cwd: string): string {
  return resolve(cwd, option ?? '.kind-e2e');
}

/** Where the search for a free address block begins: the same for the same directory. */
export function preferredBlock(dataDir: string, first: number, last: number): number {
  const hash = createHash('sha256').update(dataDir).digest().readUInt32BE(0);
  return first + (hash % (last - first + 1));
}
