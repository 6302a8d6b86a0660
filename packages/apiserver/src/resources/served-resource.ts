import type { FieldError, KubeObject, ResourceDefinition } from '@kind-e2e/kube-api';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** A body made into an object of its kind. */
export interface Decoded {
  readonly object: KubeObject;
  /** `unknown field "spec.nope"`, where the client asked to be warned. */
  readonly warnings: readonly string[];
}

/** What is particular to the objects of one resource; kinds of our own and custom resources each have one. */
export interface ResourceBehavior {
  /** Turns parsed JSON into an object with defaults; throws a `StatusError` where it is not one of this kind. */
  decode(raw: unknown, validation: FieldValidation, old?: KubeObject): Decoded;
  /** Sets what clients may not set (rest.RESTCreateStrategy.PrepareForCreate). */
  prepareForCreate(object: KubeObject): void;
  validateCreate(object: KubeObject): readonly FieldError[];
  /** Keeps what this kind of update may not touch, and counts the generation (RESTUpdateStrategy.PrepareForUpdate). */
  prepareForUpdate(object: KubeObject, old: KubeObject, subresource: string): void;
  validateUpdate(object: KubeObject, old: KubeObject, subresource: string): readonly FieldError[];
  /** Messages that the client gets as `Warning` headers. */
  warnings(object: KubeObject, old?: KubeObject): readonly string[];
  /** Values of the supported field selectors; undefined for a field that is not supported. */
  field(object: KubeObject, path: string): string | undefined;
  supportsField(path: string): boolean;
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
}

export interface VersionConversion {
  toServed(stored: KubeObject): KubeObject;
  toStored(served: KubeObject): KubeObject;
}
