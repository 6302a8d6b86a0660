import { cpus, loadavg } from 'node:os';
import type { ContainerSlot } from '../pods/container-slot.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { privateMemoryOf, residentMemoryOf } from '../runtime/processes.ts';
import type { KubeletServerOptions } from './server.ts';

/** What a container takes: CPU time in all, memory now. */
export interface ContainerUsage {
  readonly cpuMs: number;
  /** Memory that is the container's own: what a limit counts. */
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly processes: number;
}

const TABLE_AGE_MS = 1_000;
const PAUSE_BYTES = 0;

/** CPU time of processes that have ended is lost with them; a container's main process is most of it. */
export function usageOf(slot: ContainerSlot, options: KubeletServerOptions): ContainerUsage {
  const { record } = slot;
  if (!record?.launcher) return { cpuMs: 0, workingSetBytes: PAUSE_BYTES, rssBytes: PAUSE_BYTES, processes: 0 };
  let cpuMs = 0;
  let workingSetBytes = 0;
  let rssBytes = 0;
  const processes = options.context.shared.processes.ofSession(record.launcher.pid, TABLE_AGE_MS);
  for (const each of processes) {
    cpuMs += each.cpuMs;
    workingSetBytes += privateMemoryOf(each.pid);
    rssBytes += residentMemoryOf(each.pid);
  }
  return { cpuMs, workingSetBytes, rssBytes, processes: processes.length };
}

interface Sample {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly nanoCores: number;
}

const samples = new WeakMap<ContainerSlot, Sample>();
const MIN_WINDOW_MS = 500;

/** CPU use between the last look and this one, in billionths of a core. */
function nanoCoresOf(slot: ContainerSlot, cpuMs: number, nowMs: number): number {
  const before = samples.get(slot) ?? { atMs: slot.record?.startedAt ?? nowMs, cpuMs: 0, nanoCores: 0 };
  const passed = nowMs - before.atMs;
  if (passed < MIN_WINDOW_MS) return before.nanoCores;
  const nanoCores = Math.max(0, Math.round(((cpuMs - before.cpuMs) / passed) * 1e9));
  samples.set(slot, { atMs: nowMs, cpuMs, nanoCores });
  return nanoCores;
}

/** `/stats/summary` (k8s.io/kubelet stats/v1alpha1). */
export function statsSummary(options: KubeletServerOptions): object {
  const nowMs = options.context.clock.now();
  const time = new Date(nowMs).toISOString();
  let nodeNanoCores = 0;
  let nodeCpuMs = 0;
  let nodeBytes = 0;
  const pods = [...options.workers().values()].map((worker) => {
    const containers = running(worker).map((slot) => {
      const usage = usageOf(slot, options);
      const nanoCores = nanoCoresOf(slot, usage.cpuMs, nowMs);
      nodeNanoCores += nanoCores;
      nodeCpuMs += usage.cpuMs;
      nodeBytes += usage.workingSetBytes;
      return {
        name: slot.spec.name,
        startTime: new Date(slot.record?.startedAt ?? nowMs).toISOString(),
        cpu: cpuStats(time, nanoCores, usage.cpuMs),
        memory: memoryStats(time, usage.workingSetBytes, usage.rssBytes),
      };
    });
    const sum = (pick: (entry: (typeof containers)[number]) => number): number =>
      containers.reduce((total, entry) => total + pick(entry), 0);
    return {
      podRef: {
        name: worker.pod.metadata?.name,
        namespace: worker.pod.metadata?.namespace,
        uid: worker.uid,
      },
      startTime: worker.pod.status?.startTime ?? time,
      containers,
      cpu: cpuStats(
        time,
        sum((entry) => entry.cpu.usageNanoCores),
        sum((entry) => entry.cpu.usageCoreNanoSeconds) / 1e6,
      ),
      memory: memoryStats(
        time,
        sum((entry) => entry.memory.workingSetBytes),
        sum((entry) => entry.memory.rssBytes),
      ),
    };
  });
  return {
    node: {
      nodeName: options.context.nodeName,
      startTime: time,
      cpu: cpuStats(time, nodeNanoCores, nodeCpuMs),
      memory: memoryStats(time, nodeBytes, nodeBytes),
      systemContainers: [],
    },
    pods,
  };
}

function cpuStats(time: string, usageNanoCores: number, cpuMs: number) {
  return { time, usageNanoCores, usageCoreNanoSeconds: Math.round(cpuMs * 1e6) };
}

function memoryStats(time: string, workingSetBytes: number, rssBytes: number) {
  return { time, usageBytes: workingSetBytes, workingSetBytes, rssBytes, pageFaults: 0, majorPageFaults: 0 };
}

function running(worker: PodWorker): ContainerSlot[] {
  return worker.slots.filter((slot) => slot.isRunning);
}

class Families {
  readonly #lines = new Map<string, string[]>();

