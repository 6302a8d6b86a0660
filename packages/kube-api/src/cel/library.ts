/** Kubernetes' extensions of CEL (`apiserver/pkg/cel/library`), sets and optional values. */
import { hasFormat } from '../crd/formats.ts';
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
  maskTrailingDash,
} from '../validation/names.ts';
import {
  type IpAddress,
  type IpNetwork,
  ipText,
  maskedNetwork,
  networkContains,
  parseIpAddress,
  parseIpNetwork,
} from '../values/ip-network.ts';
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from '../values/quantity.ts';
import { AUTHORIZER_FUNCTIONS } from './authorizer.ts';
import { compareSemver, isSemver, parseSemver, type Semver } from './semver.ts';
import {
  CelError,
  CelMap,
  celCompare,
  celEquals,
  cidrOf,
  Duration,
  ipOf,
  noSuchOverload,
  Opaque,
  Optional,
  QUANTITY,
  Uint,
  type Value,
} from './values.ts';

type Function = (args: readonly Value[]) => Value;

const NANO = 1_000_000_000n;
const URL_TYPE = 'kubernetes.URL';
const SEMVER = 'kubernetes.Semver';
const FORMAT = 'kubernetes.NamedFormat';

function text(value: Value | undefined): string {
  if (typeof value !== 'string') throw noSuchOverload();
  return value;
}

function list(value: Value | undefined): readonly Value[] {
  if (!Array.isArray(value)) throw noSuchOverload();
  return value;
}

function quantity(value: Value | undefined): Quantity {
  if (typeof value === 'bigint') return { nano: value * NANO, format: 'DecimalSI' };
  if (!(value instanceof Opaque) || value.type !== QUANTITY) throw noSuchOverload();
  return value.kernel as Quantity;
}

function semver(value: Value | undefined): Semver {
  if (!(value instanceof Opaque) || value.type !== SEMVER) throw noSuchOverload();
  return value.kernel as Semver;
}

/** Compares two quantities or two versions. */
function compareOpaque([left, right]: readonly Value[]): number {
  if (left instanceof Opaque && left.type === SEMVER) return compareSemver(semver(left), semver(right));
  return compareQuantities(quantity(left), quantity(right));
}

function ip(value: Value | undefined): IpAddress {
  const found = value === undefined ? undefined : ipOf(value);
  if (found === undefined) throw noSuchOverload();
  return found;
}

function cidr(value: Value | undefined): IpNetwork {
  const found = value === undefined ? undefined : cidrOf(value);
  if (found === undefined) throw noSuchOverload();
  return found;
}

function toIp([value]: readonly Value[]): Value {
  const network = value === undefined ? undefined : cidrOf(value);
  if (network) return new Opaque('kubernetes.IP', network.address);
  const parsed = isPlainIp(text(value));
  if (parsed === undefined)
    throw new CelError(
      `IP Address ${JSON.stringify(value)} parse error during conversion from string: ParseAddr(${JSON.stringify(value)}): unable to parse IP`,
    );
  return new Opaque('kubernetes.IP', parsed);
}

/** IPv4 in IPv6 and zones are refused. */
function isPlainIp(source: string): IpAddress | undefined {
  const parsed = parseIpAddress(source);
  return parsed?.family === 6 && parsed.bits >> 32n === 0xffffn ? undefined : parsed;
}

