/**
 * What all versions of a CRD have alike: inside, Kubernetes keeps it above the versions, and errors name it there
 * (`spec.validation`, apiextensions/v1 `conversion.go`).
 */
import { recordAt } from '../values/access.ts';
import { type JsonRecord, jsonEquals } from '../values/json.ts';

export type CrdPart = 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields';

const PARTS: readonly CrdPart[] = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'];

export function sharedParts(versions: readonly JsonRecord[]): ReadonlySet<CrdPart> {
  const [first] = versions;
  if (first === undefined) return new Set();
  return new Set(PARTS.filter((part) => versions.every((one) => jsonEquals(one[part] ?? null, first[part] ?? null))));
}

export function schemaOf(version: JsonRecord): JsonRecord | undefined {
  return recordAt(recordAt(version, 'schema'), 'openAPIV3Schema');
}
