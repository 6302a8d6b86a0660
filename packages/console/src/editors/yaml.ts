import { LineCounter, parse, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import type { KubeObject } from '../api/kubernetes.ts';

const editable = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** An object as YAML without what only the server writes (managedFields). */
export function toYaml(object: KubeObject): string {
  const { managedFields: _managed, ...metadata } = object.metadata;
  const { apiVersion, kind, metadata: _old, ...rest } = object;
  return stringify({ apiVersion, kind, metadata, ...rest }, { lineWidth: 0 });
}

/** The object of an edited text; throws with the parser's line, or with the field that is missing. */
export function fromYaml(text: string): KubeObject {
  const value: unknown = parse(text);
  const parsed = editable.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`${issue?.path.join('.') || 'The document'}: ${issue?.message ?? 'is not an object'}`);
  }
  const { status: _status, ...object } = parsed.data;
  const {
    managedFields: _m,
    resourceVersion: _r,
    uid: _u,
    creationTimestamp: _c,
    generation: _g,
    ...metadata
  } = object.metadata as Record<string, unknown>;
  return { ...object, metadata } as KubeObject;
}

/** The line (from 1) at which a path stands in a YAML text; of its nearest parent when it is not there. */
export function lineOfPath(text: string, path: readonly (string | number)[]): number {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return counter.linePos(node.range[0]).line;
  }
  return 1;
}
