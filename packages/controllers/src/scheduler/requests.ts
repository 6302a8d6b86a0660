import { parseQuantity, quantityMilliValue, quantityValue } from '@kind-e2e/kube-api';
import type { Container, Node, Pod } from 'kubernetes-types/core/v1.d.ts';

/** Amounts by resource: `cpu` in thousandths, all others in whole units. */
export type Amounts = ReadonlyMap<string, number>;

/** What a container without requests counts as in scores, so that empty pods spread too (util/pod_resources.go). */
const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

const parsed = new Map<string, number>();
const PARSED_LIMIT = 1000;

/** The amount of a quantity's text; the same few texts come again and again, so they are kept. */
export function amountOf(resource: string, text: string | number): number {
  const key = `${resource === 'cpu' ? 'm' : 'u'}${text}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const quantity = parseQuantity(text);
  const amount = quantity ? (resource === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity)) : 0;
  if (parsed.size >= PARSED_LIMIT) parsed.clear();
  parsed.set(key, amount);
  return amount;
}

export function amountsOf(resources: Readonly<Record<string, string | number>> | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [resource, text] of Object.entries(resources ?? {})) amounts.set(resource, amountOf(resource, text));
  return amounts;
}

export interface PodRequests {
  readonly amounts: Amounts;
  /** cpu and memory with defaults for containers that ask for none; for scores only. */
  readonly nonZeroCpu: number;
  readonly nonZeroMemory: number;
}

const cache = new WeakMap<Pod, PodRequests>();

/**
 * What a pod asks of a node: containers and sidecars together, or the most that init needs, whichever is more, and the
 * overhead (component-helpers resource.PodRequests).
 */
export function requestsOf(pod: Pod): PodRequests {
  let requests = cache.get(pod);
  if (!requests) {
    requests = compute(pod);
    cache.set(pod, requests);
  }
  return requests;
}

function compute(pod: Pod): PodRequests {
  const running = new Map<string, number>();
  const init = new Map<string, number>();
  const sidecars = new Map<string, number>();
  let nonZeroCpu = 0;
  let nonZeroMemory = 0;
  const countNonZero = (container: Container): void => {
    const { cpu, memory } = container.resources?.requests ?? {};
    nonZeroCpu += cpu === undefined ? DEFAULT_MILLI_CPU : amountOf('cpu', cpu);
    nonZeroMemory += memory === undefined ? DEFAULT_MEMORY : amountOf('memory', memory);
  };
  for (const container of pod.spec?.containers ?? []) {
    add(running, amountsOf(container.resources?.requests));
    countNonZero(container);
  }
  for (const container of pod.spec?.initContainers ?? []) {
    const own = amountsOf(container.resources?.requests);
    if (container.restartPolicy === 'Always') {
      add(sidecars, own);
      countNonZero(container);
      for (const [resource, amount] of sidecars) init.set(resource, Math.max(init.get(resource) ?? 0, amount));
      continue;
    }
    for (const [resource, amount] of own)
      init.set(resource, Math.max(init.get(resource) ?? 0, amount + (sidecars.get(resource) ?? 0)));
  }
  add(running, sidecars);
  for (const [resource, amount] of init) running.set(resource, Math.max(running.get(resource) ?? 0, amount));
  add(running, amountsOf(pod.spec?.overhead));
  return { amounts: running, nonZeroCpu, nonZeroMemory };
}

function add(to: Map<string, number>, from: Amounts): void {
  for (const [resource, amount] of from) to.set(resource, (to.get(resource) ?? 0) + amount);
}

const allocatable = new WeakMap<Node, Amounts>();

export function allocatableOf(node: Node): Amounts {
  let amounts = allocatable.get(node);
  if (!amounts) {
    amounts = amountsOf(node.status?.allocatable ?? node.status?.capacity);
    allocatable.set(node, amounts);
  }
  return amounts;
}
