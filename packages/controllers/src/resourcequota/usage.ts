import { addQuantities, formatQuantity, parseQuantity, type Quantity } from '@kind-e2e/kube-api';
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from 'kubernetes-types/core/v1.d.ts';
import { isPodTerminal } from '../pods/pod-state.ts';

/** Amounts by the names that quotas use: `pods`, `requests.cpu`, `count/deployments.apps`, … */
export type Usage = Map<string, Quantity>;

const ONE: Quantity = { nano: 1_000_000_000n, format: 'DecimalSI' };

export function addTo(usage: Usage, name: string, amount: Quantity): void {
  const before = usage.get(name);
  usage.set(name, before ? addQuantities(before, amount) : amount);
}

export function countOf(count: number): Quantity {
  return { nano: BigInt(count) * ONE.nano, format: 'DecimalSI' };
}

/** The used amounts of the hard ones, in canonical text; what nothing uses is `0`. */
export function usedText(quota: ResourceQuota, usage: Usage): Record<string, string> {
  return Object.fromEntries(
    Object.keys(quota.spec?.hard ?? {}).map((name) => {
      const amount = usage.get(name);
      return [name, amount ? formatQuantity(amount) : '0'];
    }),
  );
}

/** Whether a quota's scopes take in the pod (quota/evaluator/core/pods.go). */
export function isInScope(quota: ResourceQuota, pod: Pod): boolean {
  const isBestEffort = pod.status?.qosClass === 'BestEffort';
  const isTerminating = pod.spec?.activeDeadlineSeconds !== undefined && pod.spec.activeDeadlineSeconds >= 0;
  const priorityClass = pod.spec?.priorityClassName ?? '';
  const holds = (scope: string, operator = 'Exists', values: readonly string[] = []): boolean => {
    switch (scope) {
      case 'Terminating':
        return isTerminating;
      case 'NotTerminating':
        return !isTerminating;
      case 'BestEffort':
        return isBestEffort;
      case 'NotBestEffort':
        return !isBestEffort;
      case 'CrossNamespacePodAffinity':
        return usesOtherNamespaces(pod);
      case 'PriorityClass':
        switch (operator) {
          case 'In':
            return values.includes(priorityClass);
          case 'NotIn':
            return !values.includes(priorityClass);
          case 'DoesNotExist':
            return priorityClass === '';
        }
        return priorityClass !== '';
    }
    return false;
  };
  return (
    (quota.spec?.scopes ?? []).every((scope) => holds(scope)) &&
    (quota.spec?.scopeSelector?.matchExpressions ?? []).every(({ scopeName, operator, values }) =>
      holds(scopeName, operator, values ?? []),
    )
  );
}

function usesOtherNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((entry) => entry.podAffinityTerm),
  ]);
  return terms.some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined);
}

/** Every pod counts as an object; finished ones ask for nothing any more. */
export function addPod(usage: Usage, pod: Pod): void {
  addTo(usage, 'count/pods', ONE);
  if (isPodTerminal(pod)) return;
  addTo(usage, 'pods', ONE);
  for (const kind of ['requests', 'limits'] as const)
    for (const [resource, amount] of podAmounts(pod, kind)) {
      addTo(usage, `${kind}.${resource}`, amount);
      if (kind === 'requests') addTo(usage, resource, amount);
    }
}

function podAmounts(pod: Pod, kind: 'requests' | 'limits'): Usage {
  const running: Usage = new Map();
  const most: Usage = new Map();
  const sidecars: Usage = new Map();
  const read = (resources: Readonly<Record<string, string>> | undefined): [string, Quantity][] =>
    Object.entries(resources ?? {}).flatMap(([name, text]) => {
      const quantity = parseQuantity(text);
      return quantity ? [[name, quantity] as [string, Quantity]] : [];
    });
  for (const container of pod.spec?.containers ?? [])
    for (const [name, amount] of read(container.resources?.[kind])) addTo(running, name, amount);
  for (const container of pod.spec?.initContainers ?? []) {
    const isSidecar = container.restartPolicy === 'Always';
    for (const [name, amount] of read(container.resources?.[kind])) {
      if (isSidecar) addTo(sidecars, name, amount);
      const beside = sidecars.get(name);
      const total = !isSidecar && beside ? addQuantities(amount, beside) : ((isSidecar ? beside : amount) ?? amount);
      const before = most.get(name);
      if (!before || total.nano > before.nano) most.set(name, total);
    }
  }
  for (const [name, amount] of sidecars) addTo(running, name, amount);
  for (const [name, amount] of most) {
    const before = running.get(name);
    if (!before || amount.nano > before.nano) running.set(name, amount);
  }
  if (kind === 'requests') for (const [name, amount] of read(pod.spec?.overhead)) addTo(running, name, amount);
  return running;
}

export function addService(usage: Usage, service: Service): void {
  addTo(usage, 'services', ONE);
  addTo(usage, 'count/services', ONE);
  const { type, ports = [], allocateLoadBalancerNodePorts } = service.spec ?? {};
  const nodePorts = countOf(ports.length);
  if (type === 'NodePort') addTo(usage, 'services.nodeports', nodePorts);
  if (type === 'LoadBalancer') {
    addTo(usage, 'services.loadbalancers', ONE);
    if (allocateLoadBalancerNodePorts !== false) addTo(usage, 'services.nodeports', nodePorts);
  }
}

export function addClaim(usage: Usage, claim: PersistentVolumeClaim): void {
  addTo(usage, 'persistentvolumeclaims', ONE);
  addTo(usage, 'count/persistentvolumeclaims', ONE);
  const storage = parseQuantity(claim.spec?.resources?.requests?.storage ?? '0');
  if (storage) addTo(usage, 'requests.storage', storage);
  const storageClass = claim.spec?.storageClassName;
  if (!storageClass) return;
  addTo(usage, `${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
  if (storage) addTo(usage, `${storageClass}.storageclass.storage.k8s.io/requests.storage`, storage);
}
