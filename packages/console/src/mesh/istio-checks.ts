import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';

/** A finding about an Istio object, at the field it concerns. */
export interface Finding {
  severity: 'error' | 'warning';
  message: string;
  path: (string | number)[];
}

export interface World {
  /** `namespace/name` of all Services. */
  services: ReadonlySet<string>;
  gateways: ReadonlySet<string>;
  /** Hosts of ServiceEntries. */
  externalHosts: ReadonlySet<string>;
  /** Subsets by `namespace/name` of the Service. */
  subsets: ReadonlyMap<string, ReadonlySet<string>>;
}

const destination = z.looseObject({ host: z.string().catch(''), subset: z.string().optional() });
const route = z.looseObject({ destination: destination.optional(), weight: z.number().optional() });
const virtualService = z.looseObject({
  hosts: z.array(z.string()).optional().catch(undefined),
  gateways: z.array(z.string()).optional().catch(undefined),
  http: z
    .array(
      z.looseObject({
        route: z.array(route).optional().catch(undefined),
        mirror: destination.optional().catch(undefined),
        redirect: z.unknown().optional(),
        directResponse: z.unknown().optional(),
        delegate: z.unknown().optional(),
      }),
    )
    .optional()
    .catch(undefined),
});
const destinationRule = z.looseObject({
  host: z.string().catch(''),
  subsets: z
    .array(z.looseObject({ name: z.string().catch(''), labels: z.record(z.string(), z.string()).optional() }))
    .optional()
    .catch(undefined),
});
const serviceEntry = z.looseObject({ hosts: z.array(z.string()).catch([]) });

/** `namespace/name` of the Service that a host means, seen from `namespace`; undefined for hosts outside the cluster. */
export function serviceOfHost(host: string, namespace: string): string | undefined {
  if (host.includes('*')) return undefined;
  const parts = host.replace(/\.$/, '').split('.');
  const [name = ''] = parts;
  if (parts.length === 1) return `${namespace}/${name}`;
  if (parts.length === 2 || (parts[2] === 'svc' && (parts.length === 3 || host.endsWith('.svc.cluster.local'))))
    return `${parts[1]}/${name}`;
  return undefined;
}

export function worldOf(objects: {
  services: readonly KubeObject[];
  gateways: readonly KubeObject[];
  destinationrules: readonly KubeObject[];
  serviceentries: readonly KubeObject[];
}): World {
  const id = (item: KubeObject): string => `${item.metadata.namespace ?? ''}/${item.metadata.name}`;
  const subsets = new Map<string, Set<string>>();
  for (const item of objects.destinationrules) {
    const spec = destinationRule.safeParse(item.spec).data;
    const service = spec ? serviceOfHost(spec.host, item.metadata.namespace ?? '') : undefined;
    if (service === undefined) continue;
    const names = subsets.get(service) ?? new Set<string>();
    for (const subset of spec?.subsets ?? []) names.add(subset.name);
    subsets.set(service, names);
  }
  return {
    services: new Set(objects.services.map(id)),
    gateways: new Set(objects.gateways.map(id)),
    externalHosts: new Set(
      objects.serviceentries.flatMap((item) => serviceEntry.safeParse(item.spec).data?.hosts ?? []),
    ),
    subsets,
  };
}

/** What `istioctl analyze` and Kiali say of these kinds, with their codes (KIA1101, KIA1104, KIA1107, KIA0202). */
export function checkIstioObject(object: KubeObject, world: World): Finding[] {
  const namespace = object.metadata.namespace ?? '';
  const findings: Finding[] = [];
  const checkDestination = (target: z.infer<typeof destination>, path: (string | number)[]): void => {
    const service = serviceOfHost(target.host, namespace);
    const isKnown = world.externalHosts.has(target.host) || (service !== undefined && world.services.has(service));
    if (!isKnown)
      findings.push({
        severity: 'error',
        message: `KIA1101 There is no service for the host “${target.host}”.${suggest(service, world.services)}`,
        path: [...path, 'host'],
      });
    else if (target.subset !== undefined && service !== undefined && !world.subsets.get(service)?.has(target.subset))
      findings.push({
        severity: 'warning',
        message: `KIA1107 No DestinationRule of ${target.host} has the subset “${target.subset}”.`,
        path: [...path, 'subset'],
      });
  };
  if (object.kind === 'VirtualService') {
    const spec = virtualService.safeParse(object.spec).data;
    (spec?.gateways ?? []).forEach((gateway, index) => {
      const id = gateway.includes('/') ? gateway : `${namespace}/${gateway}`;
      if (gateway !== 'mesh' && !world.gateways.has(id))
        findings.push({
          severity: 'error',
          message: `KIA1102 There is no Gateway “${gateway}”.`,
          path: ['spec', 'gateways', index],
        });
    });
    (spec?.http ?? []).forEach((rule, index) => {
      const path = ['spec', 'http', index];
      const routes = rule.route ?? [];
      routes.forEach((item, place) => {
        if (item.destination) checkDestination(item.destination, [...path, 'route', place, 'destination']);
      });
      if (rule.mirror) checkDestination(rule.mirror, [...path, 'mirror']);
      const sum = routes.reduce((total, item) => total + (item.weight ?? 0), 0);
      if (routes.length > 1 && sum !== 100)
        findings.push({
          severity: 'warning',
          message: `KIA1104 The weights add up to ${sum}, not 100.`,
          path: [...path, 'route'],
        });
    });
  }
  if (object.kind === 'DestinationRule') {
    const spec = destinationRule.safeParse(object.spec).data;
    const service = spec ? serviceOfHost(spec.host, namespace) : undefined;
    if (
      spec &&
      !spec.host.includes('*') &&
      !world.externalHosts.has(spec.host) &&
      (service === undefined || !world.services.has(service))
    )
      findings.push({
        severity: 'error',
        message: `KIA0202 There is no service for the host “${spec.host}”.${suggest(service, world.services)}`,
        path: ['spec', 'host'],
      });
  }
  return findings;
}

function suggest(service: string | undefined, services: ReadonlySet<string>): string {
  if (service === undefined) return '';
  const close = [...services].find((other) => distance(other, service) <= 2);
  return close ? ` Do you mean “${close.split('/')[1]}”?` : '';
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next[j] = Math.min(
        (next[j - 1] ?? 0) + 1,
        (row[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

export interface RouteOfHost {
  /** `namespace/name` of the VirtualService. */
  id: string;
  /** `rules`: it says what becomes of requests to the Service. `sends`: it is of another host, and sends requests here. */
  role: 'rules' | 'sends';
}

/** The VirtualServices that rule a Service's host or route to it, those that rule first. */
export function routesOfHost(virtualServices: readonly KubeObject[], name: string, namespace: string): RouteOfHost[] {
  return virtualServices
    .flatMap((item): RouteOfHost[] => {
      const spec = virtualService.safeParse(item.spec).data;
      const own = item.metadata.namespace ?? '';
      const isIt = (host: string): boolean => serviceOfHost(host, own) === `${namespace}/${name}`;
      const id = `${own}/${item.metadata.name}`;
      if ((spec?.hosts ?? []).some(isIt)) return [{ id, role: 'rules' }];
      const targets = (spec?.http ?? []).flatMap((rule) => rule.route ?? []);
      return targets.some((entry) => isIt(entry.destination?.host ?? '')) ? [{ id, role: 'sends' }] : [];
    })
    .sort((a, b) => a.role.localeCompare(b.role));
}
