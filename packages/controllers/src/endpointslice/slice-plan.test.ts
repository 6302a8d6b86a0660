import type { Endpoint, EndpointPort, EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { MAX_ENDPOINTS_PER_SLICE, planSlices, type WantedEndpoint } from './slice-plan.ts';

const HTTP: EndpointPort = { name: 'http', port: 80, protocol: 'TCP' };
const endpoint = (index: number, ready = true): Endpoint => ({
  addresses: [`127.8.${index >> 8}.${index & 255}`],
  conditions: { ready },
  targetRef: { kind: 'Pod', uid: `uid-${index}` },
});
const wanted = (count: number, ports: EndpointPort[] = [HTTP]): WantedEndpoint[] =>
  Array.from({ length: count }, (_, index) => ({ endpoint: endpoint(index), ports }));
const slice = (name: string, endpoints: Endpoint[], ports: EndpointPort[] = [HTTP]): EndpointSlice => ({
  metadata: { name },
  addressType: 'IPv4',
  endpoints,
  ports,
});
const fresh = (): boolean => false;

describe('plan of endpoint slices', () => {
  it('splits many endpoints', () => {
    const plan = planSlices(wanted(250), [], fresh);
    expect(plan.create.map((s) => s.endpoints?.length)).toEqual([MAX_ENDPOINTS_PER_SLICE, MAX_ENDPOINTS_PER_SLICE, 50]);
  });

  it('touches only the slice that changed', () => {
    const first = slice(
      'a',
      wanted(100).map((w) => w.endpoint),
    );
    const second = slice(
      'b',
      Array.from({ length: 20 }, (_, i) => endpoint(100 + i)),
    );
    const all = wanted(120).filter((_, index) => index !== 5);
    const plan = planSlices(all, [first, second], fresh);
    expect(plan.create).toEqual([]);
    expect(plan.remove).toEqual([]);
    expect(plan.update.map((s) => [s.metadata?.name, s.endpoints?.length])).toEqual([['a', 99]]);
  });

  it('changes nothing where nothing changed, and writes stale labels', () => {
    const only = slice(
      'a',
      wanted(3).map((w) => w.endpoint),
    );
    expect(planSlices(wanted(3), [only], fresh)).toEqual({ create: [], update: [], remove: [] });
    expect(planSlices(wanted(3), [only], () => true).update).toHaveLength(1);
  });

  it('fills the fullest slice first', () => {
    const small = slice('small', [endpoint(0)]);
    const big = slice(
      'big',
      Array.from({ length: 50 }, (_, i) => endpoint(1 + i)),
    );
    const plan = planSlices(wanted(60), [small, big], fresh);
    expect(plan.update.map((s) => [s.metadata?.name, s.endpoints?.length])).toEqual([['big', 59]]);
  });

  it('keeps endpoints with other port numbers apart', () => {
    const mixed = [...wanted(2), { endpoint: endpoint(9), ports: [{ ...HTTP, port: 81 }] }];
    const plan = planSlices(mixed, [], fresh);
    expect(plan.create.map((s) => [s.ports?.[0]?.port, s.endpoints?.length])).toEqual([
      [80, 2],
      [81, 1],
    ]);
  });

  it('keeps one empty slice', () => {
    expect(planSlices([], [], fresh).create).toEqual([{ endpoints: [], ports: [] }]);
    const plan = planSlices([], [slice('a', [endpoint(0)]), slice('b', [endpoint(1)])], fresh);
    expect([plan.create.length, plan.update.length, plan.remove.length]).toEqual([0, 1, 1]);
    expect(planSlices([], [slice('a', [], [])], fresh)).toEqual({ create: [], update: [], remove: [] });
  });
});
