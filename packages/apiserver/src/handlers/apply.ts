import { unsupportedMediaType } from '@kind-e2e/kube-api';
import type { ResourceRequest } from '../api-context.ts';

/** PATCH as server-side apply. */
export async function handleApply(_call: ResourceRequest): Promise<void> {
  throw unsupportedMediaType(['application/json-patch+json', 'application/merge-patch+json']);
}
