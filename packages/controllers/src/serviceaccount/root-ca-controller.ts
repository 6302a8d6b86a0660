import { Disposer } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { createController, createInformer, parseKey, RESOURCES, source } from '@kind-e2e/kube-client';
import type { ConfigMap } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Keeps the ConfigMap `kube-root-ca.crt` in each namespace (upstream pkg/controller/certificates/rootcacertpublisher). */
export function startRootCaController(context: ControllerContext, caPem: string): AsyncDisposable {
  const { client, clock, informers, logger } = context;
  const disposer = new Disposer();
  const namespaces = informers.of('namespaces');
  const configMaps = disposer.use(
    createInformer<ConfigMap>({
      client,
      resource: RESOURCES.configmaps,
      fieldSelector: `metadata.name=${NAME}`,
      logger,
      clock,
    }),
  );
  disposer.use(
    createController({
      name: 'root-ca-certificate-publisher',
      clock,
      logger,
      sources: [
        source(namespaces, (namespace) => [namespace.metadata?.name ?? '']),
        source(configMaps, (configMap) => [configMap.metadata?.namespace ?? '']),
      ],
      reconcile: async ({ key, signal }) => {
        const { name: namespace } = parseKey(key);
        const owner = namespaces.get(namespace);
        if (!owner || owner.metadata?.deletionTimestamp) return undefined;
        const current = configMaps.get(NAME, namespace);
        const data = { 'ca.crt': caPem };
        const annotations = { 'kubernetes.io/description': DESCRIPTION };
        try {
          if (!current)
            await client.create<ConfigMap>(
              RESOURCES.configmaps,
              { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace, annotations }, data },
              { signal },
            );
          else if (current.data?.['ca.crt'] !== caPem || Object.keys(current.data).length !== 1)
            await client.update<ConfigMap>(
              RESOURCES.configmaps,
              {
                ...current,
                metadata: { ...current.metadata, annotations: { ...current.metadata?.annotations, ...annotations } },
                data,
              },
              { signal },
            );
        } catch (error) {
          const isThere = isStatusError(error, 409) && error.reason === 'AlreadyExists';
          if (!isThere && !isNamespaceTerminating(error) && !isStatusError(error, 404)) throw error;
        }
        return undefined;
      },
    }),
  );
  return disposer;
}
