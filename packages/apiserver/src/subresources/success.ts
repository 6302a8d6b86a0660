import type { Status } from '@kind-e2e/kube-api';

/** The Status of a request that has nothing else to say. */
export function successStatus(code: number): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code };
}
