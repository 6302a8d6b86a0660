import { createAuthority, issueSpiffeCertificate } from '@kind-e2e/pki';
import { type Identity, type Snapshot, startProxy, type Workload } from '../../src/index.ts';

/** A gateway in front of a backend, direct and through a sidecar, in a process of its own. */
const [, , gateway, directPort, meshPort, pod, gatewayPod, app, appPort, sidecars] =
  process.argv as unknown as string[];
const authority = createAuthority({ commonName: 'bench' });
const identity = (name: string): Identity => {
  const spiffeId = `spiffe://cluster.local/ns/default/sa/${name}`;
  const pair = issueSpiffeCertificate(authority, spiffeId);
  return { spiffeId, certificateChainPem: pair.certPem, privateKeyPem: pair.keyPem, trustBundlePem: authority.certPem };
};
const metadata = (name: string, address: string) => ({
  address,
  name,
  namespace: 'default',
  workload: name,
  app: name,
  version: 'v1',
  canonicalService: name,
  canonicalRevision: 'v1',
  spiffeId: '',
  cluster: 'Kubernetes',
});
const base = {
  nodeId: 'n',
  inbound: [],
  outbound: [],
  gateways: [],
  policies: [],
  jwtRules: [],
  outboundPolicy: 'ALLOW_ANY' as const,
};
const table = (cluster: string) => ({
  name: cluster,
  virtualHosts: [
    {
      name: 'all',
      domains: ['*'],
      routes: [
        {
          match: { path: { prefix: '/demo-app/' } },
          operation: 'front:8080/demo-app/*',
          action: { kind: 'forward' as const, destinations: [{ cluster, weight: 1 }], rewrite: { prefix: '/' } },
        },
      ],
    },
  ],
});
const service = { host: 'front.default.svc.cluster.local', name: 'front', namespace: 'default' };
const cluster = (name: string, address: string, port: number, mtls: boolean) => ({
  name,
  service,
  endpoints: [{ address, port, ready: true, workload: 'front', mtls }],
  loadBalancer: { kind: 'least-request' as const },
  protocol: 'http1' as const,
  tls: { mode: 'auto' as const },
});
const extra = Array.from({ length: Number(sidecars ?? 0) }, (_, i): Workload => {
  const [a, b] = (pod ?? '').split('.');
  return {
    ...base,
    id: `extra-${i}`,
    kind: 'sidecar',
    identity: 'front',
    address: `${a}.${b}.200.${i + 1}`,
    appAddress: `${a}.${b}.201.${i + 1}`,
    outboundAddress: `${a}.${b}.202.${i + 1}`,
    inbound: [{ port: 8080, protocol: 'http', mtls: 'PERMISSIVE', service }],
    outbound: Array.from({ length: 8 }, (_, port) => ({
      address: `${a}.${b}.202.${i + 1}`,
      port: 8000 + port,
      protocol: 'http' as const,
      routes: 'mesh',
    })),
  };
});
const snapshot: Snapshot = {
  format: 1,
  version: '1',
  identities: { front: identity('front'), gateway: identity('gateway') },
  metadata: {
    front: metadata('front', pod ?? ''),
    gateway: metadata('gateway', gatewayPod ?? ''),
    ...Object.fromEntries(extra.map((w) => [w.id, metadata(w.id, w.address)])),
  },
  workloads: [
    {
      ...base,
      id: 'gateway',
      kind: 'gateway',
      identity: 'gateway',
      address: gatewayPod ?? '',
      gateways: [
        { address: gateway ?? '', port: Number(directPort), protocol: 'http', routes: 'direct' },
        { address: gateway ?? '', port: Number(meshPort), protocol: 'http', routes: 'mesh' },
      ],
    },
    {
      ...base,
      id: 'front',
      kind: 'sidecar',
      identity: 'front',
      address: pod ?? '',
      appAddress: app ?? '',
      inbound: [{ port: 8080, appPort: Number(appPort), protocol: 'http', mtls: 'STRICT', service }],
    },
    ...extra,
  ],
  routeTables: { direct: table('direct'), mesh: table('mesh') },
  clusters: {
    direct: cluster('direct', app ?? '', Number(appPort), false),
    mesh: cluster('mesh', pod ?? '', 8080, true),
  },
  forwarders: [],
  names: { clusterDomain: 'cluster.local', names: {} },
  telemetry: {
    tracing: {
      zipkinUrls: [],
      samplingPercent: process.env.SAMPLING === undefined ? 100 : Number(process.env.SAMPLING),
    },
    accessLog: { encoding: 'TEXT' },
  },
};
let lines = 0;
const proxy = startProxy({ accessLog: () => lines++ });
await proxy.applySnapshot(snapshot);
process.stdout.write('ready\n');
process.on('message', (question) => {
  if (question === 'usage') process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss, lines });
});
