import type { Identity } from '@kind-e2e/proxy';
import { nameOf, namespaceOf, type World } from '../world/world.ts';

export function credentialKey(name: string, namespace: string): string {
  return `kubernetes://${namespace}/${name}`;
}

/** Certificates that Gateways and DestinationRules name; only those that are used get into the snapshot. */
export class Secrets {
  readonly identities: Record<string, Identity> = {};
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Istio's forms: `tls.crt`/`tls.key`/`ca.crt`, or `cert`/`key`/`cacert`; authorities also in `<name>-cacert`. */
  use(name: string, namespace: string): Identity | undefined {
    const key = credentialKey(name, namespace);
    const known = this.identities[key];
    if (known) return known;
    const data = this.#data(name, namespace);
    const extra = this.#data(`${name}-cacert`, namespace);
    if (data === undefined && extra === undefined) return undefined;
    const read = (...names: string[]): string => {
      for (const field of names) {
        const value = data?.[field] ?? (field.startsWith('ca') ? extra?.[field] : undefined);
        if (value !== undefined) return value;
      }
      return '';
    };
    const identity: Identity = {
      spiffeId: '',
      certificateChainPem: read('tls.crt', 'cert'),
      privateKeyPem: read('tls.key', 'key'),
      trustBundlePem: read('ca.crt', 'cacert'),
    };
    this.identities[key] = identity;
    return identity;
  }

  #data(name: string, namespace: string): Record<string, string> | undefined {
    const secret = this.#world.secrets.find(
      (candidate) => nameOf(candidate) === name && namespaceOf(candidate) === namespace,
    );
    if (secret?.data)
      return Object.fromEntries(
        Object.entries(secret.data).map(([field, value]) => [field, Buffer.from(value, 'base64').toString('utf8')]),
      );
    const configMap = this.#world.configMaps.find(
      (candidate) => nameOf(candidate) === name && namespaceOf(candidate) === namespace,
    );
    return configMap?.data;
  }
}