function toCidr(value: Value | undefined): IpNetwork {
  if (typeof value !== 'string') return cidr(value);
  const parsed = parseIpNetwork(value);
  if (parsed === undefined)
    throw new CelError(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(value)}): no '/'`,
    );
  return parsed;
}

function parsedUrl(source: string): URL | undefined {
  // Absolute with a host, or a path: what url.ParseRequestURI takes.
  if (source.startsWith('/')) return URL.canParse(source, 'none://none') ? new URL(source, 'none://none') : undefined;
  return /^[a-z][a-z0-9+.-]*:/i.test(source) && URL.canParse(source) ? new URL(source) : undefined;
}

interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;
}

function urlParts(source: string): UrlParts | undefined {
  const parsed = parsedUrl(source);
  if (parsed === undefined) return undefined;
  const isPath = source.startsWith('/');
  // The URL class drops default ports; Go keeps what is written.
  const authority = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(source)?.[1] ?? '';
  const port = /:(\d*)$/.exec(authority.replace(/^\[[^\]]*\]/, ''))?.[1] ?? '';
  const hostname = authority.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
  const written = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(source)?.[1] ?? '';
  return {
    scheme: isPath ? '' : parsed.protocol.replace(/:$/, ''),
    host: isPath ? '' : authority,
    hostname: isPath ? '' : hostname,
    port: isPath ? '' : port,
    path: written,
    query: parsed.search.replace(/^\?/, ''),
  };
}

function url(value: Value | undefined): UrlParts {
  if (!(value instanceof Opaque) || value.type !== URL_TYPE) throw noSuchOverload();
  return value.kernel as UrlParts;
}

function extreme(wants: (order: number) => boolean, word: string): Function {
  return ([value]) => {
    const entries = list(value);
    let best = entries[0];
    if (best === undefined) throw new CelError(`${word} called on empty list`);
    for (const entry of entries) if (wants(celCompare(entry, best))) best = entry;
    return best;
  };
}

function sum([value]: readonly Value[]): Value {
  const entries = list(value);
  const [first] = entries;
  if (first === undefined) return 0n;
  if (typeof first === 'number') return entries.reduce<number>((total, entry) => total + Number(entry), 0);
  const total = (pick: (entry: Value) => bigint): bigint =>
    entries.reduce<bigint>((left, entry) => left + pick(entry), 0n);
  if (first instanceof Uint) return new Uint(total((entry) => (entry instanceof Uint ? entry.value : 0n)));
  if (first instanceof Duration) return new Duration(total((entry) => (entry instanceof Duration ? entry.nanos : 0n)));
  const result = total((entry) => (typeof entry === 'bigint' ? entry : 0n));
  if (result >= 1n << 63n || result < -(1n << 63n)) throw new CelError('integer overflow');
  return result;
}

const includes = (container: readonly Value[], wanted: readonly Value[]): boolean =>
  wanted.every((one) => container.some((other) => celEquals(one, other)));

const prefixOf =
  (check: (name: string) => string[]): ((name: string) => string[]) =>
  (name) =>
    check(maskTrailingDash(name));

const schemaFormat =
  (format: string, message: string): ((value: string) => string[]) =>
  (value) =>
    hasFormat(format, value) ? [] : [message];

/** `library/format.go`: what each named format says of a string. */
const FORMATS: Readonly<Record<string, (value: string) => string[]>> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  dns1123LabelPrefix: prefixOf(isDns1123Label),
  dns1123SubdomainPrefix: prefixOf(isDns1123Subdomain),
  dns1035LabelPrefix: prefixOf(isDns1035Label),
  labelValue: isLabelValue,
  uri: (value) => (parsedUrl(value) === undefined ? [`parse ${JSON.stringify(value)}: invalid URI for request`] : []),
  uuid: schemaFormat('uuid', 'does not match the UUID format'),
  byte: schemaFormat('byte', 'invalid base64'),
  date: schemaFormat('date', 'invalid date'),
  datetime: schemaFormat('date-time', 'invalid datetime'),
};

const formats: Readonly<Record<string, Function>> = Object.fromEntries(
  Object.keys(FORMATS).map((name) => [`format.${name}`, (): Value => new Opaque(FORMAT, name)]),
);

function isZero(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return value instanceof CelMap && value.entries.size === 0;
}

const ofIp =
  (test: (address: IpAddress) => boolean): Function =>
  ([value]) =>
    test(ip(value));

const within = (family: 4 | 6, network: string): ((address: IpAddress) => boolean) => {
  const parsed = parseIpNetwork(network);
  return (address) => address.family === family && parsed !== undefined && networkContains(parsed, address);
};
const any =
  (...tests: readonly ((address: IpAddress) => boolean)[]): ((address: IpAddress) => boolean) =>
  (address) =>
    tests.some((test) => test(address));
const isUnspecified = (address: IpAddress): boolean => address.bits === 0n;
const isLoopback = any(within(4, '127.0.0.0/8'), within(6, '::1/128'));
const isLinkLocalMulticast = any(within(4, '224.0.0.0/24'), within(6, 'ff02::/16'));
const isLinkLocalUnicast = any(within(4, '169.254.0.0/16'), within(6, 'fe80::/10'));
const isMulticast = any(within(4, '224.0.0.0/4'), within(6, 'ff00::/8'));
const isGlobalUnicast = (address: IpAddress): boolean =>
  !isUnspecified(address) &&
  !isLoopback(address) &&
  !isMulticast(address) &&
  !isLinkLocalUnicast(address) &&
  !(address.family === 4 && address.bits === 0xffffffffn);

export const LIBRARY: Readonly<Record<string, Function>> = {
  ...AUTHORIZER_FUNCTIONS,
  'jsonpatch.escapeKey': ([value]) => text(value).replaceAll('~', '~0').replaceAll('/', '~1'),
  'sets.contains': ([left, right]) => includes(list(left), list(right)),
  'sets.equivalent': ([left, right]) => includes(list(left), list(right)) && includes(list(right), list(left)),
  'sets.intersects': ([left, right]) => list(left).some((one) => list(right).some((other) => celEquals(one, other))),
  'optional.of': ([value]) => new Optional(value),
  'optional.none': () => new Optional(undefined),
  'optional.ofNonZeroValue': ([value]) => new Optional(value === undefined || isZero(value) ? undefined : value),
  hasValue: ([value]) => value instanceof Optional && value.value !== undefined,
  value: ([value]) => {
    if (!(value instanceof Optional)) throw noSuchOverload();
    if (value.value === undefined) throw new CelError('optional.none() dereference');
    return value.value;
  },
  isSorted: ([value]) => {
    const entries = list(value);
    return entries.every((entry, index) => index === 0 || celCompare(entries[index - 1] as Value, entry) <= 0);
  },
  sum,
  min: extreme((order) => order < 0, 'min'),
  max: extreme((order) => order > 0, 'max'),
  indexOf: ([value, wanted]) => BigInt(list(value).findIndex((entry) => celEquals(entry, wanted as Value))),
  lastIndexOf: ([value, wanted]) => BigInt(list(value).findLastIndex((entry) => celEquals(entry, wanted as Value))),
  url: ([value]) => {
    const parts = urlParts(text(value));
    if (parts === undefined)
      throw new CelError(
        `URL parse error during conversion from string: parse ${JSON.stringify(value)}: invalid URI for request`,
      );
    return new Opaque(URL_TYPE, parts);
  },
  isURL: ([value]) => urlParts(text(value)) !== undefined,
  getScheme: ([value]) => url(value).scheme,
  getHost: ([value]) => url(value).host,
  getHostname: ([value]) => url(value).hostname,
  getPort: ([value]) => url(value).port,
  getEscapedPath: ([value]) => url(value).path,
  getQuery: ([value]) => {
    const values = new Map<string, string[]>();
    for (const [key, entry] of new URLSearchParams(url(value).query)) {
      const known = values.get(key);
      if (known) known.push(entry);
      else values.set(key, [entry]);
    }
    return new CelMap(values);
  },
  quantity: ([value]) => {
    const parsed = parseQuantity(text(value));
    if (parsed === undefined)
      throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return new Opaque(QUANTITY, parsed);
  },
  isQuantity: ([value]) => parseQuantity(text(value)) !== undefined,
  isInteger: ([value]) => quantity(value).nano % NANO === 0n && quantity(value).nano / NANO < 1n << 63n,
  asInteger: ([value]) => {
    const { nano } = quantity(value);
    if (nano % NANO !== 0n) throw new CelError('cannot convert value to integer');
    return nano / NANO;
  },
  asApproximateFloat: ([value]) => Number(quantity(value).nano) / 1e9,
  sign: ([value]) => {
    const { nano } = quantity(value);
    return nano > 0n ? 1n : nano < 0n ? -1n : 0n;
  },
  add: ([left, right]) => new Opaque(QUANTITY, addQuantities(quantity(left), quantity(right))),
  sub: ([left, right]) => new Opaque(QUANTITY, subtractQuantities(quantity(left), quantity(right))),
  isGreaterThan: (args) => compareOpaque(args) > 0,
  isLessThan: (args) => compareOpaque(args) < 0,
  compareTo: (args) => BigInt(Math.sign(compareOpaque(args))),
  ip: toIp,
  isIP: ([value]) => isPlainIp(text(value)) !== undefined,
  'ip.isCanonical': ([value]) => {
    const parsed = toIp([text(value)]);
    return ipText(ip(parsed)) === value;
  },
  family: ([value]) => BigInt(ip(value).family),
  isUnspecified: ofIp(isUnspecified),
  isLoopback: ofIp(isLoopback),
  isLinkLocalMulticast: ofIp(isLinkLocalMulticast),
  isLinkLocalUnicast: ofIp(isLinkLocalUnicast),
  isGlobalUnicast: ofIp(isGlobalUnicast),
  cidr: ([value]) => new Opaque('kubernetes.CIDR', toCidr(value)),
  isCIDR: ([value]) => parseIpNetwork(text(value)) !== undefined,
  containsIP: ([value, other]) => networkContains(cidr(value), ip(typeof other === 'string' ? toIp([other]) : other)),
  containsCIDR: ([value, other]) => {
    const inner = toCidr(other);
    return networkContains(cidr(value), inner.address) && inner.prefix >= cidr(value).prefix;
  },
  masked: ([value]) => new Opaque('kubernetes.CIDR', maskedNetwork(cidr(value))),
  prefixLength: ([value]) => BigInt(cidr(value).prefix),
  semver: ([value, normalize]) => {
    const parsed = parseSemver(text(value), normalize === true);
    if (typeof parsed === 'string') throw new CelError(parsed);
    return new Opaque(SEMVER, parsed);
  },
  isSemver: ([value, normalize]) => isSemver(text(value), normalize === true),
  major: ([value]) => semver(value).major,
  minor: ([value]) => semver(value).minor,
  patch: ([value]) => semver(value).patch,
  'format.named': ([value]) =>
    new Optional(Object.hasOwn(FORMATS, text(value)) ? new Opaque(FORMAT, value) : undefined),
  ...formats,
  validate: ([format, value]) => {
    if (!(format instanceof Opaque) || format.type !== FORMAT) throw noSuchOverload();
    const problems = FORMATS[String(format.kernel)]?.(text(value)) ?? [];
    return new Optional(problems.length === 0 ? undefined : problems);
  },
};
