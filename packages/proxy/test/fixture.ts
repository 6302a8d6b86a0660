import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createAuthority, issueSpiffeCertificate } from '@kind-e2e/pki';
import type { Identity, Snapshot, Workload, WorkloadMetadata } from '../src/index.ts';

/** A free second octet, so that tests that run at once use different addresses. */
const OCTET = 200 + (process.pid % 40);
let lastHost = 0;

/** A fresh loopback address. */
export function freshAddress(): string {
  lastHost++;
  return `127.${OCTET}.${(process.pid >> 6) & 255}.${lastHost}`;
}

export async function listenHttp(
  handler: RequestListener,
  address: string,
  port = 0,
): Promise<HttpServer & { port: number }> {
  const server = createHttpServer({ keepAliveTimeout: 5_000 }, handler);
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

export async function listenTcp(
  handler: (socket: Socket) => void,
  address: string,
): Promise<Server & { port: number }> {
  const server = createServer({ allowHalfOpen: true }, handler);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

export function identitiesFor(ids: readonly string[]): Record<string, Identity> {
  const authority = createAuthority({ commonName: 'test mesh' });
  const found: Record<string, Identity> = {};
  for (const id of ids) {
    const pair = issueSpiffeCertificate(authority, id);
    found[id] = {
      spiffeId: id,
      certificateChainPem: pair.certPem,
      privateKeyPem: pair.keyPem,
      trustBundlePem: authority.certPem,
    };
  }
  return found;
}

export function metadata(name: string, address: string, extra: Partial<WorkloadMetadata> = {}): WorkloadMetadata {
  return {
    address,
    name: `${name}-1`,
    namespace: 'default',
    workload: name,
    app: name,
    version: 'v1',
    canonicalService: name,
    canonicalRevision: 'v1',
    spiffeId: `spiffe://cluster.local/ns/default/sa/${name}`,
    cluster: 'Kubernetes',
    ...extra,
  };
}

export function workload(id: string, address: string, extra: Partial<Workload> = {}): Workload {
  return {
    id,
    kind: 'sidecar',
    nodeId: `sidecar~${address}~${id}.default~default.svc.cluster.local`,
    address,
    inbound: [],
    outbound: [],
    gateways: [],
    policies: [],
    jwtRules: [],
    outboundPolicy: 'REGISTRY_ONLY',
    ...extra,
  };
}

let versions = 0;

export function snapshot(extra: Partial<Snapshot>): Snapshot {
  return {
    format: 1,
    version: String(++versions),
    identities: {},
    metadata: {},
    workloads: [],
    routeTables: {},
    clusters: {},
    forwarders: [],
    names: { clusterDomain: 'cluster.local', names: {} },
    telemetry: {},
    ...extra,
  };
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A port that is free on an address now. */
export async function freePort(address: string): Promise<number> {
  const server = await listenTcp(() => {}, address);
  await new Promise((resolve) => server.close(resolve));
  return server.port;
}
