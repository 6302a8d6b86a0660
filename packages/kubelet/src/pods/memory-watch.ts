import type { Clock } from '@kind-e2e/base';
import { parseQuantity, quantityValue } from '@kind-e2e/kube-api';
import { type ProcessTable, privateMemoryOf } from '../runtime/processes.ts';
import type { ContainerSlot } from './container-slot.ts';

const CALM_MS = 1_000;
const CLOSE_MS = 200;
/** From this part of its limit on, a container is looked at more often. */
const CLOSE_PART = 0.7;

/** Kills containers that take more memory than their limit, as the kernel would for a cgroup. */
export class MemoryWatch {
  readonly #clock: Clock;
  readonly #processes: ProcessTable;
  readonly #slots: () => readonly ContainerSlot[];
  #timer: Disposable | undefined;

  constructor(clock: Clock, processes: ProcessTable, slots: () => readonly ContainerSlot[]) {
    this.#clock = clock;
    this.#processes = processes;
    this.#slots = slots;
  }

  start(): void {
    this.#timer = this.#clock.after(this.#look(), () => this.start());
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]();
  }

  /** Looks once; gives when to look again. */
  #look(): number {
    let isClose = false;
    for (const slot of this.#slots()) {
      const text = slot.spec.resources?.limits?.memory;
      if (text === undefined || !slot.isRunning || !slot.record?.launcher) continue;
      const quantity = parseQuantity(text);
      const limit = quantity ? quantityValue(quantity) : 0;
      if (limit <= 0) continue;
      const used = memoryOf(slot, this.#processes, CLOSE_MS / 2);
      if (used > limit) slot.killForMemory();
      else if (used > limit * CLOSE_PART) isClose = true;
    }
    return isClose ? CLOSE_MS : CALM_MS;
  }
}

/** Memory of all processes of a container, in bytes. */
export function memoryOf(slot: ContainerSlot, processes: ProcessTable, maxAgeMs: number): number {
  const { record } = slot;
  if (!record?.launcher) return 0;
  let sum = 0;
  for (const each of processes.ofSession(record.launcher.pid, maxAgeMs)) sum += privateMemoryOf(each.pid);
  return sum;
}
