/** The quality of service class of a pod (`pkg/apis/core/v1/helper/qos`). */
import { recordAt, recordsAt, stringAt } from '../values/access.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';
import { compareQuantities, parseQuantity, type Quantity } from '../values/quantity.ts';

export type QosClass = 'BestEffort' | 'Burstable' | 'Guaranteed';

const RESOURCES = ['cpu', 'memory'];

function positive(list: unknown): Map<string, Quantity> {
  const out = new Map<string, Quantity>();
  if (!isRecord(list)) return out;
  for (const name of RESOURCES) {
    const value = list[name];
    const quantity = typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined;
    if (quantity !== undefined && quantity.nano > 0n) out.set(name, quantity);
  }
  return out;
}

/** `status.qosClass` where it is set, else computed from requests and limits. */
export function qosClassOf(pod: JsonRecord): QosClass {
  const set = stringAt(recordAt(pod, 'status'), 'qosClass');
  if (set === 'BestEffort' || set === 'Burstable' || set === 'Guaranteed') return set;
  return computeQosClass(pod);
}

export function computeQosClass(pod: JsonRecord): QosClass {
  const spec = recordAt(pod, 'spec');
  const own = recordAt(spec, 'resources');
  const parts =
    own !== undefined && (isRecord(own.requests) || isRecord(own.limits))
      ? [own]
      : [...recordsAt(spec, 'containers'), ...recordsAt(spec, 'initContainers')].map((container) =>
          recordAt(container, 'resources'),
        );
  const requests = new Map<string, bigint>();
  const limits = new Map<string, bigint>();
  let isGuaranteed = true;
  for (const part of parts) {
    for (const [name, value] of positive(part?.requests)) requests.set(name, (requests.get(name) ?? 0n) + value.nano);
    const found = positive(part?.limits);
    for (const [name, value] of found) limits.set(name, (limits.get(name) ?? 0n) + value.nano);
    if (found.size !== RESOURCES.length) isGuaranteed = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  if (isGuaranteed)
    for (const [name, nano] of requests) {
      const limit = limits.get(name);
      if (
        limit === undefined ||
        compareQuantities({ nano, format: 'DecimalSI' }, { nano: limit, format: 'DecimalSI' }) !== 0
      )
        isGuaranteed = false;
    }
  return isGuaranteed && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
}
