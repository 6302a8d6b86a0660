/** Scales that are applied: the replicas of what is behind them, and whose they are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startServer, type TestServer } from './harness.ts';

type Json = Record<string, unknown>;
interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly apiVersion: string;
  readonly fieldsV1: Json;
}
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const labels = { app: 'web' };
  await server.ask('POST', `${DEPLOYMENTS}?fieldManager=maker`, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'b' }] } },
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const apply = (query: string, replicas: unknown): Promise<Answer> =>
  server.ask(
    'PATCH',
    `${DEPLOYMENTS}/web/scale${query}`,
    `{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":${JSON.stringify(replicas)}}}`,
    { 'content-type': 'application/apply-patch+yaml' },
  );
const entries = async (): Promise<readonly Entry[]> =>
  ((await server.ask('GET', `${DEPLOYMENTS}/web`)).body as { metadata: { managedFields: Entry[] } }).metadata
    .managedFields;

test('an apply needs a manager, and cannot take what is another’s without force', async () => {
  expect(await apply('', 3)).toMatchObject({
    status: 422,
    body: {
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    },
  });
  expect(await apply('?fieldManager=scaler', 3)).toMatchObject({
    status: 409,
    body: { message: 'Apply failed with 1 conflict: conflict with "maker" using autoscaling/v1: .spec.replicas' },
  });
});

test('with force the manager of the scale has the replicas, the maker the rest', async () => {
  expect(await apply('?fieldManager=scaler&force=true', 5)).toMatchObject({
    status: 200,
    body: { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 5 } },
  });
  const all = await entries();
  expect(all.find(({ manager }) => manager === 'scaler')).toMatchObject({
    operation: 'Apply',
    apiVersion: 'apps/v1',
    subresource: 'scale',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  });
  expect(all.find(({ manager }) => manager === 'maker')?.fieldsV1['f:spec']).not.toHaveProperty('f:replicas');
  expect(await apply('?fieldManager=scaler', 6)).toMatchObject({ status: 200, body: { spec: { replicas: 6 } } });
});
