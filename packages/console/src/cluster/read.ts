import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';

/** What the pages need of pods, nodes and workloads, read from their objects; a field that is missing is undefined. */
const containerState = z.object({
  waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).nullish(),
  running: z.object({ startedAt: z.string().nullish() }).nullish(),
  terminated: z
    .object({ reason: z.string().optional(), exitCode: z.number().optional(), signal: z.number().optional() })
    .nullish(),
});
const containerStatus = z.object({
  name: z.string(),
  ready: z.boolean().catch(false),
  restartCount: z.number().catch(0),
  image: z.string().optional(),
  state: containerState.optional(),
  lastState: containerState.optional(),
});
const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: z.string().nullish(),
});
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? [])
    .catch([]);

const container = z.object({
  name: z.string(),
  image: z.string().optional(),
  ports: list(z.object({ containerPort: z.number(), name: z.string().optional() })),
  restartPolicy: z.string().optional(),
});
const podShape = z.object({
  spec: z
    .object({
      nodeName: z.string().optional(),
      serviceAccountName: z.string().optional(),
      containers: list(container),
      initContainers: list(container),
    })
    .catch({ containers: [], initContainers: [] }),
  status: z
    .object({
      phase: z.string().optional(),
      reason: z.string().optional(),
      message: z.string().optional(),
      podIP: z.string().optional(),
      conditions: list(condition),
      containerStatuses: list(containerStatus),
      initContainerStatuses: list(containerStatus),
    })
    .catch({ conditions: [], containerStatuses: [], initContainerStatuses: [] }),
});

export type Condition = z.infer<typeof condition>;

export interface PodView {
  name: string;
  namespace: string;
  status: string;
  tone: 'ok' | 'warn' | 'bad' | 'plain';
  message: string | undefined;
  ready: number;
  total: number;
  restarts: number;
  node: string | undefined;
  ip: string | undefined;
  inMesh: boolean;
  app: string | undefined;
  containers: { name: string; image: string | undefined; ready: boolean; restarts: number; state: string }[];
  conditions: Condition[];
}

const stateOf = (state: z.infer<typeof containerState> | undefined): string =>
  state?.waiting
    ? (state.waiting.reason ?? 'Waiting')
    : state?.terminated
      ? (state.terminated.reason ?? `ExitCode:${state.terminated.exitCode ?? 0}`)
      : state?.running
        ? 'Running'
        : 'Unknown';

/** The STATUS column as kubectl prints it (kubernetes: pkg/printers/internalversion/printers.go, printPod). */
export function readPod(object: KubeObject): PodView {
  const { spec, status } = podShape.parse(object);
  const statuses = status.containerStatuses;
  const failing = [
    ...status.initContainerStatuses.filter((item) => !item.ready && !item.state?.terminated),
    ...statuses,
  ].find(
    (item) =>
      (item.state?.waiting?.reason && item.state.waiting.reason !== 'PodInitializing') ||
      (item.state?.terminated && status.phase !== 'Succeeded'),
  );
  const ready = statuses.filter((item) => item.ready).length;
  const total = spec.containers.length;
  const isDeleting = Boolean(object.metadata.deletionTimestamp);
  const text = isDeleting
    ? 'Terminating'
    : failing
      ? stateOf(failing.state)
      : (status.reason ?? status.phase ?? 'Unknown');
  const starting = ['Pending', 'ContainerCreating', 'PodInitializing', 'Terminating'].includes(text);
  const tone =
    text === 'Running'
      ? ready === total
        ? 'ok'
        : 'warn'
      : text === 'Succeeded' || text === 'Completed'
        ? 'plain'
        : starting
          ? 'warn'
          : 'bad';
  const byName = new Map(statuses.map((item) => [item.name, item]));
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
    status: text,
    tone,
    message: failing?.state?.waiting?.message ?? status.message,
    ready,
    total,
    restarts: statuses.reduce((sum, item) => sum + item.restartCount, 0),
    node: spec.nodeName,
    ip: status.podIP,
    inMesh: object.metadata.annotations?.['sidecar.istio.io/status'] !== undefined,
    app: object.metadata.labels?.app ?? object.metadata.labels?.['app.kubernetes.io/name'],
    containers: spec.containers.map((item) => {
      const own = byName.get(item.name);
      return {
        name: item.name,
        image: item.image,
        ready: own?.ready ?? false,
        restarts: own?.restartCount ?? 0,
        state: stateOf(own?.state),
      };
    }),
    conditions: status.conditions,
  };
}

