import { expect, test } from 'vitest';
import { STATUS_ANNOTATION, sidecarInjector } from './sidecar-injector.ts';

const PODS = { group: '', version: 'v1', resource: 'pods' };

function inject(pod: object, namespaceLabels: Record<string, string> = {}, operation: 'CREATE' | 'UPDATE' = 'CREATE') {
  return sidecarInjector({
    resource: PODS,
    operation,
    namespaceObject: { kind: 'Namespace', metadata: { name: 'default', labels: namespaceLabels } },
    object: { kind: 'Pod', ...structuredClone(pod) },
  });
}

const POD = {
  metadata: {
    generateName: 'front-end-7d9f-',
    labels: { app: 'front-end', version: 'v3', 'pod-template-hash': '7d9f' },
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'front-end-7d9f', uid: 'u', controller: true },
    ],
  },
  spec: {},
};

test('a pod of a labelled namespace is marked', () => {
  const pod = inject(POD, { 'istio-injection': 'enabled' });
  expect(pod?.metadata?.annotations?.[STATUS_ANNOTATION]).toContain('istio-proxy');
  expect(pod?.metadata?.labels).toMatchObject({
    'security.istio.io/tlsMode': 'istio',
    'service.istio.io/canonical-name': 'front-end',
    'service.istio.io/canonical-revision': 'v3',
  });
  expect(inject(POD, { 'istio.io/rev': 'canary' })).toBeDefined();
});

test('the pod decides over its namespace, the host network over both', () => {
  const labelled = (value: string) => ({
    ...POD,
    metadata: { ...POD.metadata, labels: { 'sidecar.istio.io/inject': value } },
  });
  expect(inject(POD)).toBeUndefined();
  expect(inject(POD, { 'istio-injection': 'disabled' })).toBeUndefined();
  expect(inject(labelled('false'), { 'istio-injection': 'enabled' })).toBeUndefined();
  expect(inject(labelled('true'))).toBeDefined();
  expect(inject({ ...POD, spec: { hostNetwork: true } }, { 'istio-injection': 'enabled' })).toBeUndefined();
  expect(inject(POD, { 'istio-injection': 'enabled' }, 'UPDATE')).toBeUndefined();
});

test('without labels the canonical name is the workload, without its hash', () => {
  const bare = { ...POD, metadata: { ...POD.metadata, labels: { 'pod-template-hash': '7d9f' } } };
  expect(inject(bare, { 'istio-injection': 'enabled' })?.metadata?.labels).toMatchObject({
    'service.istio.io/canonical-name': 'front-end',
    'service.istio.io/canonical-revision': 'latest',
  });
});
