import type { AnalysisMessage } from './message.ts';

/** Kinds of findings: codes, names and levels of Istio (pkg/config/analysis/msg/messages.yaml), and two of our own. */
export const CODES = {
  ReferencedResourceNotFound: ['IST0101', 'Error'],
  NamespaceNotInjected: ['IST0102', 'Info'],
  PodMissingProxy: ['IST0103', 'Warning'],
  GatewayPortNotOnWorkload: ['IST0104', 'Warning'],
  SchemaValidationError: ['IST0106', 'Error'],
  ConflictingMeshGatewayVirtualServiceHosts: ['IST0109', 'Error'],
  ConflictingSidecarWorkloadSelectors: ['IST0110', 'Error'],
  MultipleSidecarsWithoutWorkloadSelectors: ['IST0111', 'Error'],
  VirtualServiceDestinationPortSelectorRequired: ['IST0112', 'Error'],
  PortNameIsNotUnderNamingConvention: ['IST0118', 'Info'],
  InvalidRegexp: ['IST0122', 'Warning'],
  NoMatchingWorkloadsFound: ['IST0127', 'Warning'],
  NoServerCertificateVerificationDestinationLevel: ['IST0128', 'Warning'],
  VirtualServiceUnreachableRule: ['IST0130', 'Warning'],
  VirtualServiceIneffectiveMatch: ['IST0131', 'Info'],
  VirtualServiceHostNotFoundInGateway: ['IST0132', 'Warning'],
  ServiceEntryAddressesRequired: ['IST0134', 'Warning'],
  ConflictingGateways: ['IST0145', 'Error'],
  /** The schema takes it, this mesh does not enforce it. */
  NotEnforced: ['KE0001', 'Warning'],
  MeshConfigNotRead: ['KE0002', 'Error'],
} as const satisfies Record<string, readonly [string, AnalysisMessage['level']]>;

export type CodeName = keyof typeof CODES;

interface Subject {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string };
}

export function message(name: CodeName, subject: Subject, kind: string, text: string, path?: string): AnalysisMessage {
  const [code, level] = CODES[name];
  const istio = code.startsWith('IST');
  return {
    code,
    name,
    level,
    message: text,
    documentationUrl: istio ? `https://istio.io/latest/docs/reference/config/analysis/${code.toLowerCase()}/` : '',
    resource: {
      apiVersion: subject.apiVersion ?? '',
      kind: subject.kind ?? kind,
      name: subject.metadata?.name ?? '',
      namespace: subject.metadata?.namespace ?? '',
    },
    ...(path === undefined ? {} : { path }),
  };
}
