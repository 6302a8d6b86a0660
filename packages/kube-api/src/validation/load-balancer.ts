/** What load balancers wrote into the status of Services and Ingresses (`ValidateLoadBalancerStatus`). */
import {
  type FieldError,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../errors/field-error.ts';
import { recordAt, recordsAt, stringAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { invalidMessages } from './field-rules.ts';
import { ipProblem, isIp } from './ip.ts';
import { isDns1123Subdomain } from './names.ts';

export function validateServiceStatus(object: JsonRecord): FieldError[] {
  const ingress = recordsAt(recordAt(recordAt(object, 'status'), 'loadBalancer'), 'ingress');
  if (ingress.length > 0 && stringAt(recordAt(object, 'spec'), 'type') !== 'LoadBalancer')
    return [forbiddenValue('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'")];
  const out: FieldError[] = [];
  for (const [index, entry] of ingress.entries()) {
    const path = `status.loadBalancer.ingress[${index}]`;
    const ip = stringAt(entry, 'ip');
    const mode = entry.ipMode;
    if (ip !== '') out.push(...ipProblem(ip, `${path}.ip`));
    if (mode === undefined || mode === null) {
      if (ip !== '') out.push(requiredValue(`${path}.ipMode`, 'must be specified when `ip` is set'));
    } else if (ip === '') out.push(forbiddenValue(`${path}.ipMode`, 'may not be specified when `ip` is not set'));
    else if (mode !== 'VIP' && mode !== 'Proxy') out.push(unsupportedValue(`${path}.ipMode`, mode, ['Proxy', 'VIP']));
    out.push(...hostnameProblems(entry, path));
  }
  return out;
}

export function validateIngressStatus(object: JsonRecord): FieldError[] {
  const out: FieldError[] = [];
  const entries = recordsAt(recordAt(recordAt(object, 'status'), 'loadBalancer'), 'ingress');
  for (const [index, entry] of entries.entries()) {
    const path = `status.loadBalancer.ingress[${index}]`;
    const ip = stringAt(entry, 'ip');
    if (ip !== '') out.push(...ipProblem(ip, `${path}.ip`));
    out.push(...hostnameProblems(entry, path));
  }
  return out;
}

function hostnameProblems(entry: JsonRecord, path: string): FieldError[] {
  const hostname = stringAt(entry, 'hostname');
  if (hostname === '') return [];
  const out = invalidMessages(`${path}.hostname`, hostname, isDns1123Subdomain(hostname));
  if (isIp(hostname)) out.push(invalidValue(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  return out;
}
