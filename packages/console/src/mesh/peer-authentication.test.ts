import { expect, it } from 'vitest';
import { mtlsModeOf } from './peer-authentication.ts';

const policy = (namespace: string, name: string, mode: string, labels?: Record<string, string>, at = '2026-01-01') => ({
  metadata: { name, namespace, creationTimestamp: at },
  spec: { mtls: { mode }, ...(labels ? { selector: { matchLabels: labels } } : {}) },
});
const workload = { namespace: 'default', labels: { app: 'front-end' } };

it('takes the narrowest policy, and of two the older', () => {
  const mesh = policy('istio-system', 'mesh', 'STRICT');
  const namespace = policy('default', 'ns', 'PERMISSIVE');
  const own = policy('default', 'own', 'DISABLE', { app: 'front-end' });
  expect(mtlsModeOf([], workload)).toEqual({ mode: 'PERMISSIVE', by: undefined });
  expect(mtlsModeOf([mesh], workload)).toEqual({ mode: 'STRICT', by: 'istio-system/mesh' });
  expect(mtlsModeOf([mesh, namespace], workload)).toEqual({ mode: 'PERMISSIVE', by: 'default/ns' });
  expect(mtlsModeOf([mesh, namespace, own], workload)).toEqual({ mode: 'DISABLE', by: 'default/own' });
  expect(mtlsModeOf([policy('default', 'b', 'STRICT', undefined, '2026-02-01'), namespace], workload).by).toBe(
    'default/ns',
  );
});

it('passes over what does not concern the workload, and UNSET', () => {
  const other = policy('default', 'other', 'STRICT', { app: 'business-logic' });
  const elsewhere = policy('shop', 'ns', 'STRICT');
  const unset = policy('default', 'unset', 'UNSET');
  const mesh = policy('istio-system', 'mesh', 'STRICT');
  expect(mtlsModeOf([other, elsewhere], workload).by).toBeUndefined();
  expect(mtlsModeOf([unset, mesh], workload)).toEqual({ mode: 'STRICT', by: 'istio-system/mesh' });
});
