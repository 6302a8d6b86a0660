import { createAddressPlan, systemClock } from '@kind-e2e/base';
import type { KubeObject } from '@kind-e2e/kube-api';
import { parseAllDocuments } from 'yaml';
import { ISTIO_KINDS } from '../src/analysis/kinds.ts';
import { MeshCertificates } from '../src/certificates/certificates.ts';
import { translate } from '../src/translate/snapshot.ts';
import { TcpAddresses } from '../src/translate/tcp-addresses.ts';
import { DEFAULT_MESH_CONFIG, parseMeshConfig } from '../src/world/mesh-config.ts';
import { EMPTY_WORLD, type World } from '../src/world/world.ts';

const PARTS: Record<string, keyof World> = {
  Pod: 'pods',
  Service: 'services',
  EndpointSlice: 'endpointSlices',
  Namespace: 'namespaces',
  Node: 'nodes',
  Secret: 'secrets',
  ConfigMap: 'configMaps',
  ...Object.fromEntries(ISTIO_KINDS.map(({ kind, part }) => [kind, part])),
};

/** A world from YAML documents. */
export function worldOf(yaml: string): World {
  const world: Record<string, unknown[]> = {};
  let config = DEFAULT_MESH_CONFIG;
  for (const document of parseAllDocuments(yaml)) {
    const object = document.toJS() as KubeObject | null;
    if (object === null) continue;
    const part = PARTS[object.kind ?? ''];
    if (part === undefined) throw new Error(`no place for ${object.kind}`);
    object.metadata ??= {};
    if (object.kind !== 'Namespace' && object.kind !== 'Node') object.metadata.namespace ??= 'default';
    if (object.kind === 'ConfigMap' && object.metadata.name === 'istio')
      config = parseMeshConfig(object as never).config;
    world[part] = [...(world[part] ?? []), object];
  }
  return { ...EMPTY_WORLD, ...world, config } as World;
}

export function pod(
  name: string,
  ip: string,
  options: { labels?: Record<string, string>; namespace?: string; port?: number; injected?: boolean; sa?: string } = {},
): string {
  const labels = { app: name.replace(/-[^-]+$/, ''), ...options.labels };
  return `
---
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: ${options.namespace ?? 'default'}
  labels: ${JSON.stringify(labels)}
  annotations: ${JSON.stringify(options.injected === false ? {} : { 'sidecar.istio.io/status': '{}' })}
spec:
  serviceAccountName: ${options.sa ?? labels.app}
  nodeName: worker-1
  containers: [{name: app, image: app, ports: [{containerPort: ${options.port ?? 8080}}]}]
status: {phase: Running, podIP: ${ip}, conditions: [{type: Ready, status: "True"}]}
`;
}

export function service(
  name: string,
  port: number,
  endpoints: readonly { name: string; ip: string; ready?: boolean }[],
  options: { namespace?: string; target?: number; portName?: string; clusterIP?: string } = {},
): string {
  const namespace = options.namespace ?? 'default';
  return `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  ${options.clusterIP === '' ? '' : 'clusterIP:'} ${options.clusterIP ?? `127.11.0.${20 + (name.length % 200)}`}
  selector: {app: ${name}}
  ports: [{name: ${options.portName ?? 'http'}, port: ${port}, targetPort: ${options.target ?? port}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: ${name}-abc, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
ports: [{name: ${options.portName ?? 'http'}, port: ${options.target ?? port}}]
endpoints: ${JSON.stringify(
    endpoints.map(({ name: pod, ip, ready }) => ({
      addresses: [ip],
      conditions: { ready: ready ?? true },
      targetRef: { kind: 'Pod', name: pod, namespace },
    })),
  )}
`;
}

export const APP = `
${pod('front-end-1', '127.8.3.4', { port: 8080 })}
${pod('business-logic-1', '127.8.4.5', { port: 8000, labels: { version: 'v1' } })}
${pod('business-logic-2', '127.8.5.6', { port: 8000, labels: { version: 'v2' } })}
${pod('istio-ingressgateway-1', '127.8.3.9', { namespace: 'istio-system', injected: false, port: 8080, labels: { istio: 'ingressgateway', app: 'istio-ingressgateway' } })}
${service('front-end', 8080, [{ name: 'front-end-1', ip: '127.8.3.4' }])}
${service('business-logic', 8000, [
  { name: 'business-logic-1', ip: '127.8.4.5' },
  { name: 'business-logic-2', ip: '127.8.5.6' },
])}
${service('istio-ingressgateway', 80, [{ name: 'istio-ingressgateway-1', ip: '127.8.3.9' }], { namespace: 'istio-system', target: 8080 })}
${service('zipkin', 9411, [], { namespace: 'istio-system', clusterIP: '127.11.0.9' })}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: app-gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec:
  hosts: ["*"]
  gateways: [app-gateway]
  http:
    - match: [{uri: {prefix: /demo-app/}}]
      rewrite: {uri: /}
      route: [{destination: {host: front-end.default.svc.cluster.local, port: {number: 8080}}}]
`;

const certificates = new MeshCertificates({ clock: systemClock, trustDomain: 'cluster.local' });

export function snapshotOf(yaml: string) {
  return translate(worldOf(yaml), {
    tcpAddresses: new TcpAddresses(createAddressPlan(1)),
    identityOf: (id) => certificates.identityOf(id),
    jwksOf: () => undefined,
    gatewayAddresses: [{ servicePort: 80, address: '127.0.0.1', port: 8080 }],
    forwarders: { nodePortAddress: undefined, except: new Set(), isOwnAddress: () => true },
  });
}
