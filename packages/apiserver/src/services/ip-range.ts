/** A range of IPv4 addresses. */
export interface IpRange {
  readonly first: number;
  readonly size: number;
  readonly cidr: string;
}

/** Throws a RangeError for what is no IPv4 CIDR. */
export function parseIpRange(cidr: string): IpRange {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr);
  const base = addressNumber(match?.[1] ?? '');
  const bits = Number(match?.[2] ?? -1);
  if (base === undefined || bits < 8 || bits > 30)
    throw new RangeError(`"${cidr}" is not an IPv4 CIDR between /8 and /30`);
  const size = 2 ** (32 - bits);
  return { first: base - (base % size), size, cidr };
}

export function addressNumber(address: string): number | undefined {
  const parts = address.split('.');
  if (parts.length !== 4) return undefined;
  let number = 0;
  for (const part of parts) {
    const value = Number(part);
    if (!/^\d{1,3}$/.test(part) || value > 255) return undefined;
    number = number * 256 + value;
  }
  return number;
}

export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
