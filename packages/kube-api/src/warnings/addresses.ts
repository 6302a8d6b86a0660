/** Warnings about addresses that are not written as they should be (`util/validation/ip.go`). */
import { goQuote } from '../errors/field-error.ts';
import { isMappedIpv4, sloppyAddress, sloppyNetwork } from '../validation/ip.ts';
import { type IpNetwork, ipText, maskedNetwork, parseIpAddress, parseIpNetwork } from '../values/ip-network.ts';

/** A mapped address is shown as the IPv4 address it is, as `net.IP.String` shows it. */
function plainText(address: Parameters<typeof ipText>[0]): string {
  return isMappedIpv4(address) ? ipText({ family: 4, bits: address.bits & 0xffff_ffffn }) : ipText(address);
}

const networkText = ({ address, prefix }: IpNetwork): string => `${ipText(address)}/${prefix}`;

/** `GetWarningsForIP`. */
export function ipWarnings(text: string, field: string): string[] {
  const sloppy = sloppyAddress(text);
  if (sloppy === undefined) return [];
  const strict = parseIpAddress(text);
  if (strict === undefined || isMappedIpv4(strict))
    return [
      `${field}: non-standard IP address ${goQuote(text)} will be considered invalid in a future Kubernetes release: use ${goQuote(plainText(sloppy))}`,
    ];
  if (strict.family === 6 && ipText(strict) !== text)
    return [
      `${field}: IPv6 address ${goQuote(text)} should be in RFC 5952 canonical format (${goQuote(ipText(strict))})`,
    ];
  return [];
}

/** `GetWarningsForCIDR`. */
export function cidrWarnings(text: string, field: string): string[] {
  const sloppy = sloppyNetwork(text);
  if (sloppy === undefined) return [];
  const masked = maskedNetwork(sloppy);
  const out: string[] = [];
  if (masked.address.bits !== sloppy.address.bits) {
    const single = networkText({ address: sloppy.address, prefix: sloppy.address.family === 4 ? 32 : 128 });
    out.push(
      `${field}: CIDR value ${goQuote(text)} is ambiguous in this context (should be ${goQuote(networkText(masked))} or ${goQuote(single)}?)`,
    );
  }
  const strict = parseIpNetwork(text);
  if (strict === undefined || isMappedIpv4(strict.address))
    out.push(
      `${field}: non-standard CIDR value ${goQuote(text)} will be considered invalid in a future Kubernetes release: use ${goQuote(networkText(masked))}`,
    );
  else if (out.length === 0 && strict.address.family === 6 && networkText(strict) !== text)
    out.push(
      `${field}: IPv6 CIDR value ${goQuote(text)} should be in RFC 5952 canonical format (${goQuote(networkText(strict))})`,
    );
  return out;
}
