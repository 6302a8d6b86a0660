import { goQuote } from '../errors/field-error.ts';
import { recordAt } from '../values/access.ts';
import type { JsonRecord } from '../values/json.ts';
import { formatQuantity, parseQuantity } from '../values/quantity.ts';

const NANO = 1_000_000_000n;

/** Amounts of bytes that are no whole number (`pkg/api/pod/warnings.go`, `pkg/api/persistentvolumeclaim/util.go`). */
export function fractionalBytes(
  parent: JsonRecord | undefined,
  list: string,
  names: readonly string[],
  field: string,
): string[] {
  return names.flatMap((name) => {
    const value = recordAt(parent, list)?.[name];
    const quantity = typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined;
    if (quantity === undefined || quantity.nano % NANO === 0n) return [];
    return [
      `${field}.${list}[${name}]: fractional byte value ${goQuote(formatQuantity(quantity))} is invalid, must be an integer`,
    ];
  });
}

/** `GetWarningsForPersistentVolumeClaimSpec`. */
export function claimSpecWarnings(spec: JsonRecord | undefined, field: string): string[] {
  const resources = recordAt(spec, 'resources');
  return [
    ...fractionalBytes(resources, 'requests', ['storage'], `${field}.resources`),
    ...fractionalBytes(resources, 'limits', ['storage'], `${field}.resources`),
  ];
}
