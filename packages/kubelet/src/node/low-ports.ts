import { readFileSync } from 'node:fs';

/** Where `preload/low-ports.cjs` puts a port that ordinary users may not have. */
const SHIFT = 64_000;
const UNPRIVILEGED_START = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
const DEFAULT_START = 1024;

/** The first port that any user may listen on; ports below it are shifted. 0 when there are none (ip-sysctl.rst). */
export function readLowPortLimit(): number {
  try {
    const start = Number(readFileSync(UNPRIVILEGED_START, 'utf8'));
    return Number.isInteger(start) ? Math.min(start, DEFAULT_START) : DEFAULT_START;
  } catch {
    // Not Linux: the customary limit holds.
    return DEFAULT_START;
  }
}

/** The port of the machine that stands for `port` of a pod or service address. */
export function socketPort(port: number, limit: number): number {
  return port > 0 && port < limit ? port + SHIFT : port;
}
