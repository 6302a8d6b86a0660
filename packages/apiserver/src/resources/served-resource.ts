import type {
  FieldError,
  JsonSchemaProps,
  KubeObject,
  PrinterColumn,
  ResourceDefinition,
  StructSchema,
} from '@kind-e2e/kube-api';
import type { ScalePaths } from '../subresources/scale.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** A body made into an object of its kind. */
export interface Decoded {
  readonly object: KubeObject;
  /** `unknown field "spec.nope"`, where the client asked to be warned. */
  readonly warnings: readonly string[];
}

/** What is particular to the objects of one resource; kinds of our own and custom resources each have one. */
export interface ResourceBehavior {
  /**
   * Turns parsed JSON into an object of this kind, without defaults; throws a `DecodeProblem` where it is none.
   * `duplicates` are strict errors of the text itself.
   */
  decode(raw: unknown, validation: FieldValidation, old?: KubeObject, duplicates?: readonly string[]): Decoded;
  /** Fills what clients leave open, in place; safe to run again. */
  setDefaults(object: KubeObject): void;
  /** Sets what clients may not set (rest.RESTCreateStrategy.PrepareForCreate). */
  prepareForCreate(object: KubeObject): void;
  validateCreate(object: KubeObject): readonly FieldError[];
  /** Keeps what this kind of update may not touch, and counts the generation (RESTUpdateStrategy.PrepareForUpdate). */
  prepareForUpdate(object: KubeObject, old: KubeObject, subresource: string): void;
  validateUpdate(object: KubeObject, old: KubeObject, subresource: string): readonly FieldError[];
  /** Messages that the client gets as `Warning` headers, of an object that is created or replaces `old`. */
  warnings(object: KubeObject, old?: KubeObject): readonly string[];
  /** Values of the supported field selectors; undefined for a field that is not supported. */
  field(object: KubeObject, path: string): string | undefined;
  supportsField(path: string): boolean;
  /** What a selector by a field that is not supported is told. */
  fieldProblem(path: string): string;
  /** The structure of this kind, for patches and server-side apply; undefined where it is not known. */
  schema(): StructSchema | undefined;
}

/** One resource in one version, as it is served. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  /** `v1`, `apps/v1` */
  readonly apiVersion: string;
  /** The collection its objects are kept in: `pods`, `apps/deployments`. */
  readonly collection: string;
  readonly isCustom: boolean;
  readonly behavior: ResourceBehavior;
  /** Present where the served version is not the stored one. */
  readonly conversion?: VersionConversion;
  /** Where a custom resource keeps what its Scale shows. */
  readonly scalePaths?: ScalePaths;
  /** What every answer warns of, where the version should not be used any more. */
  readonly deprecation?: string;
  /** Printer columns of a custom resource. */
  readonly columns?: readonly PrinterColumn[];
  /** The CRD's schema, for OpenAPI. */
  readonly openApiSchema?: JsonSchemaProps;
}

export interface VersionConversion {
  toServed(stored: KubeObject): KubeObject;
  toStored(served: KubeObject): KubeObject;
}
