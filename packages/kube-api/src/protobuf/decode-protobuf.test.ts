import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProtobuf, isProtobuf } from './decode-protobuf.ts';
import { ProtobufError } from './reader.ts';

// A writer as small as the wire format: fields are lists of bytes.
const varint = (value: number): number[] => (value > 127 ? [(value & 127) | 128, ...varint(value >>> 7)] : [value]);
const part = (field: number, bytes: readonly number[]): number[] => [
  ...varint((field << 3) | 2),
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string): number[] => part(field, [...new TextEncoder().encode(value)]);
const int = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)];
const body = (apiVersion: string, kind: string, raw: readonly number[]): Uint8Array =>
  new Uint8Array([0x6b, 0x38, 0x73, 0, ...part(1, [...text(1, apiVersion), ...text(2, kind)]), ...part(2, raw)]);

describe('decodeProtobuf', () => {
  test('a secret as helm sends it', () => {
    const meta = [
      ...text(1, 'sh.helm.release.v1.app.v1'),
      ...part(8, []),
      ...part(11, [...text(1, 'owner'), ...text(2, 'helm')]),
    ];
    const raw = [
      ...part(1, meta),
      ...part(2, [...text(1, 'release'), ...part(2, [1, 2, 255])]),
      ...text(3, 'helm.sh/release.v1'),
    ];
    expect(decodeProtobuf(body('v1', 'Secret', raw))).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sh.helm.release.v1.app.v1', labels: { owner: 'helm' } },
      data: { release: 'AQL/' },
      type: 'helm.sh/release.v1',
    });
  });

  test('inlined messages, quantities, numbers or names', () => {
    const probe = [
      ...part(1, part(2, [...text(1, '/healthz'), ...part(2, [...int(1, 1), ...text(3, 'http')])])),
      ...int(2, 5),
    ];
    const env = [...text(1, 'E'), ...part(3, part(4, [...part(1, text(1, 'secret')), ...text(2, 'key')]))];
    const resources = part(1, [...text(1, 'cpu'), ...part(2, text(1, '100m'))]);
    const container = [...text(1, 'c'), ...text(2, 'i'), ...part(7, env), ...part(8, resources), ...part(10, probe)];
    const volume = [...text(1, 'v'), ...part(2, part(2, text(1, 'Memory')))];
    const pod = [...part(1, text(1, 'p')), ...part(2, [...part(1, volume), ...part(2, container)])];
    expect(decodeProtobuf(body('v1', 'Pod', pod)).spec).toEqual({
      volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'secret', key: 'key' } } }],
          resources: { limits: { cpu: '100m' } },
          livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, initialDelaySeconds: 5 },
        },
      ],
    });
  });

  test('options of a delete, in any group', () => {
    const raw = [...int(1, 0), ...part(2, text(1, 'uid')), ...text(4, 'Background')];
    expect(decodeProtobuf(body('apps/v1', 'DeleteOptions', raw))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'uid' },
      propagationPolicy: 'Background',
    });
  });

  test('times and bare lists', () => {
    const lease = part(2, [...text(1, 'me'), ...part(3, [...int(1, 1_700_000_000), ...int(2, 5000)])]);
    expect(decodeProtobuf(body('coordination.k8s.io/v1', 'Lease', lease)).spec).toEqual({
      holderIdentity: 'me',
      acquireTime: '2023-11-14T22:13:20.000005Z',
    });
  });

  test('fields it does not know are passed over', () => {
    expect(decodeProtobuf(body('v1', 'ConfigMap', [...text(99, 'x'), ...int(98, 3)]))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
    });
  });

  test.each([
    [new Uint8Array([1, 2, 3])],
    [body('v1', 'Nope', [])],
    [body('v1', 'Pod', [0x0a, 0xff])],
    [body('v1', 'Pod', [0x0f])],
    [body('v1', 'ConfigMap', part(1, part(1, [0xff, 0xfe])))],
  ])('hostile bytes %#', (bytes) => {
    expect(() => decodeProtobuf(bytes)).toThrow(ProtobufError);
  });

  test('any bytes end in an object or in an error of ours', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('Pod', 'Secret', 'Node', 'Event'),
        (bytes, kind) => {
          try {
            decodeProtobuf(body('v1', kind, [...bytes]));
          } catch (error) {
            expect(error).toBeInstanceOf(ProtobufError);
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(isProtobuf(new Uint8Array())).toBe(false);
  });
});
