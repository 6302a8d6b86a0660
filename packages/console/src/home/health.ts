import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';

export interface Release {
  name: string;
  namespace: string;
  revision: number;
  status: string;
  at: string | undefined;
}

/** Helm keeps a release's revisions in Secrets labelled `owner=helm` (helm: pkg/storage/driver/secrets.go). The newest of each. */
export function readReleases(secrets: readonly KubeObject[]): Release[] {
  const newest = new Map<string, Release>();
  for (const secret of secrets) {
    const labels = secret.metadata.labels ?? {};
    const name = labels.name;
    if (name === undefined) continue;
    const revision = Number(labels.version ?? 0);
    const key = `${secret.metadata.namespace ?? ''}/${name}`;
    if ((newest.get(key)?.revision ?? -1) >= revision) continue;
    const modified = z.coerce.number().safeParse(labels.modifiedAt);
    newest.set(key, {
      name,
      namespace: secret.metadata.namespace ?? '',
      revision,
      status: labels.status ?? 'unknown',
      at:
        modified.success && modified.data > 0
          ? new Date(modified.data * 1000).toISOString()
          : (secret.metadata.creationTimestamp ?? undefined),
    });
  }
  return [...newest.values()].sort((a, b) => (b.at ?? '').localeCompare(a.at ?? ''));
}
