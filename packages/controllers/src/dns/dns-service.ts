import { Backoff, messageOf } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, ignoreNotFound, RESOURCES } from '@kind-e2e/kube-client';
import type { Endpoints, Service } from 'kubernetes-types/core/v1.d.ts';
import type { ControllerContext } from '../context.ts';

const NAMESPACE = 'kube-system';
const NAME = 'kube-dns';
const LABELS = { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' };

/**
 * Makes the Service `kube-dns` that people look for, at the address where the DNS server listens, and keeps trying
 * until the API server is there. An address outside the service range has no Service.
 */
export async function ensureDnsService(
  context: ControllerContext,
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff();
  while (!signal.aborted) {
    try {
      await ensure(context, address, port, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (isStatusError(error, 422)) {
        context.logger.warn('the service kube-dns cannot have the address of the DNS server', {
          address,
          error: messageOf(error),
        });
        return;
      }
      context.logger.debug('the service kube-dns was not made, will be tried again', { error: messageOf(error) });
      await context.clock.sleep(backoff.next(), signal).catch(() => {});
    }
  }
}

async function ensure(
  { client }: ControllerContext,
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const current = await ignoreNotFound(client.get<Service>(RESOURCES.services, NAME, NAMESPACE, signal));
  // The lab moved to another address block: a clusterIP cannot be changed.
  if (current && current.spec?.clusterIP !== address)
    await ignoreNotFound(client.delete(RESOURCES.services, { name: NAME, namespace: NAMESPACE }, { signal }));
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME, namespace: NAMESPACE, labels: LABELS },
    spec: {
      clusterIP: address,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: port },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: port },
      ],
    },
  };
  const endpoints: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: NAME, namespace: NAMESPACE, labels: LABELS },
    subsets: [
      {
        addresses: [{ ip: address }],
        ports: [
          { name: 'dns', port, protocol: 'UDP' },
          { name: 'dns-tcp', port, protocol: 'TCP' },
        ],
      },
    ],
  };
  const createOrTake = async <T extends ApiObject>(create: Promise<T>): Promise<void> => {
    try {
      await create;
    } catch (error) {
      if (!isStatusError(error, 409)) throw error;
    }
  };
  await createOrTake(client.create(RESOURCES.services, service, { signal }));
  const known = await ignoreNotFound(client.get<Endpoints>(RESOURCES.endpoints, NAME, NAMESPACE, signal));
  if (!known) await createOrTake(client.create(RESOURCES.endpoints, endpoints, { signal }));
  else if (known.subsets?.[0]?.addresses?.[0]?.ip !== address)
    await client.update(RESOURCES.endpoints, { ...known, subsets: endpoints.subsets ?? [] }, { signal });
}
