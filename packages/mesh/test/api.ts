import { createApiServer } from '@kind-e2e/apiserver';
import { createAddressPlan } from '@kind-e2e/base';
import type { GroupVersionResource, KubeObject } from '@kind-e2e/kube-api';
import { createKubeClient, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import { createAuthority } from '@kind-e2e/pki';
import { parseAllDocuments } from 'yaml';
import { ISTIO_KINDS } from '../src/analysis/kinds.ts';
import { istioValidator, type Mesh, type MeshOptions, sidecarInjector, startMesh } from '../src/index.ts';

const BUILT_IN: Record<string, GroupVersionResource> = {
  Namespace: RESOURCES.namespaces,
  Pod: RESOURCES.pods,
  Service: RESOURCES.services,
  ServiceAccount: RESOURCES.serviceaccounts,
  EndpointSlice: RESOURCES.endpointslices,
  ConfigMap: RESOURCES.configmaps,
};

export interface TestApi extends AsyncDisposable {
  readonly client: KubeClient;
  readonly mesh: Mesh;
  apply(yaml: string): Promise<void>;
  resource(kind: string): GroupVersionResource;
  /** Token of a service account. */
  token(namespace: string, name: string): Promise<string>;
}

/** A real API server with the mesh's functions in its admission, and the mesh's control half beside it. */
export async function startApi(options: Partial<MeshOptions> = {}): Promise<TestApi> {
  const authority = createAuthority({ commonName: 'kubernetes' });
  const tls = authority.issue({
    subject: { commonName: 'kube-apiserver' },
    altNames: { ipAddresses: ['127.0.0.1'] },
    use: 'server',
  });
  const api = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    tls: { ...tls, caPem: authority.certPem },
    tokens: [{ token: 'admin', user: 'kubernetes-admin', groups: ['system:masters'] }],
    mutators: [sidecarInjector, istioValidator],
  });
  const client = createKubeClient({ server: api.url, caPem: authority.certPem, token: 'admin' });
  const mesh = await startMesh({
    client,
    addressPlan: createAddressPlan(1),
    listen: { host: '127.0.0.1', port: 0 },
    ...options,
  });
  const resource = (kind: string): GroupVersionResource => {
    const found = BUILT_IN[kind] ?? ISTIO_KINDS.find((entry) => entry.kind === kind)?.resource;
    if (found === undefined) throw new Error(`no resource for ${kind}`);
    return found;
  };
  return {
    client,
    mesh,
    resource,
    async apply(yaml) {
      for (const document of parseAllDocuments(yaml)) {
        const object = document.toJS() as (KubeObject & { status?: unknown }) | null;
        if (object === null) continue;
        const kind = object.kind ?? '';
        if (kind !== 'Namespace') {
          object.metadata ??= {};
          object.metadata.namespace ??= 'default';
        }
        const { status } = object;
        const account = (object as { spec?: { serviceAccountName?: string } }).spec?.serviceAccountName;
        if (kind === 'Pod' && account !== undefined)
          await client
            .create(RESOURCES.serviceaccounts, {
              apiVersion: 'v1',
              kind: 'ServiceAccount',
              metadata: { name: account, namespace: object.metadata?.namespace ?? 'default' },
            })
            .catch(() => {});
        await client.create(resource(kind), object);
        if (kind === 'Pod' && status !== undefined)
          await client.patch(
            resource(kind),
            { name: object.metadata?.name ?? '', namespace: object.metadata?.namespace ?? '' },
            'merge',
            { status },
            { subresource: 'status' },
          );
      }
    },
    async token(namespace, name) {
      const answer = await client.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      });
      return ((await answer.json()) as { status: { token: string } }).status.token;
    },
    async [Symbol.asyncDispose]() {
      await mesh[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
      await api.close();
    },
  };
}
