import type { Informer } from '@kind-e2e/kube-client';
import type { Service } from 'kubernetes-types/core/v1.d.ts';
import type { Endpoint, EndpointSlice } from 'kubernetes-types/discovery/v1.d.ts';

/** Seconds that an answer may be kept (CoreDNS' kubernetes plugin: 5). */
export const TTL_SECONDS = 5;

export const DNS_VERSION = '1.1.0';

/** One record of an answer. */
export type ZoneRecord =
  | { readonly type: 'A'; readonly name: string; readonly address: string }
  | { readonly type: 'CNAME'; readonly name: string; readonly target: string }
  | { readonly type: 'PTR'; readonly name: string; readonly target: string }
  | { readonly type: 'TXT'; readonly name: string; readonly text: string }
  | {
      readonly type: 'SRV';
      readonly name: string;
      readonly target: string;
      readonly port: number;
      readonly share: number;
    };

/** `records` may be empty: the name exists, but not with that type. `nxdomain`: no such name. `foreign`: not ours. */
export type ZoneAnswer =
  | { readonly kind: 'records'; readonly records: readonly ZoneRecord[]; readonly extra: readonly ZoneRecord[] }
  | { readonly kind: 'nxdomain' }
  | { readonly kind: 'foreign' };

export interface ZoneOptions {
  readonly services: Informer<Service>;
  /** With the index `service`. */
  readonly slices: Informer<EndpointSlice>;
  /** Whether a namespace exists. */
  readonly hasNamespace: (name: string) => boolean;
  /** Default `cluster.local`. */
  readonly domain?: string;
}

const NOTHING: ZoneAnswer = { kind: 'records', records: [], extra: [] };
const NXDOMAIN: ZoneAnswer = { kind: 'nxdomain' };

/** The names of the cluster (Kubernetes DNS-Based Service Discovery 1.1.0, as CoreDNS answers). */
export class ClusterZone {
  readonly domain: string;
  readonly #options: ZoneOptions;
  #turn = 0;

  constructor(options: ZoneOptions) {
    this.#options = options;
    this.domain = options.domain ?? 'cluster.local';
  }

  /** `question` is a name without its last dot, in any case. */
  answer(question: string, type: string): ZoneAnswer {
    const name = question.toLowerCase();
    if (name.endsWith('.in-addr.arpa')) return this.#reverse(name, type);
    if (name === this.domain) return NOTHING;
    if (!name.endsWith(`.${this.domain}`)) return { kind: 'foreign' };
    const labels = name
      .slice(0, -this.domain.length - 1)
      .split('.')
      .reverse();
    const [kind, ...rest] = labels;
    if (kind === 'svc') return this.#serviceName(name, rest, type);
    if (kind === 'pod') return this.#podName(name, rest, type);
    if (name === `dns-version.${this.domain}`)
      return type === 'TXT' ? records([{ type: 'TXT', name, text: DNS_VERSION }]) : NOTHING;
    return NXDOMAIN;
  }

  /** `labels` are those before `svc`, last one first: namespace, service, then a host, or a port and protocol. */
  #serviceName(name: string, labels: readonly string[], type: string): ZoneAnswer {
    const [namespace, serviceName, third, fourth, ...more] = labels;
    if (namespace === undefined) return NOTHING;
    if (!this.#options.hasNamespace(namespace)) return NXDOMAIN;
    if (serviceName === undefined) return NOTHING;
    const service = this.#options.services.get(serviceName, namespace);
    if (!service || more.length > 0) return NXDOMAIN;
    if (third === undefined) return this.#wholeService(name, service, type);
    if (fourth === undefined) {
      if (third === '_tcp' || third === '_udp' || third === '_sctp') return NOTHING;
      return this.#oneEndpoint(name, service, third, type);
    }
    return third.startsWith('_') && fourth.startsWith('_')
      ? this.#namedPort(name, service, fourth.slice(1), third.slice(1), type)
      : NXDOMAIN;
  }

