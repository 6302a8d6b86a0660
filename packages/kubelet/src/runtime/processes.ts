import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '@kind-e2e/base';
import { systemCodeOf } from '@kind-e2e/base';

/** A process by number and start time: a number that was given out anew is another process. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot on Linux (proc(5), starttime), the text of `ps -o lstart` elsewhere. */
  readonly startTime: string;
}

/** What proc(5) says of a process. */
export interface ProcessStat extends ProcessIdentity {
  readonly parent: number;
  readonly session: number;
  readonly state: string;
  /** User and system time in milliseconds. */
  readonly cpuMs: number;
}

/** USER_HZ is 100 on every Linux that Node.js runs on. */
const MS_PER_TICK = 10;
const PAGE_BYTES = 4096;

/** Reads one line of `/proc/<pid>/stat`; the command may hold spaces and parentheses, so fields count from the last `)`. */
export function parseProcessStat(line: string): ProcessStat | undefined {
  const end = line.lastIndexOf(')');
  const pid = Number.parseInt(line, 10);
  if (end < 0 || !Number.isInteger(pid)) return undefined;
  const fields = line.slice(end + 2).split(' ');
  const [state, parent, , session] = fields;
  const startTime = fields[19];
  if (state === undefined || startTime === undefined) return undefined;
  return {
    pid,
    state,
    parent: Number(parent),
    session: Number(session),
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    startTime,
  };
}

export function readProcess(pid: number): ProcessStat | undefined {
  try {
    if (process.platform === 'linux') return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    const line = execFileSync('ps', ['-o', 'ppid=,sess=,stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    }).trim();
    const match = /^(\d+)\s+(\S+)\s+(\S+)\s+(.+)$/.exec(line);
    if (!match) return undefined;
    const [, parent, , state = '', startTime = ''] = match;
    return { pid, parent: Number(parent), session: 0, state: state.slice(0, 1), cpuMs: 0, startTime };
  } catch {
    return undefined;
  }
}

/** Whether the very process runs; a zombie does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = readProcess(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.state !== 'Z' && now.state !== 'X';
}

/** Sends a signal to the very process. False when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  return trySignal(identity.pid, signal);
}

function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ESRCH' || systemCodeOf(error) === 'EPERM') return false;
    throw error;
  }
}

/** Resident memory that belongs to the process alone (anonymous pages), in bytes: what a cgroup would charge it with. */
export function privateMemoryOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return Math.max(0, Number(fields[1]) - Number(fields[2])) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** Resident memory of the process, pages shared with others included, in bytes. */
export function residentMemoryOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** All processes of this machine, read at most once per `maxAgeMs` however many kubelets ask. */
export class ProcessTable {
  readonly #clock: Clock;
  #readAt = Number.NEGATIVE_INFINITY;
  #bySession = new Map<number, ProcessStat[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Processes of a session: a container's main process with what it started. */
  ofSession(session: number, maxAgeMs: number): readonly ProcessStat[] {
    if (this.#clock.monotonic() - this.#readAt > maxAgeMs) this.#read();
    return this.#bySession.get(session) ?? [];
  }

  #read(): void {
    this.#readAt = this.#clock.monotonic();
    this.#bySession = new Map();
    if (process.platform !== 'linux') return;
    for (const name of readdirSync('/proc')) {
      const first = name.charCodeAt(0);
      if (first < 48 || first > 57) continue;
      const stat = readProcess(Number(name));
      if (!stat || stat.state === 'Z') continue;
      const known = this.#bySession.get(stat.session);
      if (known) known.push(stat);
      else this.#bySession.set(stat.session, [stat]);
    }
  }
}

/** Processes that must go with a container: those of its session, and those whose environment carries its id. */
export function findStragglers(session: number, marker: string): ProcessStat[] {
  if (process.platform !== 'linux') return [];
  const found: ProcessStat[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 48 || first > 57) continue;
    const stat = readProcess(Number(name));
    if (!stat || stat.state === 'Z' || stat.pid === process.pid) continue;
    if (stat.session === session || hasInEnvironment(stat.pid, marker)) found.push(stat);
  }
  return found;
}

function hasInEnvironment(pid: number, marker: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker);
  } catch {
    return false;
  }
}
