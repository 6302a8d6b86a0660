import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';
import type { Finding } from './istio-checks.ts';

const status = z.looseObject({
  validationMessages: z
    .array(
      z.looseObject({
        type: z.looseObject({ code: z.string().catch(''), name: z.string().catch('') }).optional(),
        level: z.string().catch(''),
        message: z.string().optional(),
      }),
    )
    .catch([]),
});

type Path = (string | number)[];

/** The first place in a value where a scalar is the text. */
function placeOf(value: unknown, text: string, path: Path = []): Path | undefined {
  if (typeof value === 'string') return value === text ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [key, inner] of entries) {
    const found = placeOf(inner, text, [...path, key]);
    if (found) return found;
  }
  return undefined;
}

/**
 * What Istio's analysis wrote into the object's status (istio: meta/v1alpha1 IstioStatus, analysis/v1alpha1), on the field
 * whose value the message quotes. What `known` says of the same field already is not said twice.
 */
export function findingsOfStatus(object: KubeObject, known: readonly Finding[]): Finding[] {
  const messages = status.safeParse(object.status ?? {}).data?.validationMessages ?? [];
  const taken = new Set(known.map((finding) => finding.path.join('.')));
  return messages.flatMap((message): Finding[] => {
    const level = message.level.toUpperCase();
    if (level !== 'ERROR' && level !== 'WARNING') return [];
    const quoted = /"([^"]+)"/.exec(message.message ?? '')?.[1] ?? '';
    // A host and a subset are quoted as `host+subset`: the subset is the part that is missing.
    const texts = quoted.includes('+') ? quoted.split('+').reverse() : [quoted];
    const place = texts.map((text) => (text === '' ? undefined : placeOf(object.spec, text))).find(Boolean);
    const path: Path = ['spec', ...(place ?? [])];
    if (taken.has(path.join('.'))) return [];
    const words = message.message ?? message.type?.name ?? 'The analysis found a problem.';
    return [
      {
        severity: level === 'ERROR' ? 'error' : 'warning',
        message: `${message.type?.code ?? ''} ${words}`.trim(),
        path,
      },
    ];
  });
}
