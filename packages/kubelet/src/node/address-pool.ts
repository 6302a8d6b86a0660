/** Gives out the addresses of a node's podCIDR, a `/24`, in turn, so that one that was freed is not used again at once. */
export class AddressPool {
  readonly #prefix: string;
  readonly #used = new Map<number, string>();
  #next = 1;

  constructor(podCidr: string) {
    const match = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(podCidr);
    if (match?.[1] === undefined) throw new RangeError(`podCidr "${podCidr}" is not of the form a.b.c.0/24`);
    this.#prefix = match[1];
  }

  /** Undefined when all 254 are taken. */
  allocate(owner: string): string | undefined {
    for (let tried = 0; tried < 254; tried++) {
      const host = this.#next;
      this.#next = host === 254 ? 1 : host + 1;
      if (this.#used.has(host)) continue;
      this.#used.set(host, owner);
      return `${this.#prefix}.${host}`;
    }
    return undefined;
  }

  /** Takes an address that a pod has from before. */
  reserve(address: string, owner: string): void {
    const host = this.#hostOf(address);
    if (host === undefined) return;
    this.#used.set(host, owner);
    this.#next = host === 254 ? 1 : Math.max(this.#next, host + 1);
    if (this.#next > 254) this.#next = 1;
  }

  release(address: string, owner: string): void {
    const host = this.#hostOf(address);
    if (host !== undefined && this.#used.get(host) === owner) this.#used.delete(host);
  }

  #hostOf(address: string): number | undefined {
    const dot = address.lastIndexOf('.');
    return address.slice(0, dot) === this.#prefix ? Number(address.slice(dot + 1)) : undefined;
  }
}
