import { isRecord } from '@kind-e2e/kube-api';
import { recordsIn } from '../admission/pod-parts.ts';
import type { ApiContext } from '../api-context.ts';
import { kubeletTarget } from '../streams/kubelet-target.ts';
import { openRequest } from '../streams/pass-request.ts';

type Json = Record<string, unknown>;

/** CPU and memory of something, as the kubelet's summary has them. */
export interface Usage {
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
  readonly time: string;
}

export interface PodUsage {
  readonly namespace: string;
  readonly name: string;
  readonly containers: readonly (Usage & { readonly name: string })[];
}

export interface NodeSummary {
  readonly node: Usage | undefined;
  readonly pods: readonly PodUsage[];
}

const TIMEOUT_MS = 3_000;
const MAX_SUMMARY_BYTES = 8 << 20;

/** `/stats/summary` of a node's kubelet; undefined where it does not answer. */
export async function nodeSummary(
  context: ApiContext,
  node: string,
  signal: AbortSignal,
): Promise<NodeSummary | undefined> {
  const timeout = new AbortController();
  const timer = context.clock.after(TIMEOUT_MS, () => timeout.abort());
  try {
    const target = kubeletTarget(context, node, '/stats/summary');
    const answer = await openRequest(target, 'GET', {}, undefined, AbortSignal.any([signal, timeout.signal]));
    if (answer.statusCode !== 200) {
      answer.resume();
      return undefined;
    }
    let text = '';
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.length > MAX_SUMMARY_BYTES) return undefined;
    }
    return readSummary(JSON.parse(text));
  } catch (error) {
    context.logger.debug('no summary from a kubelet', { node, error });
    return undefined;
  } finally {
    timer[Symbol.dispose]();
  }
}

function readSummary(value: unknown): NodeSummary | undefined {
  if (!isRecord(value)) return undefined;
  return {
    node: isRecord(value.node) ? usageOf(value.node) : undefined,
    pods: recordsIn(value, 'pods').map((pod) => {
      const reference = isRecord(pod.podRef) ? pod.podRef : {};
      return {
        namespace: String(reference.namespace ?? ''),
        name: String(reference.name ?? ''),
        containers: recordsIn(pod, 'containers').flatMap((container) => {
          const usage = usageOf(container);
          return usage ? [{ name: String(container.name ?? ''), ...usage }] : [];
        }),
      };
    }),
  };
}

function usageOf(stats: Json): Usage | undefined {
  const cpu = isRecord(stats.cpu) ? stats.cpu : undefined;
  const memory = isRecord(stats.memory) ? stats.memory : undefined;
  if (!cpu || !memory) return undefined;
  return {
    cpuNanoCores: Number(cpu.usageNanoCores ?? 0),
    memoryBytes: Number(memory.workingSetBytes ?? memory.rssBytes ?? 0),
    time: String(cpu.time ?? memory.time ?? ''),
  };
}
