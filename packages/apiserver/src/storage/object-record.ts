import type { KubeObject } from '@kind-e2e/kube-api';

export interface RecordFields {
  /** Row of the data file. */
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  /** metadata.resourceVersion as a number. */
  readonly revision: number;
  /** The revision that the object was created with. */
  readonly createRevision: number;
  /** The object in its storage version, `kind` and `apiVersion` first. */
  readonly json: string;
}

/**
 * One state of one object. It never changes: a write makes a new record. The object is kept as JSON, ready to be sent;
 * the parsed form is made when somebody looks and forgotten when memory is wanted.
 */
export class ObjectRecord implements RecordFields {
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly json: string;
  #parsed: WeakRef<KubeObject> | undefined;
  #labels: Readonly<Record<string, string>> | undefined;

  constructor(fields: RecordFields, parsed?: KubeObject) {
    this.id = fields.id;
    this.namespace = fields.namespace;
    this.name = fields.name;
    this.revision = fields.revision;
    this.createRevision = fields.createRevision;
    this.json = fields.json;
    if (parsed) this.#remember(parsed);
  }

  /** The parsed object, shared by all who look: it must not be changed. */
  get object(): KubeObject {
    const known = this.#parsed?.deref();
    if (known) return known;
    const parsed = this.copy();
    this.#remember(parsed);
    return parsed;
  }

  get labels(): Readonly<Record<string, string>> {
    this.#labels ??= this.object.metadata?.labels ?? NO_LABELS;
    return this.#labels;
  }

  /** A copy of the object that the caller may change. */
  copy(): KubeObject {
    return JSON.parse(this.json) as KubeObject;
  }

  #remember(parsed: KubeObject): void {
    this.#parsed = new WeakRef(parsed);
    this.#labels = parsed.metadata?.labels ?? NO_LABELS;
  }
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});
