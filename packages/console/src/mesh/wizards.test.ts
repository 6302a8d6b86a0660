import { expect, it } from 'vitest';
import { type WizardInput, wizardObject, wizardProblems } from './wizards.ts';

const input: WizardInput = {
  kind: 'delay',
  service: 'business-logic',
  namespace: 'default',
  targets: [
    { host: 'business-logic', subset: 'v1', weight: 90 },
    { host: 'business-logic', subset: 'v2', weight: 10 },
  ],
  delaySeconds: 2,
  percent: 50,
  abortStatus: 503,
  timeoutSeconds: 1,
  mirrorHost: 'shadow',
};

it('makes a new VirtualService', () => {
  expect(wizardObject(input, undefined)).toEqual({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'business-logic', namespace: 'default' },
    spec: {
      hosts: ['business-logic'],
      http: [
        {
          route: [{ destination: { host: 'business-logic' } }],
          fault: { delay: { fixedDelay: '2s', percentage: { value: 50 } } },
        },
      ],
    },
  });
});

it('keeps what an existing one says', () => {
  const existing = {
    apiVersion: 'networking.istio.io/v1beta1',
    kind: 'VirtualService',
    metadata: { name: 'vs', namespace: 'default' },
    spec: {
      hosts: ['business-logic'],
      http: [{ match: [{ uri: { prefix: '/a' } }], route: [], fault: { abort: { httpStatus: 500 } } }],
    },
  };
  const made = wizardObject({ ...input, kind: 'timeout' }, existing);
  expect(made.metadata.name).toBe('vs');
  expect(made.spec).toMatchObject({
    http: [{ match: [{ uri: { prefix: '/a' } }], timeout: '1s', fault: { abort: { httpStatus: 500 } } }],
  });
  expect(wizardObject({ ...input, kind: 'weights' }, existing).spec).toMatchObject({
    http: [{ route: [{ weight: 90 }, { weight: 10 }] }],
  });
});

it('refuses what the mesh would refuse', () => {
  expect(wizardProblems(input)).toEqual([]);
  expect(wizardProblems({ ...input, kind: 'weights', targets: [{ host: 'a', subset: '', weight: 90 }] })).toHaveLength(
    1,
  );
  expect(wizardProblems({ ...input, kind: 'abort', abortStatus: 42 })).toHaveLength(1);
  expect(wizardProblems({ ...input, kind: 'mirror', mirrorHost: '', percent: 101 })).toHaveLength(2);
});
