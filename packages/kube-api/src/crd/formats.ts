/** The string formats that apiextensions knows (`apiserver/validation/formats.go`); unknown ones pass. */

import { isCidr, isIpv4, isIpv6 } from '../validation/ip.ts';
import { isDns1123Subdomain } from '../validation/names.ts';
import { parseGoDuration } from '../values/duration.ts';
import { parseRfc3339 } from '../values/time.ts';

const CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  'date-time': (value) => parseRfc3339(value) !== undefined,
  datetime: (value) => parseRfc3339(value) !== undefined,
  date: (value) => parseRfc3339(`${value}T00:00:00Z`) !== undefined,
  duration: (value) => parseGoDuration(value) !== undefined,
  ipv4: isIpv4,
  ipv6: isIpv6,
  cidr: isCidr,
  uuid: (value) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value),
  byte: (value) => /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0,
  email: (value) => /^[^@\s]+@[^@\s]+$/.test(value),
  hostname: (value) => isDns1123Subdomain(value.toLowerCase()).length === 0,
  uri: (value) => URL.canParse(value) || value.startsWith('/'),
  mac: (value) => /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value),
};

/** True where the value has the format. */
export function hasFormat(format: string, value: string): boolean {
  return CHECKS[format]?.(value) ?? true;
}
