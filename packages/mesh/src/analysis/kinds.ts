import type { GroupVersionResource } from '@kind-e2e/kube-api';
import type { World } from '../world/world.ts';

interface IstioKind {
  readonly kind: string;
  readonly part: keyof World;
  readonly resource: GroupVersionResource;
}

const kind = (name: string, part: keyof World, group: string, version: string, resource: string): IstioKind => ({
  kind: name,
  part,
  resource: { group: `${group}.istio.io`, version, resource },
});

/** Istio's kinds and where the world keeps them. */
export const ISTIO_KINDS: readonly IstioKind[] = [
  kind('VirtualService', 'virtualServices', 'networking', 'v1', 'virtualservices'),
  kind('DestinationRule', 'destinationRules', 'networking', 'v1', 'destinationrules'),
  kind('Gateway', 'gateways', 'networking', 'v1', 'gateways'),
  kind('ServiceEntry', 'serviceEntries', 'networking', 'v1', 'serviceentries'),
  kind('WorkloadEntry', 'workloadEntries', 'networking', 'v1', 'workloadentries'),
  kind('WorkloadGroup', 'workloadGroups', 'networking', 'v1', 'workloadgroups'),
  kind('Sidecar', 'sidecars', 'networking', 'v1', 'sidecars'),
  kind('EnvoyFilter', 'envoyFilters', 'networking', 'v1alpha3', 'envoyfilters'),
  kind('ProxyConfig', 'proxyConfigs', 'networking', 'v1beta1', 'proxyconfigs'),
  kind('PeerAuthentication', 'peerAuthentications', 'security', 'v1', 'peerauthentications'),
  kind('AuthorizationPolicy', 'authorizationPolicies', 'security', 'v1', 'authorizationpolicies'),
  kind('RequestAuthentication', 'requestAuthentications', 'security', 'v1', 'requestauthentications'),
  kind('Telemetry', 'telemetries', 'telemetry', 'v1', 'telemetries'),
  kind('WasmPlugin', 'wasmPlugins', 'extensions', 'v1alpha1', 'wasmplugins'),
];

export function resourceOfKind(name: string): GroupVersionResource | undefined {
  return ISTIO_KINDS.find((entry) => entry.kind === name)?.resource;
}
