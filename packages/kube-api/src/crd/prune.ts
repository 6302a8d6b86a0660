/** Unknown fields of custom resources go away (`apiserver/schema/pruning`). */

import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { isRecord, type JsonRecord } from '../values/json.ts';

const ROOT = new Set(['apiVersion', 'kind', 'metadata']);

/** Prunes in place; gives the paths of what it took (`spec.unknown`), sorted. metadata, apiVersion and kind stay. */
export function pruneCustomResource(props: JsonSchemaProps | undefined, object: JsonRecord): string[] {
  const paths: string[] = [];
  if (props !== undefined) prune(props, object, '', true, paths);
  return paths.sort();
}

/** Prunes a value that stands anywhere in an object, in place. */
export function pruneValue(props: JsonSchemaProps, value: unknown): void {
  prune(props, value, '', false, []);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function prune(props: JsonSchemaProps, value: unknown, path: string, isRoot: boolean, paths: string[]): void {
  if (Array.isArray(value)) {
    const items = props.items;
    if (items === undefined) {
      if (props['x-kubernetes-preserve-unknown-fields'] !== true)
        for (const [index, entry] of value.entries()) prune({}, entry, `${path}[${index}]`, false, paths);
      return;
    }
    for (const [index, entry] of value.entries()) prune(items, entry, `${path}[${index}]`, false, paths);
    return;
  }
  if (!isRecord(value)) return;
  const keepsUnknown = props['x-kubernetes-preserve-unknown-fields'] === true;
  const isResource = isRoot || props['x-kubernetes-embedded-resource'] === true;
  for (const key of Object.keys(value)) {
    if (isResource && ROOT.has(key)) continue;
    const child = props.properties?.[key];
    if (child !== undefined && Object.hasOwn(props.properties ?? {}, key)) {
      prune(child, value[key], join(path, key), false, paths);
      continue;
    }
    const additional = props.additionalProperties;
    if (typeof additional === 'object') prune(additional, value[key], join(path, key), false, paths);
    else if (additional === true) continue;
    else if (!keepsUnknown) {
      delete value[key];
      paths.push(join(path, key));
    }
  }
}
