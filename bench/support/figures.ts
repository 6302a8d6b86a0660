import type { Lab } from '@kind-e2e/lab';

/** What lies between the last work and a figure of memory: time for garbage to be collected. */
const SETTLE_MS = 5_000;

export interface FigureContext {
  readonly target?: string;
  /** What the real system, or the nearest peer, takes. */
  readonly peer?: number;
}

/** One line: what, how much, the target, the peer's figure, and how many times the peer's it would take. Less is better. */
export function figure(what: string, value: number, { target, peer }: FigureContext = {}): void {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  const goal = target === undefined ? '' : `(target ${target})`;
  const ratio = peer === undefined ? '' : `peer ${peer}, × ${(peer / value).toFixed(1)}`;
  console.log(`${what.padEnd(54)}${value.toFixed(digits).padStart(9)}  ${goal.padEnd(16)}${ratio}`.trimEnd());
}

/** PSS in MB of one process of the lab, a while after the last work. */
export async function memoryOf(lab: Lab, name: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const found = (await lab.processes()).find((process) => process.name === name);
  if (!found) throw new Error(`the lab has no process ${name}`);
  return found.pssBytes / 1e6;
}