  #wholeService(name: string, service: Service, type: string): ZoneAnswer {
    const { spec } = service;
    if (spec?.type === 'ExternalName') {
      if (!spec.externalName) return NOTHING;
      return records([{ type: 'CNAME', name, target: spec.externalName.replace(/\.$/, '') }]);
    }
    if (spec?.clusterIP && spec.clusterIP !== 'None') {
      if (type === 'A') return records([{ type: 'A', name, address: spec.clusterIP }]);
      if (type === 'SRV')
        return withTargets(
          (spec.ports ?? []).map((port) => ({ type: 'SRV', name, target: name, port: port.port, share: 100 })),
          [{ type: 'A', name, address: spec.clusterIP }],
        );
      return NOTHING;
    }
    const ready = this.#readyEndpoints(service);
    if (ready.length === 0) return NXDOMAIN;
    if (type === 'A')
      return records(
        this.#rotate(ready.flatMap(({ endpoint }) => endpoint.addresses)).map((address) => ({
          type: 'A',
          name,
          address,
        })),
      );
    if (type !== 'SRV') return NOTHING;
    return this.#headlessPorts(name, service, ready, () => true);
  }

  #oneEndpoint(name: string, service: Service, host: string, type: string): ZoneAnswer {
    if (service.spec?.type === 'ExternalName') return NXDOMAIN;
    const addresses = this.#readyEndpoints(service)
      .filter(({ endpoint }) => hostOf(endpoint) === host)
      .flatMap(({ endpoint }) => endpoint.addresses);
    if (addresses.length === 0) return NXDOMAIN;
    return type === 'A' ? records(addresses.map((address) => ({ type: 'A', name, address }))) : NOTHING;
  }

  #namedPort(name: string, service: Service, port: string, protocol: string, type: string): ZoneAnswer {
    const { spec } = service;
    const host = name.split('.').slice(2).join('.');
    const isWanted = (candidate: { name?: string; protocol?: string }): boolean =>
      candidate.name === port && (candidate.protocol ?? 'TCP').toLowerCase() === protocol;
    if (spec?.clusterIP && spec.clusterIP !== 'None') {
      const ports = (spec.ports ?? []).filter(isWanted);
      if (ports.length === 0) return NXDOMAIN;
      if (type === 'A') return NOTHING;
      if (type !== 'SRV') return NOTHING;
      return withTargets(
        ports.map((entry) => ({ type: 'SRV', name, target: host, port: entry.port, share: 100 })),
        [{ type: 'A', name: host, address: spec.clusterIP }],
      );
    }
    const ready = this.#readyEndpoints(service).filter(({ slice }) => (slice.ports ?? []).some(isWanted));
    if (ready.length === 0) return NXDOMAIN;
    return type === 'SRV' ? this.#headlessPorts(name, service, ready, isWanted) : NOTHING;
  }

  #headlessPorts(
    name: string,
    service: Service,
    ready: readonly { readonly endpoint: Endpoint; readonly slice: EndpointSlice }[],
    isWanted: (port: { name?: string; protocol?: string }) => boolean,
  ): ZoneAnswer {
    const parent = `${service.metadata?.name}.${service.metadata?.namespace}.svc.${this.domain}`;
    const found: ZoneRecord[] = [];
    const extra: ZoneRecord[] = [];
    for (const { endpoint, slice } of ready) {
      const target = `${hostOf(endpoint)}.${parent}`;
      const ports = (slice.ports ?? []).filter(isWanted);
      for (const { port } of ports)
        if (port !== undefined)
          found.push({ type: 'SRV', name, target, port, share: Math.max(1, Math.floor(100 / ready.length)) });
      if (ports.length > 0)
        extra.push(...endpoint.addresses.map((address) => ({ type: 'A' as const, name: target, address })));
    }
    return withTargets(found, extra);
  }

  /** `10-1-2-3.namespace.pod`: the address is in the name (CoreDNS `pods insecure`, as kubeadm sets it). */
  #podName(name: string, labels: readonly string[], type: string): ZoneAnswer {
    const [namespace, host, ...more] = labels;
    if (namespace === undefined) return NOTHING;
    if (!this.#options.hasNamespace(namespace)) return NXDOMAIN;
    if (host === undefined) return NOTHING;
    const address = host.replaceAll('-', '.');
    if (more.length > 0 || !isAddress(address)) return NXDOMAIN;
    return type === 'A' ? records([{ type: 'A', name, address }]) : NOTHING;
  }

  #reverse(name: string, type: string): ZoneAnswer {
    const address = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
    if (!isAddress(address)) return { kind: 'foreign' };
    const target = this.#nameOf(address);
    if (target === undefined) return { kind: 'foreign' };
    return type === 'PTR' ? records([{ type: 'PTR', name, target }]) : NOTHING;
  }

  #nameOf(address: string): string | undefined {
    for (const { metadata, spec } of this.#options.services.list())
      if (spec?.clusterIP === address) return `${metadata?.name}.${metadata?.namespace}.svc.${this.domain}`;
    for (const slice of this.#options.slices.list()) {
      const endpoint = slice.endpoints?.find((candidate) => candidate.addresses.includes(address));
      const service = slice.metadata?.labels?.['kubernetes.io/service-name'];
      if (endpoint && service) return `${hostOf(endpoint)}.${service}.${slice.metadata?.namespace}.svc.${this.domain}`;
    }
    return undefined;
  }

  #readyEndpoints(service: Service): { readonly endpoint: Endpoint; readonly slice: EndpointSlice }[] {
    const key = `${service.metadata?.namespace}/${service.metadata?.name}`;
    return this.#options.slices
      .byIndex('service', key)
      .filter((slice) => slice.addressType === 'IPv4')
      .flatMap((slice) =>
        (slice.endpoints ?? [])
          .filter((endpoint) => endpoint.conditions?.ready !== false)
          .map((endpoint) => ({ endpoint, slice })),
      );
  }

  /** Each answer begins with another address, so that clients that take the first spread. */
  #rotate(addresses: readonly string[]): string[] {
    const start = addresses.length === 0 ? 0 : this.#turn++ % addresses.length;
    return [...addresses.slice(start), ...addresses.slice(0, start)];
  }
}

function hostOf(endpoint: Endpoint): string {
  return endpoint.hostname || (endpoint.addresses[0] ?? '').replaceAll('.', '-');
}

function isAddress(text: string): boolean {
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
}

function records(found: readonly ZoneRecord[]): ZoneAnswer {
  return { kind: 'records', records: found, extra: [] };
}

function withTargets(found: readonly ZoneRecord[], extra: readonly ZoneRecord[]): ZoneAnswer {
  return { kind: 'records', records: found, extra };
}
