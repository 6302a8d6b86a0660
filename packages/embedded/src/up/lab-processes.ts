import { readFileSync } from 'node:fs';
import { containerProcesses } from '../supervisor/container-processes.ts';
import { isRunning } from '../supervisor/process-identity.ts';
import { readRunState } from '../supervisor/run-file.ts';

/** One process of a lab and what it costs. */
export interface LabProcess {
  readonly pid: number;
  /** `supervisor`, `control-plane`, or `namespace/pod/container`; with ` (launcher)` for the shell that waits for it. */
  readonly name: string;
  /** Proportional set size in bytes: its own memory plus its part of what it shares. */
  readonly pssBytes: number;
  /** CPU time used so far, milliseconds. */
  readonly cpuMs: number;
}

const MS_PER_TICK = 10;

/** Every process of a running lab, by what /proc tells; empty where there is no /proc. */
export async function labProcesses(dataDir: string): Promise<readonly LabProcess[]> {
  const state = await readRunState(dataDir);
  const named = new Map<number, string>();
  if (state.supervisor && isRunning(state.supervisor)) named.set(state.supervisor.pid, 'supervisor');
  if (state.controlPlane && isRunning(state.controlPlane)) named.set(state.controlPlane.pid, 'control-plane');
  for (const { pid, name, isLauncher } of containerProcesses(dataDir))
    named.set(pid, isLauncher ? `${name} (launcher)` : name);
  const processes: LabProcess[] = [];
  for (const [pid, name] of named) {
    const pssBytes = pssOf(pid);
    if (pssBytes !== undefined) processes.push({ pid, name, pssBytes, cpuMs: cpuOf(pid) });
  }
  return processes;
}

function pssOf(pid: number): number | undefined {
  try {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return found ? Number(found[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
}

function cpuOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return 0;
  }
}
