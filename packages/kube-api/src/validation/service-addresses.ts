/** IPAddress and ServiceCIDR of networking.k8s.io (`pkg/apis/networking/validation`). */
import { type FieldError, goQuote, invalidValue, requiredValue } from '../errors/field-error.ts';
import { recordAt, stringAt, stringsAt } from '../values/access.ts';
import { ipText, parseIpAddress, parseIpNetwork } from '../values/ip-network.ts';
import type { JsonRecord } from '../values/json.ts';
import { IMMUTABLE, immutableField, invalidMessages } from './field-rules.ts';
import { cidrProblem, ipProblem } from './ip.ts';
import { isDns1123Subdomain } from './names.ts';
import { pathSegmentName } from './object-meta.ts';

const specOf = (object: JsonRecord): JsonRecord => recordAt(object, 'spec') ?? {};

/** The name of an IPAddress is the address, in its canonical form (`IsValidIP`). */
export function ipAddressName(name: string): readonly string[] {
  const problems = ipProblem(name, '').map(({ detail }) => detail);
  const parsed = parseIpAddress(name);
  if (problems.length > 0 || parsed === undefined || ipText(parsed) === name) return problems;
  return [`must be in canonical form (${goQuote(ipText(parsed))})`];
}

export function validateIpAddress(object: JsonRecord): FieldError[] {
  const field = 'spec.parentRef';
  const parent = recordAt(specOf(object), 'parentRef');
  if (parent === undefined) return [requiredValue(field)];
  const out: FieldError[] = [];
  const group = stringAt(parent, 'group');
  if (group !== '') out.push(...invalidMessages(`${field}.group`, group, isDns1123Subdomain(group)));
  for (const name of ['resource', 'name', 'namespace']) {
    const value = stringAt(parent, name);
    if (value !== '') out.push(...invalidMessages(`${field}.${name}`, value, pathSegmentName(value, false)));
    else if (name !== 'namespace') out.push(requiredValue(`${field}.${name}`));
  }
  return out;
}

export function validateIpAddressUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const parent = recordAt(specOf(object), 'parentRef');
  const shown = parent && {
    Group: stringAt(parent, 'group'),
    Resource: stringAt(parent, 'resource'),
    Namespace: stringAt(parent, 'namespace'),
    Name: stringAt(parent, 'name'),
  };
  return immutableField(parent, specOf(old).parentRef, 'spec.parentRef', shown);
}

export function validateServiceCidr(object: JsonRecord): FieldError[] {
  const field = 'spec.cidrs';
  const cidrs = stringsAt(specOf(object), 'cidrs');
  if (cidrs.length === 0) return [requiredValue(field, 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalidValue(field, { CIDRs: cidrs }, 'may only hold up to 2 values')];
  const out = cidrs.flatMap((cidr, index) => canonicalCidr(cidr, `${field}[${index}]`));
  const families = cidrs.map((cidr) => parseIpNetwork(cidr)?.address.family);
  if (families.length === 2 && families[0] !== undefined && families[0] === families[1])
    out.push(
      invalidValue(
        field,
        cidrs,
        'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ),
    );
  return out;
}

/** `IsValidCIDR` */
function canonicalCidr(cidr: string, field: string): FieldError[] {
  const problems = cidrProblem(cidr, field);
  const network = parseIpNetwork(cidr);
  if (problems.length > 0 || network === undefined) return problems;
  const text = `${ipText(network.address)}/${network.prefix}`;
  return text === cidr ? [] : [invalidValue(field, cidr, `must be in canonical form (${goQuote(text)})`)];
}

/** A network may be added for the other family; none may change. */
export function validateServiceCidrUpdate(object: JsonRecord, old: JsonRecord): FieldError[] {
  const field = 'spec.cidrs';
  const cidrs = stringsAt(specOf(object), 'cidrs');
  const before = stringsAt(specOf(old), 'cidrs');
  const changed = (count: number): FieldError[] =>
    cidrs
      .slice(0, count)
      .flatMap((cidr, index) => (cidr === before[index] ? [] : [invalidValue(`${field}[${index}]`, cidr, IMMUTABLE)]));
  if (cidrs.length === before.length) return changed(cidrs.length);
  if (before.length === 1 && cidrs.length === 2) return [...changed(1), ...validateServiceCidr(object)];
  return [invalidValue(field, cidrs, IMMUTABLE)];
}
