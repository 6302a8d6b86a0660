import { isRecord } from '@kind-e2e/kube-api';
import { sectionOf } from '../../operations/object-identity.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { type Json, recordsIn } from '../pod-parts.ts';
import { clientConfigOf } from './invocation.ts';

export interface WebhookAddress {
  /** As errors show it: with the port of a service, even if it is the usual one. */
  readonly url: string;
  /** Where to connect to; the host of the URL where undefined. */
  readonly address?: { readonly host: string; readonly port: number };
  readonly caPem?: string;
}

/** A service that a webhook names is not there, or has no address. */
export class UnresolvedServiceError extends Error {
  override readonly name = 'UnresolvedServiceError';
}

/** The URL that a webhook is asked at (`webhookutil.ClientManager.HookClient`). */
export function webhookUrl(webhook: Json): string {
  const { url, service } = clientConfigOf(webhook);
  if (!isRecord(service)) return String(url);
  const port = typeof service.port === 'number' ? service.port : 443;
  const path = typeof service.path === 'string' ? service.path : '/';
  return `https://${String(service.name)}.${String(service.namespace)}.svc:${port}${path.startsWith('/') ? '' : '/'}${path}`;
}

/** The cluster's address of a webhook's service (`pkg/util/proxy.ResolveCluster`). Throws an `UnresolvedServiceError`. */
export function webhookAddress(store: ObjectStore, webhook: Json): WebhookAddress {
  const url = webhookUrl(webhook);
  const { service, caBundle } = clientConfigOf(webhook);
  const ca =
    typeof caBundle === 'string' && caBundle !== '' ? { caPem: Buffer.from(caBundle, 'base64').toString() } : {};
  if (!isRecord(service)) return { url, ...ca };
  const name = String(service.name);
  const record = store.collection('services').get(String(service.namespace), name);
  if (!record) throw new UnresolvedServiceError(`service ${JSON.stringify(name)} not found`);
  const spec = sectionOf(record.object, 'spec');
  const port = typeof service.port === 'number' ? service.port : 443;
  if (spec.type === 'ExternalName') return { url, ...ca, address: { host: String(spec.externalName), port } };
  if (spec.clusterIP === 'None') throw new UnresolvedServiceError('cannot route to service with ClusterIP "None"');
  if (!recordsIn(spec, 'ports').some((one) => one.port === port))
    throw new UnresolvedServiceError(`no service port ${port} found for service ${JSON.stringify(name)}`);
  return { url, ...ca, address: { host: String(spec.clusterIP), port } };
}
