import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';

/** `init` runs to its end before what follows; `sidecar` is an init container with restartPolicy Always. */
export type ContainerKind = 'init' | 'sidecar' | 'app';

export interface PodContainer {
  readonly kind: ContainerKind;
  readonly spec: Container;
}

/** All containers of a pod in the order in which they start. */
export function containersOf(pod: Pod): PodContainer[] {
  return [
    ...(pod.spec?.initContainers ?? []).map(
      (spec): PodContainer => ({ kind: spec.restartPolicy === 'Always' ? 'sidecar' : 'init', spec }),
    ),
    ...(pod.spec?.containers ?? []).map((spec): PodContainer => ({ kind: 'app', spec })),
  ];
}

const PAUSE_IMAGE =
  /^(?:registry\.k8s\.io\/|k8s\.gcr\.io\/|gcr\.io\/google[_-]containers\/|(?:localhost|127(?:\.\d+){3})(?::\d+)?\/)?pause(?::[\w][\w.-]*)?(?:@sha256:[a-f0-9]{64})?$/;

/** Whether an image is `pause`, which does nothing and so runs without a process. */
export function isPauseImage(image: string): boolean {
  return PAUSE_IMAGE.test(image);
}

/** Whether a pod has only containers without a process: its volumes are seen by nobody. */
export function isPausePod(pod: Pod): boolean {
  return containersOf(pod).every((each) => isPauseImage(each.spec.image ?? ''));
}

export function isTerminalPhase(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Injected by the mesh: the app listens on a private address, the sidecar on the pod's (docs/contracts.md). */
export function isInjected(pod: Pod): boolean {
  return pod.metadata?.annotations?.['sidecar.istio.io/status'] !== undefined;
}

/** `restartPolicyRules` of a container, which are newer than the types (KEP-5307). */
interface RestartRule {
  readonly action: 'Restart';
  readonly exitCodes?: { readonly operator: 'In' | 'NotIn'; readonly values?: readonly number[] };
}

/**
 * Whether a container that ended so is to be started again: by its own rules, its own policy, or the pod's
 * (kubernetes pkg/api/v1/pod ContainerShouldRestart).
 */
export function isToRestart(
  { kind, spec }: PodContainer,
  restartPolicy: string | undefined,
  exitCode: number,
): boolean {
  if (kind === 'sidecar') return true;
  const { restartPolicyRules = [] } = spec as { restartPolicyRules?: readonly RestartRule[] };
  const matches = ({ exitCodes }: RestartRule): boolean =>
    exitCodes !== undefined && (exitCodes.values ?? []).includes(exitCode) === (exitCodes.operator === 'In');
  if (spec.restartPolicy !== undefined && restartPolicyRules.some(matches)) return true;
  switch (spec.restartPolicy ?? restartPolicy) {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return kind === 'app' || exitCode !== 0;
  }
}

/** `name_namespace(uid)`, as the kubelet writes a pod in messages (pkg/kubelet/util/format). */
export function formatPod(pod: Pod): string {
  return `${pod.metadata?.name}_${pod.metadata?.namespace}(${pod.metadata?.uid})`;
}

export function defaultPullPolicy(container: Container): string {
  if (container.imagePullPolicy) return container.imagePullPolicy;
  const name = (container.image ?? '').split('/').at(-1) ?? '';
  return name.includes('@') || (name.includes(':') && !name.endsWith(':latest')) ? 'IfNotPresent' : 'Always';
}

/** Ids (`containerd://…`) of the containers that the pod's status calls ready. */
export function readyContainers({ status }: Pod): ReadonlySet<string | undefined> {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return new Set(all.filter(({ ready }) => ready).map(({ containerID }) => containerID));
}
