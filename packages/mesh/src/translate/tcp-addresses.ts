import { createHash } from 'node:crypto';
import type { AddressPlan } from '@kind-e2e/base';
import type { PodInfo } from './workload-info.ts';

/** Hosts of a /16 that are given out; .0 and .255 endings are left alone. */
const PER_THIRD_OCTET = 254;

/**
 * Gives each sidecar an address for each service with TCP ports. An address depends on pod address and host, so that it
 * mostly stays over a restart; what was given stays while it is asked for.
 */
export class TcpAddresses {
  readonly #prefixes: readonly string[];
  readonly #given = new Map<string, string>();
  readonly #taken = new Set<string>();
  #asked = new Set<string>();

  constructor(plan: AddressPlan) {
    this.#prefixes = plan.tcpOutboundCidrs.map((cidr) => cidr.split('.').slice(0, 2).join('.'));
  }

  /** Forgets what was not asked for since the last call. */
  endRound(): void {
    for (const [key, address] of this.#given) {
      if (this.#asked.has(key)) continue;
      this.#given.delete(key);
      this.#taken.delete(address);
    }
    this.#asked = new Set();
  }

  addressFor(pod: PodInfo, host: string): string {
    const key = `${pod.address}|${host}`;
    this.#asked.add(key);
    const known = this.#given.get(key);
    if (known !== undefined) return known;
    const size = this.#prefixes.length * 256 * PER_THIRD_OCTET;
    const start = createHash('sha256').update(key).digest().readUInt32BE(0) % size;
    for (let step = 0; step < size; step++) {
      const address = this.#at((start + step) % size);
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      this.#given.set(key, address);
      return address;
    }
    throw new Error('no address is left for TCP services');
  }

  #at(index: number): string {
    const prefix = this.#prefixes[Math.floor(index / (256 * PER_THIRD_OCTET))];
    const rest = index % (256 * PER_THIRD_OCTET);
    return `${prefix}.${Math.floor(rest / PER_THIRD_OCTET)}.${1 + (rest % PER_THIRD_OCTET)}`;
  }
}
