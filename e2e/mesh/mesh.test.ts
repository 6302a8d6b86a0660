import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, PodAnswer } from '@kind-e2e/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

/** A shop in a mesh namespace and a caller outside of the mesh; its service has port 80, as most charts' have. */
const NAMESPACES = ['shop', 'outside'] as const;
const WEIGHTED_REQUESTS = 200;

let lab: Lab;

const from = (namespace: (typeof NAMESPACES)[number], url: string, headers = {}, count = 1) =>
  lab.requestFrom({ from: 'deployment/caller', namespace, url, headers, count });

/** Asks until the answer is as wanted: configuration reaches proxies a moment after the write. */
async function eventually(ask: () => Promise<readonly PodAnswer[]>, wanted: Partial<PodAnswer>): Promise<void> {
  await expect.poll(async () => (await ask())[0], { timeout: 30_000, interval: 100 }).toMatchObject(wanted);
}

describe('the mesh', () => {
  beforeAll(async () => {
    lab = await sharedLab();
    const { stdout: image } = await lab.kubectl(
      'get',
      'deployment',
      'business-logic',
      '--output=jsonpath={.spec.template.spec.containers[0].image}',
    );
    await lab.apply(readFileSync(join(import.meta.dirname, 'shop.yaml'), 'utf8').replaceAll('$IMAGE', image));
    await Promise.all([
      lab.waitForRollout('deployment/echo-v1', { namespace: 'shop' }),
      lab.waitForRollout('deployment/echo-v2', { namespace: 'shop' }),
      ...NAMESPACES.map((namespace) => lab.waitForRollout('deployment/caller', { namespace })),
    ]);
  });
  afterAll(async () => {
    await lab?.kubectl('delete', 'namespace', ...NAMESPACES, '--wait=false');
  });

  it.each(['echo', 'echo.shop', 'echo.shop.svc', 'echo.shop.svc.cluster.local:80'])(
    'reaches a service on port 80 as %s',
    async (host) => {
      await eventually(() => from('shop', `http://${host}/`), { status: 200 });
    },
  );

  it('reaches it from outside of the mesh by its cluster address', async () => {
    await eventually(() => from('outside', 'http://echo.shop/'), { status: 200 });
  });

  it('splits by weight, aborts, ends what takes too long, matches headers', async () => {
    const { warnings } = await lab.apply(readFileSync(join(import.meta.dirname, 'routes.yaml'), 'utf8'), 'shop');
    expect(warnings).toEqual([]);
    await eventually(() => from('shop', 'http://echo/abort'), { status: 418, text: 'fault filter abort' });
    expect(await from('shop', 'http://echo/slow')).toMatchObject([{ status: 504, text: 'upstream request timeout' }]);
    const toJason = await from('shop', 'http://echo/', { 'x-user': 'jason' }, 20);
    expect(new Set(toJason.map(({ text }) => text))).toEqual(new Set(['v2']));
    const split = await from('shop', 'http://echo/', {}, WEIGHTED_REQUESTS);
    const ofV2 = split.filter(({ text }) => text === 'v2').length;
    // 20 % of 200, and five standard deviations either way.
    expect(ofV2).toBeGreaterThan(12);
    expect(ofV2).toBeLessThan(68);
    expect(split.every(({ status }) => status === 200)).toBe(true);
    await expect
      .poll(() => lab.telemetry.meshEdges(), { timeout: 30_000, interval: 500 })
      .toEqual(
        expect.arrayContaining(
          ['echo-v1', 'echo-v2'].map((destination) =>
            expect.objectContaining({ source: 'caller', service: 'echo', destination, isMutualTls: true }),
          ),
        ),
      );
  });

  it('lets only the right callers through', async () => {
    await lab.apply(readFileSync(join(import.meta.dirname, 'policies.yaml'), 'utf8'), 'shop');
    await eventually(() => from('shop', 'http://echo/private'), { status: 403, text: 'RBAC: access denied' });
    expect(await from('shop', 'http://echo/public')).toMatchObject([{ status: 200 }]);
    await eventually(() => from('outside', 'http://echo.shop/public'), { status: 0 });
  });

  it('says what it does not enforce, and refuses what Istio refuses', async () => {
    const { warnings } = await lab.apply(
      JSON.stringify({
        apiVersion: 'networking.istio.io/v1alpha3',
        kind: 'EnvoyFilter',
        metadata: { name: 'filter' },
        spec: { configPatches: [] },
      }),
      'shop',
    );
    expect(warnings).toEqual([
      'EnvoyFilter is not supported by the embedded engine: it has no effect. Use the kind engine for it.',
    ]);
    await expect(
      lab.apply(
        JSON.stringify({
          apiVersion: 'networking.istio.io/v1',
          kind: 'VirtualService',
          metadata: { name: 'broken' },
          spec: { hosts: ['echo'], http: [{ timeout: 'soon', route: [{ destination: { host: 'echo' } }] }] },
        }),
        'shop',
      ),
    ).rejects.toThrow('configuration is invalid: invalid duration: soon');
  });
});