  add(name: string, type: string, help: string, labels: Record<string, string>, value: number, atMs?: number): void {
    let lines = this.#lines.get(name);
    if (!lines) {
      lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
      this.#lines.set(name, lines);
    }
    const text = Object.entries(labels)
      .map(
        ([key, label]) => `${key}="${label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
      )
      .join(',');
    lines.push(`${name}${text === '' ? '' : `{${text}}`} ${value}${atMs === undefined ? '' : ` ${atMs}`}`);
  }

  toString(): string {
    return `${[...this.#lines.values()].flat().join('\n')}\n`;
  }
}

/** `/metrics/resource` (kubernetes pkg/kubelet/metrics/collectors/resource_metrics.go). */
export function resourceMetrics(options: KubeletServerOptions): string {
  const families = new Families();
  const nowMs = options.context.clock.now();
  let nodeCpuMs = 0;
  let nodeBytes = 0;
  for (const worker of options.workers().values()) {
    const { name: pod = '', namespace = '' } = worker.pod.metadata ?? {};
    let podCpuMs = 0;
    let podBytes = 0;
    for (const slot of running(worker)) {
      const usage = usageOf(slot, options);
      podCpuMs += usage.cpuMs;
      podBytes += usage.workingSetBytes;
      const labels = { container: slot.spec.name, namespace, pod };
      families.add(
        'container_cpu_usage_seconds_total',
        'counter',
        '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
        labels,
        usage.cpuMs / 1000,
        nowMs,
      );
      families.add(
        'container_memory_working_set_bytes',
        'gauge',
        '[STABLE] Current working set of the container in bytes',
        labels,
        usage.workingSetBytes,
        nowMs,
      );
      families.add(
        'container_start_time_seconds',
        'gauge',
        '[STABLE] Start time of the container since unix epoch in seconds',
        labels,
        (slot.record?.startedAt ?? nowMs) / 1000,
      );
    }
    nodeCpuMs += podCpuMs;
    nodeBytes += podBytes;
    families.add(
      'pod_cpu_usage_seconds_total',
      'counter',
      '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
      { namespace, pod },
      podCpuMs / 1000,
      nowMs,
    );
    families.add(
      'pod_memory_working_set_bytes',
      'gauge',
      '[STABLE] Current working set of the pod in bytes',
      { namespace, pod },
      podBytes,
      nowMs,
    );
  }
  families.add(
    'node_cpu_usage_seconds_total',
    'counter',
    '[STABLE] Cumulative cpu time consumed by the node in core-seconds',
    {},
    nodeCpuMs / 1000,
    nowMs,
  );
  families.add(
    'node_memory_working_set_bytes',
    'gauge',
    '[STABLE] Current working set of the node in bytes',
    {},
    nodeBytes,
    nowMs,
  );
  families.add(
    'resource_scrape_error',
    'gauge',
    '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
    {},
    0,
  );
  return families.toString();
}

/** The main families of `/metrics/cadvisor`, with cAdvisor's labels. */
export function cadvisorMetrics(options: KubeletServerOptions): string {
  const families = new Families();
  const nowMs = options.context.clock.now();
  for (const worker of options.workers().values()) {
    const { name: pod = '', namespace = '' } = worker.pod.metadata ?? {};
    for (const slot of running(worker)) {
      const usage = usageOf(slot, options);
      const labels = {
        container: slot.spec.name,
        id: `/kubepods/pod${worker.uid}/${slot.record?.id ?? ''}`,
        image: slot.record?.image ?? '',
        name: slot.record?.id ?? '',
        namespace,
        pod,
      };
      families.add(
        'container_cpu_usage_seconds_total',
        'counter',
        'Cumulative cpu time consumed in seconds.',
        { ...labels, cpu: 'total' },
        usage.cpuMs / 1000,
        nowMs,
      );
      families.add(
        'container_memory_usage_bytes',
        'gauge',
        'Current memory usage in bytes, including all memory regardless of when it was accessed',
        labels,
        usage.workingSetBytes,
        nowMs,
      );
      families.add(
        'container_memory_working_set_bytes',
        'gauge',
        'Current working set in bytes.',
        labels,
        usage.workingSetBytes,
        nowMs,
      );
      families.add('container_memory_rss', 'gauge', 'Size of RSS in bytes.', labels, usage.rssBytes, nowMs);
      families.add(
        'container_processes',
        'gauge',
        'Number of processes running inside the container.',
        labels,
        usage.processes,
        nowMs,
      );
      families.add(
        'container_start_time_seconds',
        'gauge',
        'Start time of the container since unix epoch in seconds.',
        labels,
        (slot.record?.startedAt ?? nowMs) / 1000,
      );
      families.add(
        'container_last_seen',
        'gauge',
        'Last time a container was seen by the exporter',
        labels,
        Math.round(nowMs / 1000),
        nowMs,
      );
    }
  }
  families.add('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.', {}, cpus().length);
  families.add('machine_load1', 'gauge', 'Load average of the last minute.', {}, loadavg()[0] ?? 0);
  return families.toString();
}
