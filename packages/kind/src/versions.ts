/** What the kind engine pins, and the oldest programs it drives. `docs/guides/kind.md` says where each comes from. */

/** Node image of kind 0.33, by digest. */
export const NODE_IMAGE =
  'kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5';

/** The local registry, by digest. */
export const REGISTRY_IMAGE = 'registry:3@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33';

/** Kubernetes minor version of NODE_IMAGE, and the oldest that Istio 1.30 wants. */
export const NODE_KUBERNETES_MINOR = 37;
export const MIN_KUBERNETES_MINOR = 32;

export const MIN_VERSIONS = { docker: '23.0.0', kind: '0.33.0', helm: '3.8.0', kubectl: '1.32.0' } as const;

/** Compares dotted numbers: below, equal, above zero as for sorting. What follows the numbers is not looked at. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string): number[] => (/\d+(\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
