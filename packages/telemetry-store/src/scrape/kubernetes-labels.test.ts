import { describe, expect, it } from 'vitest';
import {
  ingressTargets,
  type PodObject,
  type ServiceObject,
  serviceTargets,
  sliceTargets,
  type TargetLabels,
} from './kubernetes-labels.ts';

/** The labels that matter here, without their common beginning. */
function short(targets: readonly TargetLabels[], ...names: readonly string[]): (string | undefined)[][] {
  return targets.map((target) => [target.__address__, ...names.map((name) => target[`__meta_kubernetes_${name}`])]);
}

const pod: PodObject = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u1', labels: { app: 'web' } },
  spec: {
    nodeName: 'n1',
    containers: [
      { name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] },
      { name: 'side', image: 'side:1', ports: [{ name: 'metrics', containerPort: 9090, protocol: 'TCP' }] },
    ],
    initContainers: [{ name: 'proxy', image: 'proxy:1', ports: [{ containerPort: 15090, protocol: 'TCP' }] }],
  },
  status: { podIP: '10.0.0.7', phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};

const service: ServiceObject = {
  metadata: { name: 'web', namespace: 'shop', labels: { team: 'a' } },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.1',
    loadBalancerIP: '1.2.3.4',
    ports: [{ name: 'http', port: 80 }],
  },
};

const slice = {
  metadata: { name: 'web-abc', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.0.0.7'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'web-1' } },
    { addresses: ['fd00::1'], conditions: { ready: false } },
  ],
};

const context = { service: () => service, pod: () => pod };

describe('targets of endpoint slices', () => {
  it('are the endpoints, then every other container port of their pods', () => {
    const names = ['pod_name', 'pod_container_name', 'pod_container_port_name', 'pod_container_init'];
    expect(short(sliceTargets(slice, 'endpointslice', context), ...names)).toEqual([
      ['10.0.0.7:8080', 'web-1', 'web', 'http', 'false'],
      ['[fd00::1]:8080', undefined, undefined, undefined, undefined],
      ['10.0.0.7:9090', 'web-1', 'side', 'metrics', 'false'],
      ['10.0.0.7:15090', 'web-1', 'proxy', '', 'true'],
    ]);
  });

  it('have the labels of slice, service and endpoint', () => {
    const [first, , other] = sliceTargets(slice, 'endpointslice', context);
    expect(first).toMatchObject({
      __meta_kubernetes_endpointslice_name: 'web-abc',
      __meta_kubernetes_endpointslice_port: '8080',
      __meta_kubernetes_endpointslice_endpoint_conditions_ready: 'true',
      __meta_kubernetes_service_label_team: 'a',
    });
    expect(first?.__meta_kubernetes_pod_container_id).toBeUndefined();
    expect(other?.__meta_kubernetes_endpointslice_name).toBe('web-abc');
    expect(other?.__meta_kubernetes_endpointslice_port).toBeUndefined();
  });

  it('of role endpoints have the labels of the service as their own', () => {
    const names = ['endpoints_name', 'endpoints_label_team', 'endpoint_ready', 'endpoint_port_name'];
    expect(short(sliceTargets(slice, 'endpoints', context), ...names)).toEqual([
      ['10.0.0.7:8080', 'web', 'a', 'true', 'http'],
      ['[fd00::1]:8080', 'web', 'a', 'false', 'http'],
      ['10.0.0.7:9090', 'web', 'a', undefined, undefined],
      ['10.0.0.7:15090', 'web', 'a', undefined, undefined],
    ]);
  });

  it('that are starting have no other ports', () => {
    const starting = { ...pod, status: {} };
    expect(sliceTargets(slice, 'endpointslice', { ...context, pod: () => starting })).toHaveLength(2);
  });
});

describe('targets of services', () => {
  it('say where the load balancer is', () => {
    expect(short(serviceTargets(service), 'service_type', 'service_cluster_ip', 'service_loadbalancer_ip')).toEqual([
      ['web.shop.svc:80', 'LoadBalancer', '10.96.0.1', '1.2.3.4'],
    ]);
  });
});

describe('targets of ingresses', () => {
  it.each([
    ['without TLS', {}, [['a.example', 'http', '/']]],
    ['with TLS for the host', { tls: [{ hosts: ['a.example'] }] }, [['a.example', 'https', '/']]],
    ['with TLS for all of a domain', { tls: [{ hosts: ['*.example'] }] }, [['a.example', 'https', '/']]],
    ['with TLS for a deeper domain', { tls: [{ hosts: ['*.a.example'] }] }, [['a.example', 'http', '/']]],
    ['with TLS for other hosts', { tls: [{ hosts: ['b.example'] }, {}] }, [['a.example', 'http', '/']]],
  ])('%s', (_, spec, wanted) => {
    const ingress = { metadata: { name: 'i', namespace: 'shop' }, spec: { ...spec, rules: [{ host: 'a.example' }] } };
    expect(short(ingressTargets(ingress), 'ingress_scheme', 'ingress_path')).toEqual(wanted);
  });

  it('are one for each path', () => {
    const [first, second] = ingressTargets({
      metadata: { name: 'i', namespace: 'shop', labels: { 'a.b': 'c' }, annotations: { d: 'e' } },
      spec: { ingressClassName: 'nginx', rules: [{ host: 'h', http: { paths: [{ path: '/x' }, {}] } }] },
    });
    expect(first).toEqual({
      __address__: 'h',
      __meta_kubernetes_namespace: 'shop',
      __meta_kubernetes_ingress_name: 'i',
      __meta_kubernetes_ingress_class_name: 'nginx',
      __meta_kubernetes_ingress_label_a_b: 'c',
      __meta_kubernetes_ingress_labelpresent_a_b: 'true',
      __meta_kubernetes_ingress_annotation_d: 'e',
      __meta_kubernetes_ingress_annotationpresent_d: 'true',
      __meta_kubernetes_ingress_scheme: 'http',
      __meta_kubernetes_ingress_host: 'h',
      __meta_kubernetes_ingress_path: '/x',
    });
    expect(second?.__meta_kubernetes_ingress_path).toBe('/');
  });
});