const nodeShape = z.object({
  spec: z
    .object({
      unschedulable: z.boolean().optional(),
      podCIDR: z.string().optional(),
      taints: list(z.object({ key: z.string(), effect: z.string() })),
    })
    .catch({ taints: [] }),
  status: z
    .object({
      capacity: z.record(z.string(), z.string()).optional(),
      allocatable: z.record(z.string(), z.string()).optional(),
      conditions: list(condition),
      addresses: list(z.object({ type: z.string(), address: z.string() })),
      nodeInfo: z.object({ kubeletVersion: z.string().optional() }).nullish(),
    })
    .catch({ conditions: [], addresses: [] }),
});

export interface NodeView {
  name: string;
  isReady: boolean;
  status: string;
  roles: string;
  version: string;
  address: string;
  cpu: number | undefined;
  memory: number | undefined;
  conditions: Condition[];
}

export function readNode(object: KubeObject): NodeView {
  const { spec, status } = nodeShape.parse(object);
  const isReady = status.conditions.some((item) => item.type === 'Ready' && item.status === 'True');
  const roles = Object.keys(object.metadata.labels ?? {})
    .filter((label) => label.startsWith('node-role.kubernetes.io/'))
    .map((label) => label.slice('node-role.kubernetes.io/'.length));
  const capacity = status.allocatable ?? status.capacity ?? {};
  return {
    name: object.metadata.name,
    isReady,
    status: `${isReady ? 'Ready' : 'NotReady'}${spec.unschedulable ? ', cordoned' : ''}`,
    roles: roles.join(', ') || 'worker',
    version: status.nodeInfo?.kubeletVersion ?? '',
    address: status.addresses.find((item) => item.type === 'InternalIP')?.address ?? '',
    cpu: parseQuantity(capacity.cpu),
    memory: parseQuantity(capacity.memory),
    conditions: status.conditions,
  };
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A Kubernetes quantity as a number (apimachinery: pkg/api/resource/quantity.go); undefined when it is none. */
export function parseQuantity(text: string | undefined): number | undefined {
  const match = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(text ?? '');
  if (!match) return undefined;
  const factor = SUFFIXES[match[2] ?? ''];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

const workloadShape = z.object({
  spec: z
    .looseObject({
      replicas: z.number().optional(),
      paused: z.boolean().optional(),
      selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()).nullish() }).nullish(),
      template: z.looseObject({ spec: z.looseObject({ containers: list(container) }).optional() }).optional(),
      completions: z.number().nullish(),
      schedule: z.string().optional(),
      suspend: z.boolean().optional(),
    })
    .catch({}),
  status: z
    .looseObject({
      replicas: z.number().optional(),
      readyReplicas: z.number().optional(),
      updatedReplicas: z.number().optional(),
      availableReplicas: z.number().optional(),
      desiredNumberScheduled: z.number().optional(),
      numberReady: z.number().optional(),
      succeeded: z.number().optional(),
      active: z.union([z.number(), z.array(z.unknown())]).optional(),
      failed: z.number().optional(),
      conditions: list(condition),
    })
    .catch({ conditions: [] }),
});

export interface WorkloadView {
  kind: string;
  name: string;
  namespace: string;
  ready: number;
  wanted: number;
  updated: number | undefined;
  tone: 'ok' | 'warn' | 'bad' | 'plain';
  note: string;
  images: string[];
  selector: Readonly<Record<string, string>>;
}

export function readWorkload(object: KubeObject): WorkloadView {
  const { spec, status } = workloadShape.parse(object);
  const kind = object.kind ?? '';
  const isJob = kind === 'Job';
  const wanted =
    kind === 'CronJob' ? 0 : isJob ? (spec.completions ?? 1) : (status.desiredNumberScheduled ?? spec.replicas ?? 1);
  const ready = isJob ? (status.succeeded ?? 0) : (status.numberReady ?? status.readyReplicas ?? 0);
  const stuck = status.conditions.find((item) => item.type === 'Progressing' && item.status === 'False');
  const note =
    stuck?.message ??
    (spec.paused
      ? 'Paused'
      : kind === 'CronJob'
        ? `${spec.schedule ?? ''}${spec.suspend ? ' (suspended)' : ''}`
        : status.updatedReplicas !== undefined && status.updatedReplicas < wanted
          ? 'Rolling out'
          : '');
  return {
    kind,
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
    ready,
    wanted,
    updated: status.updatedReplicas,
    tone:
      stuck || (status.failed ?? 0) > 0
        ? 'bad'
        : kind === 'CronJob' || wanted === 0
          ? 'plain'
          : ready >= wanted
            ? 'ok'
            : 'warn',
    note,
    images: (spec.template?.spec?.containers ?? []).map((item) => item.image ?? '').filter(Boolean),
    selector: spec.selector?.matchLabels ?? {},
  };
}

/** An image with its digest cut to what tells it apart. */
export const shortImage = (image: string): string => image.replace(/@sha256:([0-9a-f]{12})[0-9a-f]+$/, '@$1');
