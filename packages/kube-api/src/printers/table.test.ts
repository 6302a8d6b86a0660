import { describe, expect, test } from 'vitest';
import { RESOURCES } from '../registry/resources.ts';
import { tableColumns, tableRow } from './table.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const pod = (spec: object, status: object, metadata: object = {}): object => ({
  metadata: { name: 'p', creationTimestamp: '2026-01-01T11:55:00Z', ...metadata },
  spec: { containers: [{ name: 'a' }], ...spec },
  status: { phase: 'Running', ...status },
});
const running = { name: 'a', ready: true, restartCount: 0, state: { running: {} } };

describe('pods', () => {
  test.each([
    ['waiting for a node', pod({}, { phase: 'Pending' }), ['p', '0/1', 'Pending', '0', '5m']],
    ['running', pod({}, { containerStatuses: [running] }), ['p', '1/1', 'Running', '0', '5m']],
    [
      'restarted',
      pod(
        {},
        {
          containerStatuses: [
            { ...running, restartCount: 3, lastState: { terminated: { finishedAt: '2026-01-01T11:58:00Z' } } },
          ],
        },
      ),
      ['p', '1/1', 'Running', '3 (2m ago)', '5m'],
    ],
    [
      'crashing',
      pod(
        {},
        { containerStatuses: [{ ...running, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
      ),
      ['p', '0/1', 'CrashLoopBackOff', '0', '5m'],
    ],
    [
      'initializing',
      pod(
        { initContainers: [{ name: 'i' }, { name: 'j' }] },
        {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', restartCount: 0, state: { terminated: { exitCode: 0 } } },
            { name: 'j', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
          ],
        },
      ),
      ['p', '0/1', 'Init:1/2', '0', '5m'],
    ],
    [
      'with a sidecar',
      pod(
        { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
        {
          conditions: [{ type: 'Initialized', status: 'True' }],
          initContainerStatuses: [{ name: 's', ready: true, started: true, restartCount: 0, state: { running: {} } }],
          containerStatuses: [running],
        },
      ),
      ['p', '2/2', 'Running', '0', '5m'],
    ],
    [
      'terminating',
      pod({}, { containerStatuses: [running] }, { deletionTimestamp: '2026-01-01T11:59:00Z' }),
      ['p', '1/1', 'Terminating', '0', '5m'],
    ],
    [
      'completed',
      pod(
        {},
        {
          phase: 'Succeeded',
          containerStatuses: [
            { ...running, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          ],
        },
      ),
      ['p', '0/1', 'Completed', '0', '5m'],
    ],
  ])('%s', (_, object, cells) => {
    expect(tableRow({ group: '', kind: 'Pod' }, object, NOW).slice(0, 5)).toEqual(cells);
  });
});

test('every kind has as many cells as columns', () => {
  for (const { group, kind } of RESOURCES) {
    const object = { metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' } };
    expect(tableRow({ group, kind }, object, NOW).length, `${group}/${kind}`).toBe(
      tableColumns({ group, kind }).length,
    );
  }
});

test('services, events, jobs and nodes', () => {
  const meta = { name: 'x', creationTimestamp: '2026-01-01T11:00:00Z' };
  expect(
    tableRow(
      { group: '', kind: 'Service' },
      {
        metadata: meta,
        spec: {
          type: 'LoadBalancer',
          clusterIP: '10.0.0.1',
          clusterIPs: ['10.0.0.1'],
          ports: [{ port: 80, nodePort: 30001, protocol: 'TCP' }],
          selector: { b: '2', a: '1' },
        },
      },
      NOW,
    ),
  ).toEqual(['x', 'LoadBalancer', '10.0.0.1', '<pending>', '80:30001/TCP', '60m', 'a=1,b=2']);
  expect(
    tableRow(
      { group: '', kind: 'Event' },
      {
        metadata: meta,
        involvedObject: { kind: 'Pod', name: 'p' },
        reason: 'R',
        message: ' m ',
        type: 'Normal',
        count: 2,
        firstTimestamp: '2026-01-01T11:59:00Z',
        lastTimestamp: '2026-01-01T11:59:30Z',
        source: { component: 'c', host: 'h' },
      },
      NOW,
    ),
  ).toEqual(['30s', 'Normal', 'R', 'pod/p', '', 'c, h', 'm', '60s', 2, 'x']);
  expect(
    tableRow(
      { group: 'batch', kind: 'Job' },
      {
        metadata: meta,
        spec: { completions: 3 },
        status: {
          succeeded: 3,
          startTime: '2026-01-01T11:00:00Z',
          completionTime: '2026-01-01T11:01:00Z',
          conditions: [{ type: 'Complete', status: 'True' }],
        },
      },
      NOW,
    ).slice(0, 5),
  ).toEqual(['x', 'Complete', '3/3', '60s', '60m']);
  expect(
    tableRow(
      { group: '', kind: 'Node' },
      {
        metadata: { ...meta, labels: { 'node-role.kubernetes.io/control-plane': '' } },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '127.0.0.2' }],
          nodeInfo: { kubeletVersion: 'v1.36.2' },
        },
      },
      NOW,
    ).slice(0, 6),
  ).toEqual(['x', 'Ready,SchedulingDisabled', 'control-plane', '60m', 'v1.36.2', '127.0.0.2']);
});
