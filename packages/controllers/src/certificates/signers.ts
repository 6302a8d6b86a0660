import type { CertificationRequest } from '@kind-e2e/kube-api';

/** Gives why a request is none that the signer signs; undefined for one that it does. */
export type SignerRule = (request: CertificationRequest, usages: readonly string[]) => string | undefined;

const CLIENT_USAGES = ['client auth', 'digital signature', 'key encipherment'];
const KUBELET_CLIENT_USAGES = [
  ['client auth', 'digital signature', 'key encipherment'],
  ['client auth', 'digital signature'],
];
const KUBELET_SERVING_USAGES = [
  ['digital signature', 'key encipherment', 'server auth'],
  ['digital signature', 'server auth'],
];

/** The signers of kube-controller-manager and what each asks of a request (pkg/controller/certificates/signer, pkg/apis/certificates/helpers.go). */
export const SIGNERS: Readonly<Record<string, SignerRule>> = {
  'kubernetes.io/kube-apiserver-client': (_request, usages) => {
    const odd = usages.find((usage) => !CLIENT_USAGES.includes(usage));
    if (odd !== undefined) return `invalid usage for client certificate: ${odd}`;
    return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
  },
  'kubernetes.io/kube-apiserver-client-kubelet': (request, usages) =>
    nodeProblem(request) ??
    (request.dnsNames.length > 0
      ? 'DNS subjectAltNames are not allowed'
      : request.emailAddresses.length > 0
        ? 'Email subjectAltNames are not allowed'
        : request.ipAddresses.length > 0
          ? 'IP subjectAltNames are not allowed'
          : request.uris.length > 0
            ? 'URI subjectAltNames are not allowed'
            : hasUsages(usages, KUBELET_CLIENT_USAGES)
              ? undefined
              : 'usages did not match [client auth digital signature]'),
  'kubernetes.io/kubelet-serving': (request, usages) => {
    if (request.dnsNames.length === 0 && request.ipAddresses.length === 0)
      return 'at least one of DNS or IP subjectAltName is required';
    if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
    if (request.uris.length > 0) return 'URI subjectAltNames are not allowed';
    if (!hasUsages(usages, KUBELET_SERVING_USAGES)) return 'usages did not match [digital signature server auth]';
    return nodeProblem(request);
  },
};

function nodeProblem({ organizations, commonName }: CertificationRequest): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes';
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:';
}

function hasUsages(usages: readonly string[], allowed: readonly (readonly string[])[]): boolean {
  return allowed.some((set) => set.length === usages.length && set.every((usage) => usages.includes(usage)));
}
