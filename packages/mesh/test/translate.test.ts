import { expect, test } from 'vitest';
import { APP, pod, service, snapshotOf } from './world.ts';

const BACK = 'outbound|8000||business-logic.default.svc.cluster.local';

test('the app of the lab becomes gateway, sidecars, routes and clusters', () => {
  const snapshot = snapshotOf(APP);
  const gateway = snapshot.workloads.find(({ kind }) => kind === 'gateway');
  expect(gateway?.gateways.map(({ address, port, matchPort }) => [address, port, matchPort])).toEqual([
    ['127.8.3.9', 8080, 80],
    ['127.0.0.1', 8080, 80],
  ]);
  const table = snapshot.routeTables[gateway?.gateways[0]?.routes ?? ''];
  expect(table?.virtualHosts[0]?.domains).toEqual(['*']);
  expect(table?.virtualHosts[0]?.routes[0]).toMatchObject({
    operation: 'front-end.default.svc.cluster.local:8080/demo-app/*',
    action: {
      kind: 'forward',
      rewrite: { prefix: '/' },
      destinations: [{ cluster: 'outbound|8080||front-end.default.svc.cluster.local' }],
    },
  });
  const front = snapshot.workloads.find(({ id }) => id === 'default/front-end-1');
  expect(front).toMatchObject({ address: '127.8.3.4', appAddress: '127.9.3.4', outboundAddress: '127.10.3.4' });
  expect(front?.inbound).toMatchObject([
    { port: 8080, protocol: 'http', mtls: 'PERMISSIVE', service: { name: 'front-end' } },
  ]);
  expect(front?.outbound.find(({ port }) => port === 8000)).toMatchObject({
    address: '127.10.3.4',
    routes: 'default/8000',
  });
  const back = snapshot.clusters[BACK];
  expect(back?.endpoints).toHaveLength(2);
  expect(back?.endpoints.every(({ mtls, ready }) => mtls && ready)).toBe(true);
  expect(back?.tls).toMatchObject({ mode: 'auto', spiffeIds: ['spiffe://cluster.local/ns/default/sa/business-logic'] });
  expect(snapshot.names.names['business-logic.default.svc.cluster.local']?.kind).toBe('outbound');
  expect(snapshot.telemetry.tracing?.zipkinUrls).toEqual(['http://127.11.0.9:9411/api/v2/spans']);
  expect(snapshot.forwarders.length).toBe(4);
});

test('a pod that is being deleted is not ready any more, before its slice says so', () => {
  const gone = APP.replace(
    'name: business-logic-1\n',
    'name: business-logic-1\n  deletionTimestamp: "2026-01-01T00:00:00Z"\n',
  );
  expect(snapshotOf(gone).clusters[BACK]?.endpoints.map(({ ready }) => ready)).toEqual([false, true]);
});

test('subsets, weights, faults, mirrors, retries', () => {
  const snapshot = snapshotOf(`${APP}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bl}
spec:
  host: business-logic
  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}, outlierDetection: {consecutive5xxErrors: 3}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}, trafficPolicy: {tls: {mode: DISABLE}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bl}
spec:
  hosts: [business-logic]
  http:
    - match: [{headers: {x-user: {exact: jason}}}]
      fault: {delay: {fixedDelay: 2s, percentage: {value: 50}}, abort: {httpStatus: 418, percentage: {value: 10}}}
      route: [{destination: {host: business-logic, subset: v2}}]
    - route: [{destination: {host: business-logic, subset: v1}, weight: 90}, {destination: {host: business-logic, subset: v2}, weight: 10}]
      timeout: 3s
      retries: {attempts: 3, perTryTimeout: 500ms, retryOn: "5xx,503"}
      mirror: {host: business-logic, subset: v2}
      mirrorPercentage: {value: 25}
`);
  const host = snapshot.routeTables['default/8000']?.virtualHosts.find(({ name }) => name.startsWith('business-logic'));
  expect(host?.routes).toHaveLength(2);
  expect(host?.routes[0]?.fault).toEqual({ delay: { ms: 2000, percent: 50 }, abort: { percent: 10, httpStatus: 418 } });
  expect(host?.routes[1]?.action).toMatchObject({
    timeoutMs: 3000,
    destinations: [{ weight: 90 }, { weight: 10 }],
    retry: { attempts: 3, perTryTimeoutMs: 500, statusCodes: [503] },
    mirrors: [{ percent: 25 }],
  });
  expect(host?.routes[1]?.operation).toBe('bl:8000/*');
  const v1 = snapshot.clusters['outbound|8000|v1|business-logic.default.svc.cluster.local'];
  expect(v1?.endpoints.map(({ address }) => address)).toEqual(['127.8.4.5']);
  expect(v1?.loadBalancer).toEqual({ kind: 'round-robin' });
  expect(snapshot.clusters['outbound|8000|v2|business-logic.default.svc.cluster.local']?.tls).toEqual({
    mode: 'disable',
  });
});

test('a TCP service gets an address of its own for each sidecar, and keeps it', () => {
  const yaml = `${APP}${pod('redis-1', '127.8.5.7', { port: 6379 })}${service('redis', 6379, [{ name: 'redis-1', ip: '127.8.5.7' }], { portName: 'tcp-redis' })}`;
  const snapshot = snapshotOf(yaml);
  const record = snapshot.names.names['redis.default.svc.cluster.local'];
  const addresses = Object.values(record?.perWorkload ?? {});
  expect(addresses.length).toBe(4);
  expect(new Set(addresses).size).toBe(4);
  const front = snapshot.workloads.find(({ id }) => id === 'default/front-end-1');
  const listener = front?.outbound.find(({ port }) => port === 6379);
  expect(listener).toMatchObject({ address: record?.perWorkload?.['default/front-end-1'], protocol: 'tcp' });
  expect(snapshotOf(yaml).names).toEqual(snapshot.names);
});

test('peer authentication, authorization and telemetry reach the workload', () => {
  const snapshot = snapshotOf(`${APP}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: only-front}
spec:
  selector: {matchLabels: {app: business-logic}}
  rules: [{from: [{source: {principals: [cluster.local/ns/default/sa/front-end]}}]}]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh, namespace: istio-system}
spec: {tracing: [{providers: [{name: zipkin}], randomSamplingPercentage: 50}]}
`);
  const back = snapshot.workloads.find(({ id }) => id === 'default/business-logic-1');
  expect(back?.inbound[0]?.mtls).toBe('STRICT');
  expect(back?.policies).toHaveLength(1);
  expect(back?.telemetry?.tracing?.samplingPercent).toBe(50);
  expect(snapshot.workloads.find(({ id }) => id === 'default/front-end-1')?.policies).toEqual([]);
});
