/** `GetWarningsForService` of `pkg/api/service/warnings.go`. */
import { recordAt, stringAt, stringMapAt, stringsAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { cidrWarnings, ipWarnings } from './addresses.ts';

const HINTS = 'service.kubernetes.io/topology-aware-hints';

export function serviceWarnings(object: JsonRecord): string[] {
  const spec = recordAt(object, 'spec') ?? {};
  const type = stringAt(spec, 'type');
  const clusterIP = stringAt(spec, 'clusterIP');
  const externalIPs = stringsAt(spec, 'externalIPs');
  const balancer = stringAt(spec, 'loadBalancerIP');
  const isHeadless = type === 'ClusterIP' && clusterIP === 'None';
  const isNamed = type === 'ExternalName';
  const out: string[] = [];
  if (Object.hasOwn(stringMapAt(recordAt(object, 'metadata'), 'annotations'), HINTS))
    out.push(`annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  if (clusterIP !== '' && clusterIP !== 'None')
    out.push(...stringsAt(spec, 'clusterIPs').flatMap((ip, index) => ipWarnings(ip, `spec.clusterIPs[${index}]`)));
  if (isHeadless) {
    if (balancer !== '') out.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) out.push('spec.externalIPs is ignored for headless services');
    if (stringAt(spec, 'sessionAffinity') !== 'None') out.push('spec.SessionAffinity is ignored for headless services');
  }
  out.push(...externalIPs.flatMap((ip, index) => ipWarnings(ip, `spec.externalIPs[${index}]`)));
  if (externalIPs.length > 0 && !isHeadless && !isNamed)
    out.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  if (balancer !== '') out.push(...ipWarnings(balancer, 'spec.loadBalancerIP'));
  out.push(
    ...stringsAt(spec, 'loadBalancerSourceRanges').flatMap((cidr, index) =>
      cidrWarnings(cidr, `spec.loadBalancerSourceRanges[${index}]`),
    ),
  );
  if (isNamed && externalIPs.length > 0) out.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (!isNamed && stringAt(spec, 'externalName') !== '')
    out.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose')
    out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return out;
}
