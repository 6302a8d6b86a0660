/** Resources of a pod as a whole (`validatePodResources`, KEP-2837). */
import { type FieldError, forbiddenValue, invalidValue } from '../../errors/field-error.ts';
import { recordAt, recordsAt } from '../../values/access.ts';
import type { JsonRecord } from '../../values/json.ts';
import { compareQuantities, formatQuantity, type Quantity } from '../../values/quantity.ts';
import { podResourceName, quantityOf, validateResources } from './resources.ts';

type Amounts = Map<string, Quantity>;

function add(amounts: Amounts, more: Amounts): void {
  for (const [name, quantity] of more) {
    const old = amounts.get(name);
    amounts.set(name, old === undefined ? quantity : { ...old, nano: old.nano + quantity.nano });
  }
}

function most(amounts: Amounts, others: Amounts): void {
  for (const [name, quantity] of others) {
    const old = amounts.get(name);
    if (old === undefined || compareQuantities(quantity, old) > 0) amounts.set(name, quantity);
  }
}

function requestsOf(container: JsonRecord): Amounts {
  const out: Amounts = new Map();
  for (const [name, value] of Object.entries(recordAt(recordAt(container, 'resources'), 'requests') ?? {})) {
    const quantity = quantityOf(value);
    if (quantity !== undefined) out.set(name, quantity);
  }
  return out;
}

/** What all containers need at the moment they need most (`AggregateContainerRequests`). */
function aggregateRequests(spec: JsonRecord): Amounts {
  const total: Amounts = new Map();
  for (const container of recordsAt(spec, 'containers')) add(total, requestsOf(container));
  const sidecars: Amounts = new Map();
  const initial: Amounts = new Map();
  for (const container of recordsAt(spec, 'initContainers')) {
    const requests = requestsOf(container);
    if (container.restartPolicy === 'Always') {
      add(total, requests);
      add(sidecars, requests);
      most(initial, sidecars);
      continue;
    }
    const now: Amounts = new Map(sidecars);
    add(now, requests);
    most(initial, now);
  }
  most(total, initial);
  return total;
}

export function validatePodResources(spec: JsonRecord, claims: ReadonlySet<string>, field: string): FieldError[] {
  const resources = recordAt(spec, 'resources');
  if (resources === undefined) return [];
  const out: FieldError[] = [];
  if (resources.claims !== undefined)
    out.push(forbiddenValue(`${field}.claims`, 'claims cannot be set for Resources at pod-level'));
  out.push(...validateResources(resources, field, claims, podResourceName));
  const requests = recordAt(resources, 'requests');
  for (const [name, needed] of aggregateRequests(spec)) {
    const given = quantityOf(requests?.[name] ?? '0') ?? needed;
    if (compareQuantities(needed, given) > 0)
      out.push(
        invalidValue(
          `${field}.requests[${name}]`,
          formatQuantity(given),
          `must be greater than or equal to aggregate container requests of ${formatQuantity(needed)}`,
        ),
      );
  }
  const limits = recordAt(resources, 'limits') ?? {};
  for (const [index, container] of recordsAt(spec, 'containers').entries())
    for (const [name, value] of Object.entries(recordAt(recordAt(container, 'resources'), 'limits') ?? {})) {
      const limit = quantityOf(value);
      const pod = quantityOf(limits[name]);
      if (limit !== undefined && pod !== undefined && compareQuantities(limit, pod) > 0)
        out.push(
          invalidValue(
            `${field}.containers[${index}][${name}].limits`,
            formatQuantity(limit),
            `must be less than or equal to pod limits of ${formatQuantity(pod)}`,
          ),
        );
    }
  return out;
}
