import { gatewayKey } from '../translate/http-routes.ts';
import { hostMatches, resolveHost } from '../translate/registry.ts';
import type { Destination, HttpRoute, VirtualService } from '../world/istio-types.ts';
import type { IstioObject } from '../world/objects.ts';
import { nameOf, namespaceOf } from '../world/world.ts';
import type { AnalysisInput } from './analyze.ts';
import { message } from './codes.ts';
import type { AnalysisMessage } from './message.ts';

export function analyzeVirtualServices(input: AnalysisInput): AnalysisMessage[] {
  return [
    ...input.world.virtualServices.flatMap((object) => [
      ...destinations(input, object),
      ...gateways(input, object),
      ...rules(object),
    ]),
    ...conflicts(input),
  ];
}

interface Used {
  readonly destination: Destination;
  readonly path: string;
}

function usedDestinations(spec: VirtualService): Used[] {
  const found: Used[] = [];
  for (const [i, http] of (spec.http ?? []).entries()) {
    const path = `spec.http[${i}]`;
    for (const [j, route] of (http.route ?? []).entries())
      found.push({ destination: route.destination, path: `${path}.route[${j}].destination` });
    if (http.mirror) found.push({ destination: http.mirror, path: `${path}.mirror` });
    for (const [j, mirror] of (http.mirrors ?? []).entries())
      found.push({ destination: mirror.destination, path: `${path}.mirrors[${j}].destination` });
  }
  for (const kind of ['tcp', 'tls'] as const)
    for (const [i, l4] of (spec[kind] ?? []).entries())
      for (const [j, route] of (l4.route ?? []).entries())
        found.push({ destination: route.destination, path: `spec.${kind}[${i}].route[${j}].destination` });
  return found;
}

function destinations({ world, registry }: AnalysisInput, object: IstioObject<VirtualService>): AnalysisMessage[] {
  const own = namespaceOf(object);
  return usedDestinations(object.spec ?? {}).flatMap(({ destination, path }): AnalysisMessage[] => {
    if (!destination?.host) return [];
    const host = resolveHost(destination.host, own);
    const service = registry.get(host);
    if (service === undefined)
      return [
        message(
          'ReferencedResourceNotFound',
          object,
          'VirtualService',
          `Referenced host not found: "${destination.host}"`,
          `${path}.host`,
        ),
      ];
    const found: AnalysisMessage[] = [];
    const ports = service.ports.map((port) => port.number);
    if (destination.port?.number === undefined && ports.length > 1)
      found.push(
        message(
          'VirtualServiceDestinationPortSelectorRequired',
          object,
          'VirtualService',
          `This VirtualService routes to a service "${destination.host}" that exposes multiple ports [${ports.join(' ')}]. Specifying a port in the destination is required to disambiguate.`,
          path,
        ),
      );
    else if (destination.port?.number !== undefined && !ports.includes(destination.port.number))
      found.push(
        message(
          'ReferencedResourceNotFound',
          object,
          'VirtualService',
          `Referenced host:port not found: "${destination.host}:${destination.port.number}"`,
          `${path}.port.number`,
        ),
      );
    if (destination.subset) {
      const known = world.destinationRules.some(
        (rule) =>
          hostMatches(resolveHost(rule.spec?.host ?? '', namespaceOf(rule)), host) &&
          rule.spec?.subsets?.some((subset) => subset.name === destination.subset),
      );
      if (!known)
        found.push(
          message(
            'ReferencedResourceNotFound',
            object,
            'VirtualService',
            `Referenced host+subset in destinationrule not found: "${destination.host}+${destination.subset}"`,
            `${path}.subset`,
          ),
        );
    }
    return found;
  });
}

