import type { KubeObject } from '@kind-e2e/kube-api';
import type { User } from '../options.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import { Reinvocation } from './reinvocation.ts';

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
  /** The options of the request that was made: CreateOptions, UpdateOptions or DeleteOptions. */
  readonly operationOptions: Readonly<Record<string, unknown>>;
  readonly isInternal?: boolean;
  readonly reinvocation: Reinvocation;
}

export interface AdmissionOptions {
  readonly user: User;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly warnings: string[];
  readonly operationOptions?: Readonly<Record<string, unknown>>;
  /** The server's own write: webhooks are not asked. */
  readonly isInternal?: boolean;
}

/**
 * A rule about writes. Plugins throw a `StatusError` to refuse. The first two must not wait; the other two ask someone
 * outside, and give undefined where nobody is to be asked, so that most writes are done without a pause.
 */
export interface AdmissionPlugin {
  readonly name: string;
  /** First round: may change the object, or give another. */
  mutate?(attributes: AdmissionAttributes): KubeObject | undefined;
  /** Second round, on what will be stored. */
  validate?(attributes: AdmissionAttributes): void;
  mutateOutside?(attributes: AdmissionAttributes): Promise<KubeObject> | undefined;
  validateOutside?(attributes: AdmissionAttributes): Promise<void> | undefined;
}

/** Runs the plugins in order: all that change, then all that check (apiserver `admission.Chain`). */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  /** Gives the changed object, later only where someone outside is asked. */
  mutate(
    resource: ServedResource,
    operation: AdmissionOperation,
    subresource: string,
    object: KubeObject,
    old: KubeObject | undefined,
    options: AdmissionOptions,
  ): KubeObject | Promise<KubeObject> {
    const base = { resource, operation, subresource, old, operationOptions: {}, ...options };
    const reinvocation = new Reinvocation();
    // Where a policy or webhook changed something, all that change have another look, once (`admission/reinvocation.go`).
    const again = (current: KubeObject): KubeObject | Promise<KubeObject> =>
      reinvocation.begin() ? this.#mutateFrom(0, { ...base, object: current, reinvocation }) : current;
    const changed = this.#mutateFrom(0, { ...base, object, reinvocation });
    return changed instanceof Promise ? changed.then(again) : again(changed);
  }

  #mutateFrom(from: number, attributes: AdmissionAttributes): KubeObject | Promise<KubeObject> {
    let current = attributes;
    for (const [index, plugin] of this.#plugins.entries()) {
      if (index < from) continue;
      const object = plugin.mutate?.(current);
      if (object !== undefined) current = { ...current, object };
      const outside = plugin.mutateOutside?.(current);
      if (outside) return outside.then((changed) => this.#mutateFrom(index + 1, { ...current, object: changed }));
    }
    return current.object;
  }

  /** Gives a promise only where someone outside is asked. */
  validate(
    resource: ServedResource,
    operation: AdmissionOperation,
    subresource: string,
    object: KubeObject,
    old: KubeObject | undefined,
    options: AdmissionOptions,
  ): Promise<void> | undefined {
    return this.#validateFrom(0, {
      resource,
      operation,
      subresource,
      object,
      old,
      operationOptions: {},
      ...options,
      reinvocation: new Reinvocation(),
    });
  }

  #validateFrom(from: number, attributes: AdmissionAttributes): Promise<void> | undefined {
    for (const [index, plugin] of this.#plugins.entries()) {
      if (index < from) continue;
      plugin.validate?.(attributes);
      const outside = plugin.validateOutside?.(attributes);
      if (outside) return outside.then(() => this.#validateFrom(index + 1, attributes));
    }
    return undefined;
  }
}
