import { hostMatches, resolveHost } from '../translate/registry.ts';
import type { TrafficPolicy } from '../world/istio-types.ts';
import { labelsMatch, nameOf, namespaceOf } from '../world/world.ts';
import type { AnalysisInput } from './analyze.ts';
import { message } from './codes.ts';
import type { AnalysisMessage } from './message.ts';

export function analyzeDestinationRules({ world, registry }: AnalysisInput): AnalysisMessage[] {
  return world.destinationRules.flatMap((object) => {
    const own = namespaceOf(object);
    const { spec } = object;
    const host = resolveHost(spec?.host ?? '', own);
    const services = [...registry.values()].filter((service) => hostMatches(host, service.host));
    const found: AnalysisMessage[] = [];
    if (services.length === 0 && !host.startsWith('*'))
      found.push(
        message(
          'ReferencedResourceNotFound',
          object,
          'DestinationRule',
          `Referenced host not found: "${spec?.host ?? ''}"`,
          'spec.host',
        ),
      );
    spec?.subsets?.forEach((subset, i) => {
      const endpoints = services.flatMap((service) => [...service.endpoints.values()].flat());
      if (endpoints.length > 0 && !endpoints.some((endpoint) => labelsMatch(subset.labels, endpoint.labels)))
        found.push(
          message(
            'NoMatchingWorkloadsFound',
            object,
            'DestinationRule',
            `No matching workloads for this resource with the following labels: ${labelText(subset.labels)}`,
            `spec.subsets[${i}].labels`,
          ),
        );
    });
    const policies: [string, TrafficPolicy | undefined][] = [
      ['spec.trafficPolicy', spec?.trafficPolicy],
      ...(spec?.subsets ?? []).map((subset, i): [string, TrafficPolicy | undefined] => [
        `spec.subsets[${i}].trafficPolicy`,
        subset.trafficPolicy,
      ]),
    ];
    for (const [path, policy] of policies) {
      const tls = policy?.tls;
      if ((tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL') && !tls.credentialName && !tls.insecureSkipVerify)
        found.push(
          message(
            'NoServerCertificateVerificationDestinationLevel',
            object,
            'DestinationRule',
            `DestinationRule ${nameOf(object)} in namespace ${own} has TLS mode set to ${tls.mode} but no caCertificates are set to validate server identity for host: ${spec?.host ?? ''}`,
            `${path}.tls`,
          ),
        );
    }
    return found;
  });
}

export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