function gateways({ world }: AnalysisInput, object: IstioObject<VirtualService>): AnalysisMessage[] {
  const own = namespaceOf(object);
  const found: AnalysisMessage[] = [];
  object.spec?.gateways?.forEach((name, i) => {
    if (name === 'mesh') return;
    const gateway = world.gateways.find(
      (candidate) => `${namespaceOf(candidate)}/${nameOf(candidate)}` === gatewayKey(name, own),
    );
    if (gateway === undefined) {
      found.push(
        message(
          'ReferencedResourceNotFound',
          object,
          'VirtualService',
          `Referenced gateway not found: "${name}"`,
          `spec.gateways[${i}]`,
        ),
      );
      return;
    }
    const served = (gateway.spec?.servers ?? [])
      .flatMap((server) => server.hosts ?? [])
      .map((host) => host.slice(host.indexOf('/') + 1));
    const lost = (object.spec?.hosts ?? []).filter((host) => {
      const full = resolveHost(host, own);
      return !served.some((pattern) => hostMatches(pattern, full) || hostMatches(full, pattern));
    });
    if (lost.length > 0)
      found.push(
        message(
          'VirtualServiceHostNotFoundInGateway',
          object,
          'VirtualService',
          `one or more host [${lost.join(' ')}] defined in VirtualService ${own}/${nameOf(object)} not found in Gateway ${gatewayKey(name, own)}.`,
          'spec.hosts',
        ),
      );
  });
  return found;
}

/** Rules that nothing can reach, as istioctl finds them. */
function rules(object: IstioObject<VirtualService>): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  const http = object.spec?.http ?? [];
  const seen = new Map<string, string>();
  http.forEach((rule, i) => {
    const name = rule.name ?? `#${i}`;
    const open = !rule.match || rule.match.length === 0;
    if (open && i < http.length - 1)
      found.push(
        message(
          'VirtualServiceUnreachableRule',
          object,
          'VirtualService',
          `VirtualService rule ${name} not used (only the last rule can have no matches).`,
          `spec.http[${i}]`,
        ),
      );
    rule.match?.forEach((match, j) => {
      const text = JSON.stringify(match);
      const before = seen.get(text);
      if (before === undefined) seen.set(text, name);
      else if (rule.match?.length === 1)
        found.push(
          message(
            'VirtualServiceUnreachableRule',
            object,
            'VirtualService',
            `VirtualService rule ${name} not used (duplicate of a match in rule ${before}).`,
            `spec.http[${i}]`,
          ),
        );
      else
        found.push(
          message(
            'VirtualServiceIneffectiveMatch',
            object,
            'VirtualService',
            `VirtualService rule ${name} match #${j} is not used (duplicate/overlapping match in rule ${before}).`,
            `spec.http[${i}].match[${j}]`,
          ),
        );
    });
    delegate(object, rule, i, found);
  });
  return found;
}

function delegate(object: IstioObject<VirtualService>, rule: HttpRoute, index: number, found: AnalysisMessage[]): void {
  if (rule.delegate && (rule.route?.length || rule.redirect || rule.directResponse))
    found.push(
      message(
        'SchemaValidationError',
        object,
        'VirtualService',
        'Schema validation error: delegate cannot be set with route, redirect or directResponse',
        `spec.http[${index}].delegate`,
      ),
    );
}

/** Two VirtualServices for one host of the mesh: only one of them counts for sidecars. */
function conflicts({ world }: AnalysisInput): AnalysisMessage[] {
  const byHost = new Map<string, IstioObject<VirtualService>[]>();
  for (const object of world.virtualServices) {
    const { spec } = object;
    if (spec?.gateways?.length && !spec.gateways.includes('mesh')) continue;
    for (const host of new Set((spec?.hosts ?? []).map((written) => resolveHost(written, namespaceOf(object))))) {
      const list = byHost.get(host) ?? [];
      list.push(object);
      byHost.set(host, list);
    }
  }
  return [...byHost].flatMap(([host, objects]) => {
    if (objects.length < 2) return [];
    const names = objects
      .map((object) => `${namespaceOf(object)}/${nameOf(object)}`)
      .sort()
      .join(',');
    return objects.map((object) =>
      message(
        'ConflictingMeshGatewayVirtualServiceHosts',
        object,
        'VirtualService',
        `The VirtualServices ${names} associated with mesh gateway define the same host ${host} which can lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single resource.`,
        'spec.hosts',
      ),
    );
  });
}
