/** IP addresses and CIDRs as the real server checks them (`util/validation/ip.go`). */
import { type FieldError, invalidValue } from '../errors/field-error.ts';
import { type IpAddress, type IpNetwork, maskedNetwork, parseIpAddress, parseIpNetwork } from '../values/ip-network.ts';
import { isRecord } from '../values/json.ts';

export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

export function isIpv6(text: string): boolean {
  if (!text.includes(':') || text.includes('%')) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups: string[] = [];
  for (const half of halves) if (half !== '') groups.push(...half.split(':'));
  let count = groups.length;
  const last = groups.at(-1);
  if (last?.includes('.')) {
    if (!isIpv4(last)) return false;
    groups.pop();
    count += 1;
  }
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}

export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** Octets with leading zeros made plain: how upstream read addresses before it became strict (`ParseIPSloppy`). */
function withoutLeadingZeros(text: string): string {
  return text.replace(/(^|[.:])0*(\d+)(?=\.|$)/g, (whole, mark: string, digits: string) =>
    text.includes('.') ? `${mark}${digits.replace(/^0+(?=\d)/, '')}` : whole,
  );
}

/** The address in text as upstream read it before it became strict: leading zeros are left out. */
export function sloppyAddress(text: string): IpAddress | undefined {
  return text.includes('%') ? undefined : parseIpAddress(withoutLeadingZeros(text));
}

/** The same for a network; `10.0.0.5/08` is `10.0.0.5/8`, host bits stay. */
export function sloppyNetwork(text: string): IpNetwork | undefined {
  const [address = '', bits, rest] = text.split('/');
  if (bits === undefined || rest !== undefined || !/^\d+$/.test(bits)) return undefined;
  const parsed = sloppyAddress(address);
  const prefix = Number(bits);
  if (parsed === undefined || prefix > (parsed.family === 4 ? 32 : 128)) return undefined;
  return { address: parsed, prefix };
}

/** `::ffff:10.0.0.1` (`netip.Addr.Is4In6`). */
export function isMappedIpv4({ family, bits }: IpAddress): boolean {
  return family === 6 && bits >> 32n === 0xffffn;
}

const LEADING_ZEROS = 'must not have leading 0s';
const MAPPED = 'must not be an IPv4-mapped IPv6 address';
const NETWORK_ZEROS = 'must not have leading 0s in IP or prefix length';
const MAPPED_NETWORK = 'must not have an IPv4-mapped IPv6 address';
const HOST_BITS = 'must not have bits set beyond the prefix length';
const STRICT: ReadonlySet<string> = new Set([LEADING_ZEROS, MAPPED, NETWORK_ZEROS, MAPPED_NETWORK, HOST_BITS]);

/** `IsValidIPForLegacyField` with `StrictIPCIDRValidation`, which is on from 1.36. */
export function ipProblem(text: string, field: string): FieldError[] {
  const sloppy = sloppyAddress(text);
  if (sloppy === undefined)
    return [invalidValue(field, text, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
  if (parseIpAddress(text) === undefined) return [invalidValue(field, text, LEADING_ZEROS)];
  return isMappedIpv4(sloppy) ? [invalidValue(field, text, MAPPED)] : [];
}

export function isCidr(text: string): boolean {
  const [address = '', bits, rest] = text.split('/');
  if (bits === undefined || rest !== undefined || !/^\d{1,3}$/.test(bits)) return false;
  return (isIpv4(address) && Number(bits) <= 32) || (isIpv6(address) && Number(bits) <= 128);
}

/** `IsValidCIDRForLegacyField` with `StrictIPCIDRValidation`. */
export function cidrProblem(text: string, field: string): FieldError[] {
  const sloppy = sloppyNetwork(text);
  if (sloppy === undefined)
    return [invalidValue(field, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
  if (parseIpNetwork(text) === undefined) return [invalidValue(field, text, NETWORK_ZEROS)];
  if (isMappedIpv4(sloppy.address)) return [invalidValue(field, text, MAPPED_NETWORK)];
  return maskedNetwork(sloppy).address.bits === sloppy.address.bits ? [] : [invalidValue(field, text, HOST_BITS)];
}

/** Without problems of addresses that the stored object has already: strictness is for new ones. */
export function forgiveOldAddresses(errors: readonly FieldError[], old: unknown): FieldError[] {
  if (!errors.some(({ detail }) => STRICT.has(detail))) return [...errors];
  const known = new Set<unknown>();
  const collect = (value: unknown): void => {
    if (typeof value === 'string') known.add(value.trim());
    else if (Array.isArray(value)) value.forEach(collect);
    else if (isRecord(value)) Object.values(value).forEach(collect);
  };
  collect(old);
  return errors.filter(({ detail, badValue }) => !STRICT.has(detail) || !known.has(badValue));
}
