import type { PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import { isSameJson } from '../equality.ts';

export const POD_TEMPLATE_HASH = 'pod-template-hash';

/** Letters without vowels and easily confused digits (apimachinery util/rand SafeEncodeString). */
const SAFE_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * A short hash of a value, of the form that upstream's hashes have: 32-bit FNV-1a in safe letters. Upstream hashes Go's
 * memory dump, so the letters differ from a real cluster's; what counts is that equal values have equal hashes.
 */
export function hashOf(value: unknown, collisionCount?: number): string {
  let hash = 0x811c9dc5;
  const text = canonicalJson(value) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  for (const byte of Buffer.from(text)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return safeEncode(String(hash));
}

/** Each character replaced by a safe letter. */
export function safeEncode(text: string): string {
  return [...text].map((char) => SAFE_LETTERS[char.charCodeAt(0) % SAFE_LETTERS.length]).join('');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Whether two templates are equal but for the hash label (deploymentutil.EqualIgnoreHash). */
export function isSameTemplate(left: PodTemplateSpec | undefined, right: PodTemplateSpec | undefined): boolean {
  return isSameJson(withoutHash(left), withoutHash(right));
}

function withoutHash(template: PodTemplateSpec | undefined): unknown {
  if (!template) return {};
  const { creationTimestamp: _, labels, annotations, ...metadata } = template.metadata ?? {};
  const { [POD_TEMPLATE_HASH]: __, ...otherLabels } = labels ?? {};
  return {
    spec: template.spec,
    metadata: { ...metadata, labels: otherLabels, annotations: annotations ?? {} },
  };
}
