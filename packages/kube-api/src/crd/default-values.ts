/** Defaults of a CRD's schema (`apiserver/schema/defaulting`). */

import type { JsonSchemaProps } from '../schema/crd-schema.ts';
import { copyJson, isRecord, type JsonRecord, setOwn } from '../values/json.ts';

/** Fills defaults in place; a null where null is not allowed counts as absent. */
export function defaultCustomResource(props: JsonSchemaProps | undefined, object: JsonRecord): void {
  if (props !== undefined) fill(props, object);
}

function fill(props: JsonSchemaProps, value: unknown): void {
  if (Array.isArray(value)) {
    const items = props.items;
    if (items === undefined) return;
    for (const [index, entry] of value.entries())
      if (entry === null && items.default !== undefined && items.nullable !== true)
        value[index] = copyJson(items.default);
    for (const entry of value) fill(items, entry);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, child] of Object.entries(props.properties ?? {})) {
    const own = Object.hasOwn(value, key) ? value[key] : undefined;
    if (child.default !== undefined && (own === undefined || (own === null && child.nullable !== true)))
      setOwn(value, key, copyJson(child.default));
    else if (own === null && child.nullable !== true) delete value[key];
  }
  for (const key of Object.keys(value)) {
    const child =
      props.properties !== undefined && Object.hasOwn(props.properties, key) ? props.properties[key] : undefined;
    if (child !== undefined) fill(child, value[key]);
    else if (typeof props.additionalProperties === 'object') {
      const additional = props.additionalProperties;
      if (value[key] === null && additional.default !== undefined && additional.nullable !== true)
        value[key] = copyJson(additional.default);
      fill(additional, value[key]);
    }
  }
}
