import { protocolOf } from '../translate/protocol.ts';
import { labelsMatch, nameOf, namespaceOf, type World } from '../world/world.ts';
import type { AnalysisInput } from './analyze.ts';
import { message } from './codes.ts';
import { labelText } from './destination-rules.ts';
import type { AnalysisMessage } from './message.ts';

const SELECTING = [
  ['AuthorizationPolicy', 'authorizationPolicies'],
  ['PeerAuthentication', 'peerAuthentications'],
  ['RequestAuthentication', 'requestAuthentications'],
  ['Telemetry', 'telemetries'],
] as const satisfies readonly (readonly [string, keyof World])[];

/** Policies that select nothing, and Sidecars that get in each other's way. */
export function analyzeSelectors({ world, pods }: AnalysisInput): AnalysisMessage[] {
  const found: AnalysisMessage[] = [];
  const root = world.config.rootNamespace ?? 'istio-system';
  for (const [kind, part] of SELECTING)
    for (const object of world[part]) {
      const labels = object.spec?.selector?.matchLabels;
      if (labels === undefined || Object.keys(labels).length === 0) continue;
      const own = namespaceOf(object);
      if (!pods.some((pod) => (pod.namespace === own || own === root) && labelsMatch(labels, pod.labels)))
        found.push(
          message(
            'NoMatchingWorkloadsFound',
            object,
            kind,
            `No matching workloads for this resource with the following labels: ${labelText(labels)}`,
            'spec.selector',
          ),
        );
    }
  const open = new Map<string, (typeof world.sidecars)[number][]>();
  for (const sidecar of world.sidecars) {
    if (Object.keys(sidecar.spec?.workloadSelector?.labels ?? {}).length > 0) continue;
    open.set(namespaceOf(sidecar), [...(open.get(namespaceOf(sidecar)) ?? []), sidecar]);
  }
  for (const [namespace, sidecars] of open)
    if (sidecars.length > 1)
      for (const sidecar of sidecars)
        found.push(
          message(
            'MultipleSidecarsWithoutWorkloadSelectors',
            sidecar,
            'Sidecar',
            `The Sidecars [${sidecars.map((s) => nameOf(s)).join(' ')}] in namespace "${namespace}" have no workload selector, which can lead to undefined behavior.`,
          ),
        );
  for (const pod of pods) {
    const matching = world.sidecars.filter((sidecar) => {
      const labels = sidecar.spec?.workloadSelector?.labels ?? {};
      return (
        namespaceOf(sidecar) === pod.namespace && Object.keys(labels).length > 0 && labelsMatch(labels, pod.labels)
      );
    });
    if (matching.length > 1)
      for (const sidecar of matching)
        found.push(
          message(
            'ConflictingSidecarWorkloadSelectors',
            sidecar,
            'Sidecar',
            `The Sidecars [${matching.map((s) => nameOf(s)).join(' ')}] in namespace "${pod.namespace}" select the same workload pod "${pod.name}", which can lead to undefined behavior.`,
          ),
        );
  }
  return found;
}

/** Ports whose protocol has to be found out, in namespaces with injected pods. */
export function analyzeServices({ world, pods }: AnalysisInput): AnalysisMessage[] {
  const injected = new Set(pods.filter((pod) => pod.kind === 'sidecar').map((pod) => pod.namespace));
  return world.services
    .filter((service) => injected.has(namespaceOf(service)) && service.spec?.selector !== undefined)
    .flatMap((service) =>
      (service.spec?.ports ?? []).flatMap((port, i) =>
        protocolOf(port) === 'auto'
          ? [
              message(
                'PortNameIsNotUnderNamingConvention',
                service,
                'Service',
                `Port name ${port.name ?? ''} (port: ${port.port}, targetPort: ${port.targetPort ?? port.port}) doesn't follow the naming convention of Istio port.`,
                `spec.ports[${i}].name`,
              ),
            ]
          : [],
      ),
    );
}

const SYSTEM_NAMESPACES = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']);

export function analyzeNamespaces({ world, pods }: AnalysisInput): AnalysisMessage[] {
  const root = world.config.rootNamespace ?? 'istio-system';
  const found: AnalysisMessage[] = [];
  for (const namespace of world.namespaces) {
    const name = nameOf(namespace);
    const labels = namespace.metadata?.labels ?? {};
    if (SYSTEM_NAMESPACES.has(name) || name === root) continue;
    const own = pods.filter((pod) => pod.namespace === name);
    if (labels['istio-injection'] === undefined && labels['istio.io/rev'] === undefined) {
      if (own.some((pod) => pod.kind === 'none'))
        found.push(
          message(
            'NamespaceNotInjected',
            namespace,
            'Namespace',
            `The namespace is not enabled for Istio injection. Run 'kubectl label namespace ${name} istio-injection=enabled' to enable it, or 'kubectl label namespace ${name} istio-injection=disabled' to explicitly mark it as not needing injection.`,
          ),
        );
      continue;
    }
    if (labels['istio-injection'] === 'disabled') continue;
    for (const pod of own)
      if (pod.kind === 'none' && pod.labels['sidecar.istio.io/inject'] !== 'false')
        found.push(
          message(
            'PodMissingProxy',
            pod.pod,
            'Pod',
            `The pod ${pod.name} is missing the Istio proxy. This can often be resolved by restarting or redeploying the workload.`,
          ),
        );
  }
  return found;
}
