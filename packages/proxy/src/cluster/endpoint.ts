import type { Endpoint } from '../snapshot/clusters.ts';
import type { UpstreamPool } from './endpoint-pool.ts';

/** One endpoint as one caller sees it: its connections, load and health. */
export class EndpointState {
  config: Endpoint;
  readonly key: string;
  http1: UpstreamPool | undefined;
  http2: UpstreamPool | undefined;
  activeRequests = 0;
  /** Ejected until this time of the monotonic clock; 0: not ejected. */
  ejectedUntil = 0;
  ejections = 0;
  consecutive5xx = 0;
  consecutiveGatewayErrors = 0;
  consecutiveLocalFailures = 0;
  /** For smooth weighted round robin. */
  currentWeight = 0;

  constructor(config: Endpoint) {
    this.config = config;
    this.key = `${config.address}:${config.port}`;
  }

  get weight(): number {
    return this.config.weight ?? 1;
  }

  isHealthy(): boolean {
    return this.config.ready && this.ejectedUntil === 0;
  }

  drain(): void {
    this.http1?.drain();
    this.http2?.drain();
  }

  destroy(): void {
    this.http1?.destroy();
    this.http2?.destroy();
  }

  sweep(now: number): void {
    this.http1?.sweep(now);
    this.http2?.sweep(now);
  }
}
