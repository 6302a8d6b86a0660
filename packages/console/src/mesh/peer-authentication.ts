import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';

const policy = z.looseObject({
  selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()).catch({}) }).optional(),
  mtls: z.looseObject({ mode: z.string().catch('UNSET') }).optional(),
});

export interface MtlsMode {
  mode: string;
  /** `namespace/name` of the PeerAuthentication that says so; undefined where none does. */
  by: string | undefined;
}

/**
 * Which mTLS a workload asks of its callers: the policy that selects it, else its namespace's, else the mesh's (root
 * namespace); of several the oldest (istio: security/v1 PeerAuthentication). Without any it takes both: PERMISSIVE.
 */
export function mtlsModeOf(
  policies: readonly KubeObject[],
  workload: { namespace: string; labels: Readonly<Record<string, string>> },
  rootNamespace = 'istio-system',
): MtlsMode {
  const read = policies
    .map((item) => ({ item, spec: policy.safeParse(item.spec ?? {}).data }))
    .sort((a, b) =>
      String(a.item.metadata.creationTimestamp ?? '').localeCompare(String(b.item.metadata.creationTimestamp ?? '')),
    );
  const selects = (spec: z.infer<typeof policy> | undefined): boolean =>
    Object.entries(spec?.selector?.matchLabels ?? {}).every(([key, value]) => workload.labels[key] === value);
  const isBroad = (spec: z.infer<typeof policy> | undefined): boolean =>
    Object.keys(spec?.selector?.matchLabels ?? {}).length === 0;
  const found = [
    read.find(({ item, spec }) => item.metadata.namespace === workload.namespace && !isBroad(spec) && selects(spec)),
    read.find(({ item, spec }) => item.metadata.namespace === workload.namespace && isBroad(spec)),
    read.find(({ item, spec }) => item.metadata.namespace === rootNamespace && isBroad(spec)),
  ].find((entry) => entry?.spec?.mtls !== undefined && entry.spec.mtls.mode !== 'UNSET');
  if (found === undefined) return { mode: 'PERMISSIVE', by: undefined };
  return {
    mode: found.spec?.mtls?.mode ?? 'PERMISSIVE',
    by: `${found.item.metadata.namespace ?? ''}/${found.item.metadata.name}`,
  };
}
