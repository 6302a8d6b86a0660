import { type Attributes, SERVICE_NAME, type Span, type SpanKind } from '@kind-e2e/telemetry';
import { decodeResource, decodeScope, SPAN_KINDS } from './span-codec.ts';

export interface Operation {
  readonly id: number;
  readonly service: string;
  /** undefined for the one that stands for all names beyond the limit; spans then keep their name themselves. */
  readonly name: string | undefined;
  readonly kind: SpanKind;
}

export interface Resource {
  readonly id: number;
  readonly bytes: Buffer;
  readonly service: string;
  readonly serviceId: number;
  /** The part that every span of it shares. */
  readonly resource: { readonly attributes: Attributes };
}

export interface Scope {
  readonly id: number;
  readonly bytes: Buffer;
  readonly scope: Span['scope'];
}

/** Distinct operations kept by name; an instrumentation that puts ids into names must not fill the memory. */
const MAX_OPERATIONS = 20_000;

/** What many spans share, by small numbers: resources, scopes, operations. Grows only. */
export class SpanCatalog {
  readonly resources: Resource[] = [];
  readonly scopes: Scope[] = [];
  readonly operations: Operation[] = [];
  readonly services: string[] = [];
  readonly #resourceIds = new Map<string, Resource>();
  readonly #scopeIds = new Map<string, Scope>();
  readonly #serviceIds = new Map<string, number>();
  /** By service and kind (service * 8 + kind), then by the name's bytes as latin1. */
  readonly #operationIds = new Map<number, Map<string, Operation>>();

  resource(bytes: Buffer): Resource {
    const key = bytes.toString('latin1');
    const known = this.#resourceIds.get(key);
    if (known) return known;
    const attributes = decodeResource(bytes);
    const name = attributes[SERVICE_NAME];
    const service = typeof name === 'string' && name !== '' ? name : 'unknown_service';
    const resource: Resource = {
      id: this.resources.length,
      bytes: Buffer.from(bytes),
      service,
      serviceId: this.serviceId(service),
      resource: { attributes },
    };
    this.resources.push(resource);
    this.#resourceIds.set(key, resource);
    return resource;
  }

  scope(bytes: Buffer): Scope {
    const key = bytes.toString('latin1');
    const known = this.#scopeIds.get(key);
    if (known) return known;
    const scope: Scope = { id: this.scopes.length, bytes: Buffer.from(bytes), scope: decodeScope(bytes) };
    this.scopes.push(scope);
    this.#scopeIds.set(key, scope);
    return scope;
  }

  serviceId(service: string): number {
    let id = this.#serviceIds.get(service);
    if (id === undefined) {
      id = this.services.length;
      this.services.push(service);
      this.#serviceIds.set(service, id);
    }
    return id;
  }

  /** The operation of a span whose name is the given bytes. */
  operation(serviceId: number, kind: number, bytes: Buffer, from: number, to: number): Operation {
    const group = this.#group(serviceId, kind);
    const key = bytes.toString('latin1', from, to);
    const known = group.get(key);
    if (known) return known;
    if (this.operations.length >= MAX_OPERATIONS) {
      const rest = group.get('\0rest');
      return rest ?? this.#addOperation(group, '\0rest', serviceId, kind, undefined);
    }
    return this.#addOperation(group, key, serviceId, kind, bytes.toString('utf8', from, to));
  }

  /** Takes an operation from the file, which has them in the order of their numbers. */
  restoreOperation(service: string, kind: SpanKind, name: string | undefined): void {
    const serviceId = this.serviceId(service);
    const kindNumber = Math.max(0, SPAN_KINDS.indexOf(kind));
    const key = name === undefined ? '\0rest' : Buffer.from(name).toString('latin1');
    this.#addOperation(this.#group(serviceId, kindNumber), key, serviceId, kindNumber, name);
  }

  #group(serviceId: number, kind: number): Map<string, Operation> {
    const at = serviceId * 8 + (kind & 7);
    let group = this.#operationIds.get(at);
    if (!group) {
      group = new Map();
      this.#operationIds.set(at, group);
    }
    return group;
  }

  #addOperation(
    group: Map<string, Operation>,
    key: string,
    serviceId: number,
    kind: number,
    name: string | undefined,
  ): Operation {
    const operation: Operation = {
      id: this.operations.length,
      service: this.services[serviceId] ?? '',
      name,
      kind: SPAN_KINDS[kind] ?? 'unspecified',
    };
    this.operations.push(operation);
    group.set(key, operation);
    return operation;
  }
}
