import { dropManagedFields } from '@kind-e2e/kube-client';
import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';

/**
 * A pod without what no controller reads: managedFields and, of its containers, environment, command, mounts, probes
 * and lifecycle hooks. Controllers change pods only by patch, so what is missing here is never written back.
 */
export function leanPod(pod: Pod): Pod {
  dropManagedFields(pod);
  const { spec } = pod;
  if (!spec) return pod;
  for (const container of spec.containers) strip(container);
  for (const container of spec.initContainers ?? []) strip(container);
  return pod;
}

function strip(container: Container): void {
  delete container.env;
  delete container.envFrom;
  delete container.command;
  delete container.args;
  delete container.volumeMounts;
  delete container.livenessProbe;
  delete container.readinessProbe;
  delete container.startupProbe;
  delete container.lifecycle;
  delete container.securityContext;
}
