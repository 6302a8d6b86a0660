import { createServer } from 'node:net';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import type { LabPorts } from './lab-config.ts';

/** Ports without which the lab is no lab; the others only bring telemetry in from outside. */
const NEEDED: readonly (keyof LabPorts)[] = ['gateway', 'api', 'registry'];
const OPTIONS: Readonly<Record<keyof LabPorts, string>> = {
  gateway: '--gateway-port',
  api: '--api-port',
  registry: '--registry-port',
  zipkin: '--zipkin-port',
  otlpGrpc: '--otlp-grpc-port',
  otlpHttp: '--otlp-http-port',
  jaeger: '--jaeger-port',
  prometheus: '--prometheus-port',
  loki: '--loki-port',
};

/** Whether something listens on the address already. */
export async function isPortTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      if (systemCodeOf(error) === 'EADDRINUSE') resolve(true);
      else reject(error);
    });
    probe.listen(port, host, () => probe.close(() => resolve(false)));
  });
}

/** A port of 127.0.0.1 that nobody has at this moment. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * Throws a LabError where a needed port is taken or may not be had; gives the ports with those left out (0) that are
 * taken and not needed, and says which.
 */
export async function claimPorts(ports: LabPorts): Promise<{ ports: LabPorts; leftOut: readonly string[] }> {
  const claimed: Record<keyof LabPorts, number> = { ...ports };
  const leftOut: string[] = [];
  for (const name of Object.keys(OPTIONS) as (keyof LabPorts)[]) {
    const port = ports[name];
    if (port === 0) continue;
    const taken = await isPortTaken('127.0.0.1', port).catch((error: unknown) => {
      throw new LabError(`port ${port} (${name}) cannot be opened: ${error instanceof Error ? error.message : error}`, {
        code: 'PORT_REFUSED',
        side: 'user',
        remedy: `choose another with ${OPTIONS[name]}`,
        cause: error,
      });
    });
    if (!taken) continue;
    if (NEEDED.includes(name))
      throw new LabError(`port ${port} of 127.0.0.1, for the ${name}, is taken by another program`, {
        code: 'PORT_TAKEN',
        side: 'user',
        remedy: `end that program (ss -ltnp 'sport = :${port}' names it), or choose another port with ${OPTIONS[name]}`,
      });
    claimed[name] = 0;
    leftOut.push(`${name} (port ${port} is taken; choose another with ${OPTIONS[name]})`);
  }
  return { ports: claimed, leftOut };
}
