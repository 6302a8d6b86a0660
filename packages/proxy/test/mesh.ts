import type { RequestListener } from 'node:http';
import {
  type Cluster,
  type Proxy as DataPlane,
  type Endpoint,
  type Identity,
  type ProxyOptions,
  type Route,
  type Snapshot,
  startProxy,
} from '../src/index.ts';
import { freePort, freshAddress, identitiesFor, listenHttp, metadata, snapshot, workload } from './fixture.ts';

export interface TestMesh extends AsyncDisposable {
  readonly proxy: DataPlane;
  readonly gateway: string;
  readonly gatewayPort: number;
  /** Pod address of the front end's sidecar. */
  readonly front: string;
  readonly back: string;
  readonly frontOutbound: string;
  readonly gatewayPod: string;
  readonly spans: Record<string, unknown>[];
  readonly logs: string[];
  readonly snapshot: Snapshot;
  readonly identities: Record<string, Identity>;
  apply(change: (snapshot: Snapshot) => Snapshot): Promise<void>;
}

export function cluster(name: string, endpoints: readonly Endpoint[], extra: Partial<Cluster> = {}): Cluster {
  const host = name.split('|')[3] ?? name;
  return {
    name,
    service: { host, name: host.split('.')[0] ?? host, namespace: host.split('.')[1] ?? 'default' },
    endpoints,
    loadBalancer: { kind: 'least-request' },
    protocol: 'same',
    tls: { mode: 'auto', sni: `outbound_.8000_._.${host}` },
    ...extra,
  };
}

export function forward(key: string, operation: string, extra: Partial<Route> = {}): Route {
  return {
    match: {},
    operation,
    action: { kind: 'forward', destinations: [{ cluster: key, weight: 1 }] },
    ...extra,
  };
}

export const FRONT_HOST = 'front-end.default.svc.cluster.local';
export const BACK_HOST = 'business-logic.default.svc.cluster.local';
export const FRONT_CLUSTER = `outbound|8080||${FRONT_HOST}`;
export const BACK_CLUSTER = `outbound|8000||${BACK_HOST}`;

/** A gateway, two injected workloads with their applications, and a Zipkin collector. */
export async function startMesh(
  apps: { front: RequestListener; back: RequestListener },
  options: ProxyOptions = {},
): Promise<TestMesh> {
  const spans: Record<string, unknown>[] = [];
  const logs: string[] = [];
  const collectorAddress = freshAddress();
  const collector = await listenHttp((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      spans.push(...(JSON.parse(body) as Record<string, unknown>[]));
      response.writeHead(202).end();
    });
  }, collectorAddress);
  const [gatewayPod, gateway, front, frontApp, frontOutbound, back, backApp, backOutbound] = Array.from(
    { length: 8 },
    freshAddress,
  ) as [string, string, string, string, string, string, string, string];
  const gatewayPort = await freePort(gateway);
  const frontServer = await listenHttp(apps.front, frontApp, 8080);
  const backServer = await listenHttp(apps.back, backApp, 8000);
  const ids = ['front-end', 'business-logic', 'ingress'].map((name) => `spiffe://cluster.local/ns/default/sa/${name}`);
  const identities = identitiesFor(ids);
  const [frontId, backId, gatewayId] = ids as [string, string, string];
  let current = snapshot({
    identities,
    metadata: {
      front: metadata('front-end', front),
      back: metadata('business-logic', back),
      gateway: metadata('istio-ingressgateway', gatewayPod, { namespace: 'istio-system', spiffeId: gatewayId }),
    },
    workloads: [
      workload('gateway', gatewayPod, {
        kind: 'gateway',
        identity: gatewayId,
        gateways: [{ address: gateway, port: gatewayPort, protocol: 'http', routes: 'gateway' }],
      }),
      workload('front', front, {
        identity: frontId,
        appAddress: frontApp,
        outboundAddress: frontOutbound,
        inbound: [
          {
            port: 8080,
            protocol: 'http',
            mtls: 'PERMISSIVE',
            service: { host: FRONT_HOST, name: 'front-end', namespace: 'default' },
          },
        ],
        outbound: [{ address: frontOutbound, port: 8000, protocol: 'http', routes: '8000' }],
      }),
      workload('back', back, {
        identity: backId,
        appAddress: backApp,
        outboundAddress: backOutbound,
        inbound: [
          {
            port: 8000,
            protocol: 'http',
            mtls: 'STRICT',
            service: { host: BACK_HOST, name: 'business-logic', namespace: 'default' },
          },
        ],
      }),
    ],
    clusters: {
      [FRONT_CLUSTER]: cluster(FRONT_CLUSTER, [
        { address: front, port: 8080, ready: true, workload: 'front', mtls: true },
      ]),
      [BACK_CLUSTER]: cluster(BACK_CLUSTER, [{ address: back, port: 8000, ready: true, workload: 'back', mtls: true }]),
    },
    routeTables: {
      gateway: {
        name: 'http.8080',
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              {
                match: { path: { prefix: '/demo-app/' } },
                operation: `${FRONT_HOST}:8080/demo-app/*`,
                action: {
                  kind: 'forward',
                  destinations: [{ cluster: FRONT_CLUSTER, weight: 1 }],
                  rewrite: { prefix: '/' },
                },
              },
            ],
          },
        ],
      },
      '8000': {
        name: '8000',
        virtualHosts: [
          {
            name: 'bl',
            domains: ['business-logic', BACK_HOST],
            routes: [forward(BACK_CLUSTER, `${BACK_HOST}:8000/*`)],
          },
        ],
      },
    },
    names: {
      clusterDomain: 'cluster.local',
      names: { [BACK_HOST]: { kind: 'outbound', ports: [{ name: 'http', protocol: 'tcp', port: 8000 }] } },
    },
    telemetry: {
      tracing: { zipkinUrls: [`http://${collectorAddress}:${collector.port}/api/v2/spans`], samplingPercent: 100 },
      accessLog: { encoding: 'TEXT' },
    },
  });
  const proxy = startProxy({ accessLog: (_workload, line) => logs.push(line), ...options });
  await proxy.applySnapshot(current);
  return {
    proxy,
    gateway,
    gatewayPort,
    gatewayPod,
    front,
    back,
    frontOutbound,
    spans,
    logs,
    identities,
    get snapshot() {
      return current;
    },
    async apply(change) {
      current = { ...change(current), version: String(Math.random()) };
      await proxy.applySnapshot(current);
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      for (const server of [collector, frontServer, backServer]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}
