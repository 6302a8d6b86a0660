import { expect, it } from 'vitest';
import { parseQuantity, readNode, readPod, readWorkload } from './read.ts';

it.each([
  ['250m', 0.25],
  ['64Mi', 67_108_864],
  ['2', 2],
  ['12345678n', 0.012345678],
  ['1e3', 1000],
  ['soon', undefined],
])('reads the quantity %s', (text, value) => {
  const read = parseQuantity(text);
  if (value === undefined) expect(read).toBeUndefined();
  else expect(read).toBeCloseTo(value, 9);
});

const pod = (status: object, extra: object = {}) => ({
  metadata: { name: 'p', namespace: 'n', ...extra },
  spec: { containers: [{ name: 'a' }] },
  status,
});

it('names a pod as kubectl does', () => {
  expect(
    readPod(
      pod({
        phase: 'Running',
        containerStatuses: [{ name: 'a', ready: true, restartCount: 2, state: { running: {} } }],
      }),
    ),
  ).toMatchObject({ status: 'Running', tone: 'ok', ready: 1, restarts: 2 });
  expect(
    readPod(
      pod({
        phase: 'Pending',
        containerStatuses: [
          {
            name: 'a',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: 'ImagePullBackOff', message: 'm' } },
          },
        ],
      }),
    ),
  ).toMatchObject({ status: 'ImagePullBackOff', tone: 'bad', message: 'm' });
  expect(readPod(pod({ phase: 'Running' }, { deletionTimestamp: '2026-01-01T00:00:00Z' })).status).toBe('Terminating');
  expect(readPod({ metadata: { name: 'bare' } }).status).toBe('Unknown');
});

it('reads nodes and workloads', () => {
  expect(
    readNode({
      metadata: { name: 'w', labels: { 'node-role.kubernetes.io/control-plane': '' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    }),
  ).toMatchObject({ isReady: true, roles: 'control-plane' });
  expect(
    readWorkload({
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: { replicas: 3 },
      status: { readyReplicas: 1, updatedReplicas: 1 },
    }),
  ).toMatchObject({ ready: 1, wanted: 3, tone: 'warn', note: 'Rolling out' });
});
