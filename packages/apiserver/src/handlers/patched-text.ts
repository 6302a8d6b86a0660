import { isRecord } from '@kind-e2e/kube-api';

/**
 * The patched document as the JSON patch library of upstream (evanphx/json-patch) writes it: objects that the patch
 * touched have their members sorted, all others are as they were sent.
 */
export function patchedText(patched: unknown, patch: unknown): string {
  return JSON.stringify(Array.isArray(patch) ? sortTop(patched) : sortTouched(patched, patch));
}

function sortTouched(value: unknown, patch: unknown): unknown {
  if (!isRecord(value) || !isRecord(patch)) return value;
  return sorted(value, (name) => sortTouched(value[name], patch[name]));
}

function sortTop(value: unknown): unknown {
  return isRecord(value) ? sorted(value, (name) => value[name]) : value;
}

function sorted(value: Record<string, unknown>, member: (name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, member(name)]),
  );
}
