import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isRecord,
  type KubeObject,
  parseQuantity,
  type Quantity,
} from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import { type Json, recordsIn } from './pod-parts.ts';

export type Resources = Map<string, Quantity>;

const ZERO: Quantity = { nano: 0n, format: 'DecimalSI' };

/** A quantity that was validated before; what is none counts as nothing. */
export function quantityOf(text: unknown): Quantity {
  return (typeof text === 'string' || typeof text === 'number' ? parseQuantity(text) : undefined) ?? ZERO;
}

/** What a pod asks for and may use: its containers and sidecars together, or its largest init container (component-helpers/resource). */
export function podResources(pod: KubeObject): { requests: Resources; limits: Resources } {
  const spec = sectionOf(pod, 'spec');
  const part = (name: 'requests' | 'limits'): Resources => {
    const total: Resources = new Map();
    for (const container of recordsIn(spec, 'containers')) add(total, amounts(container, name));
    const sidecars: Resources = new Map();
    const peak: Resources = new Map();
    for (const container of recordsIn(spec, 'initContainers')) {
      if (container.restartPolicy === 'Always') {
        add(total, amounts(container, name));
        add(sidecars, amounts(container, name));
        continue;
      }
      const now: Resources = new Map(sidecars);
      add(now, amounts(container, name));
      raise(peak, now);
    }
    raise(total, peak);
    const own = isRecord(spec.resources) ? spec.resources[name] : undefined;
    if (isRecord(own)) for (const [resource, amount] of Object.entries(own)) total.set(resource, quantityOf(amount));
    if (isRecord(spec.overhead))
      for (const [resource, amount] of Object.entries(spec.overhead))
        if (name === 'requests' || total.has(resource)) add(total, new Map([[resource, quantityOf(amount)]]));
    return total;
  };
  return { requests: part('requests'), limits: part('limits') };
}

function amounts(container: Json, name: 'requests' | 'limits'): Resources {
  const resources = isRecord(container.resources) ? container.resources[name] : undefined;
  return new Map(
    isRecord(resources) ? Object.entries(resources).map(([key, amount]) => [key, quantityOf(amount)]) : [],
  );
}

export function add(total: Resources, more: Resources): void {
  for (const [name, amount] of more) total.set(name, addQuantities(total.get(name) ?? ZERO, amount));
}

function raise(total: Resources, least: Resources): void {
  for (const [name, amount] of least)
    if (compareQuantities(amount, total.get(name) ?? ZERO) > 0) total.set(name, amount);
}

/** Resources as texts. */
export function addedResources(resources: Resources): Record<string, string> {
  return Object.fromEntries([...resources].map(([name, amount]) => [name, formatQuantity(amount)]));
}
