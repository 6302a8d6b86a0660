/**
 * One description of structure for everything that walks objects: decoding, pruning, patches, server-side apply, OpenAPI.
 * Built-in types come from the generated table, custom resources from their CRD (`crdSchema`).
 */
export type ScalarType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  | 'boolean'
  | 'time'
  | 'micro-time'
  | 'quantity'
  | 'int-or-string'
  | 'bytes';

/** A struct with named fields. */
export interface StructSchema {
  readonly kind: 'struct';
  /** Definition without `io.k8s.`: `api.core.v1.PodSpec`; absent in custom resources. */
  readonly name?: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  /** Server-side apply owns it as one value. */
  readonly atomic: boolean;
  /** Unknown fields are kept (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserveUnknown: boolean;
  /** Has apiVersion, kind and metadata of its own. */
  readonly isObject: boolean;
}

export interface MapSchema {
  readonly kind: 'map';
  readonly values: Schema;
  readonly atomic: boolean;
}

export interface ListSchema {
  readonly kind: 'list';
  readonly items: Schema;
  readonly listType: 'atomic' | 'set' | 'map';
  readonly mapKeys: readonly string[];
}

export interface ScalarSchema {
  readonly kind: 'scalar';
  readonly type: ScalarType;
}

/** Anything: RawExtension, JSON, FieldsV1, and what a CRD leaves open. `atomic` where apply does not look inside. */
export interface AnySchema {
  readonly kind: 'any';
  readonly atomic: boolean;
}

export type Schema = StructSchema | MapSchema | ListSchema | ScalarSchema | AnySchema;

export interface FieldSchema {
  readonly name: string;
  readonly schema: Schema;
  /** No `omitempty` in Go: written even when zero. */
  readonly required: boolean;
  /** A pointer to a scalar in Go: zero is a value. */
  readonly pointer: boolean;
  /** Written even when absent: a struct that is no pointer. */
  readonly always: boolean;
  /** Strategic merge: `merge` (by `mergeKey`, or a set of primitives) or `replace`. */
  readonly patchStrategy: 'merge' | 'replace';
  readonly retainKeys: boolean;
  /** Strategic merge takes the patch's struct instead of merging into the live one (`patchStrategy=replace`). */
  readonly replaceWhole: boolean;
  readonly mergeKey?: string;
  /** A default that server-side apply uses for list keys (`protocol`: TCP). */
  readonly keyDefault?: unknown;
}
