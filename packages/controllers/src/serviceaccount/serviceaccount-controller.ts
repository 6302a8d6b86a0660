import { isStatusError } from '@kind-e2e/kube-api';
import { createController, parseKey, RESOURCES, source } from '@kind-e2e/kube-client';
import type { ControllerContext } from '../context.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';

/** Keeps a ServiceAccount `default` in each namespace (upstream pkg/controller/serviceaccount). */
export function startServiceAccountController(context: ControllerContext): AsyncDisposable {
  const { client, clock, informers } = context;
  const namespaces = informers.of('namespaces');
  const accounts = informers.of('serviceaccounts');
  return createController({
    name: 'serviceaccount-controller',
    clock,
    logger: context.logger,
    sources: [
      source(namespaces, (namespace) => [namespace.metadata?.name ?? '']),
      source(accounts, (account) => (account.metadata?.name === 'default' ? [account.metadata.namespace ?? ''] : [])),
    ],
    reconcile: async ({ key, signal }) => {
      const { name } = parseKey(key);
      const namespace = namespaces.get(name);
      if (!namespace || namespace.status?.phase === 'Terminating' || namespace.metadata?.deletionTimestamp)
        return undefined;
      if (accounts.get('default', name)) return undefined;
      try {
        await client.create(
          RESOURCES.serviceaccounts,
          { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } },
          { signal },
        );
      } catch (error) {
        const isThere = isStatusError(error, 409) && error.reason === 'AlreadyExists';
        if (!isThere && !isNamespaceTerminating(error) && !isStatusError(error, 404)) throw error;
      }
      return undefined;
    },
  });
}
