import { type ApiObject, RESOURCES } from '@kind-e2e/kube-client';
import type { ConfigMap } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { until } from './objects.ts';

const WIDGETS = { group: 'test.example.com', version: 'v1', resource: 'widgets' };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: [], only: ['gc', 'namespace'] });
  await cluster.client.create(RESOURCES.customresourcedefinitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.test.example.com' },
    spec: {
      group: 'test.example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  } as never);
});
afterAll(() => cluster[Symbol.asyncDispose]());

const widget = (name: string, namespace: string, owner?: ApiObject): Promise<ApiObject> =>
  until(
    () =>
      cluster.client
        .create<ApiObject>(WIDGETS, {
          apiVersion: 'test.example.com/v1',
          kind: 'Widget',
          metadata: {
            name,
            namespace,
            ...(owner
              ? {
                  ownerReferences: [
                    {
                      apiVersion: owner.apiVersion ?? '',
                      kind: owner.kind ?? '',
                      name: owner.metadata?.name ?? '',
                      uid: owner.metadata?.uid ?? '',
                    },
                  ],
                }
              : {}),
          },
        })
        .catch(() => undefined),
    (made) => made !== undefined,
  ) as Promise<ApiObject>;
const gone = (read: () => Promise<unknown>): Promise<boolean> =>
  until(
    () =>
      read().then(
        () => false,
        () => true,
      ),
    Boolean,
  );

describe('custom resources', () => {
  it('are collected as dependents and count as owners', async () => {
    const owner = await widget('owner', 'default');
    await widget('dependent', 'default', owner);
    await cluster.client.create<ConfigMap>(RESOURCES.configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'of-widget',
        namespace: 'default',
        ownerReferences: [
          { apiVersion: 'test.example.com/v1', kind: 'Widget', name: 'owner', uid: owner.metadata?.uid ?? '' },
        ],
      },
    });
    await cluster.client.delete(WIDGETS, { name: 'owner', namespace: 'default' });
    await gone(() => cluster.client.get(WIDGETS, 'dependent', 'default'));
    await gone(() => cluster.client.get(RESOURCES.configmaps, 'of-widget', 'default'));
  });

  it('go with their namespace', async () => {
    await cluster.client.create(RESOURCES.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'widgets' },
    });
    await widget('a', 'widgets');
    await cluster.client.delete(RESOURCES.namespaces, { name: 'widgets' });
    await gone(() => cluster.client.get(RESOURCES.namespaces, 'widgets'));
    expect((await cluster.client.list(WIDGETS)).items).toEqual([]);
  });
});
