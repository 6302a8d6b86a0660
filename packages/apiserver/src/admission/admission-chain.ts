import type { KubeObject } from '@kind-e2e/kube-api';
import type { User } from '../options.ts';
import type { ServedResource } from '../resources/served-resource.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE';

/** One write, as admission plugins see it. */
export interface AdmissionAttributes {
  readonly resource: ServedResource;
  readonly operation: AdmissionOperation;
  readonly subresource: string;
  /** What will be stored; plugins of the first round may change it. */
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
  readonly user: User;
  readonly dryRun: boolean;
  readonly warnings: string[];
}

export interface AdmissionOptions {
  readonly user: User;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly warnings: string[];
}

/** A rule about writes. Plugins throw a `StatusError` to refuse. They must not wait. */
export interface AdmissionPlugin {
  readonly name: string;
  /** First round: may change the object, or give another. */
  mutate?(attributes: AdmissionAttributes): KubeObject | undefined;
  /** Second round, on what will be stored. */
  validate?(attributes: AdmissionAttributes): void;
}

/** Runs the plugins in order: all that change, then all that check (apiserver `admission.Chain`). */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  mutate(
    resource: ServedResource,
    operation: AdmissionOperation,
    subresource: string,
    object: KubeObject,
    old: KubeObject | undefined,
    options: AdmissionOptions,
  ): KubeObject {
    let current = object;
    for (const plugin of this.#plugins)
      current = plugin.mutate?.({ resource, operation, subresource, object: current, old, ...options }) ?? current;
    return current;
  }

  validate(
    resource: ServedResource,
    operation: AdmissionOperation,
    subresource: string,
    object: KubeObject,
    old: KubeObject | undefined,
    options: AdmissionOptions,
  ): void {
    for (const plugin of this.#plugins)
      plugin.validate?.({ resource, operation, subresource, object, old, ...options });
  }
}
