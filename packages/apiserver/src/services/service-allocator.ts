import { randomInt } from 'node:crypto';
import {
  type FieldError,
  internalFieldError,
  invalidValue,
  isRecord,
  type KubeObject,
  validateClusterIps,
} from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { addressNumber, addressText, parseIpRange } from './ip-range.ts';

const NODE_PORT_FIRST = 30_000;
const NODE_PORT_LAST = 32_767;
/** The front of the range is left for addresses that people choose (KEP 3070: 16 to 256 addresses). */
const STATIC_SHARE = 256;
const ATTEMPTS = 64;

type Spec = Record<string, unknown>;

/**
 * Gives Services their ClusterIPs and node ports and knows which are taken (registry/core/service `alloc`). What is
 * taken is read from the stored Services, so there is nothing to lose and nothing to repair.
 */
export class ServiceAllocator {
  readonly #range: ReturnType<typeof parseIpRange>;
  readonly #addresses = new Map<number, string>();
  readonly #ports = new Map<string, string>();

  constructor(store: ObjectStore, serviceCidr: string, reserved: readonly string[]) {
    this.#range = parseIpRange(serviceCidr);
    for (const address of reserved) {
      const number = addressNumber(address);
      if (number !== undefined) this.#addresses.set(number, '');
    }
    for (const record of store.collection('services').records()) this.#take(record.object);
    store.onChange((collection, { type, record, previous }) => {
      if (collection.resource !== 'services') return;
      if (previous) this.#release(previous.object);
      if (type !== 'DELETED') this.#take(record.object);
    });
  }

  get cidr(): string {
    return this.#range.cidr;
  }

  /** Fills what a Service needs and does not have; gives problems where it asks for what it cannot have. */
  allocate(service: KubeObject, old: KubeObject | undefined): FieldError[] {
    const spec = sectionOf(service, 'spec');
    const errors: FieldError[] = [];
    const owner = ownerOf(service);
    if (spec.type === 'ExternalName') return errors;
    // `NormalizeClusterIPs`: the address alone stands for the list, too.
    const isListed = Array.isArray(spec.clusterIPs) && spec.clusterIPs.length > 0;
    if (typeof spec.clusterIP === 'string' && spec.clusterIP !== '' && !isListed) spec.clusterIPs = [spec.clusterIP];
    const wrong = validateClusterIps(spec);
    if (wrong.length > 0) return wrong;
    // One family is all there is (registry/core/service `initIPFamilyFields`).
    const isOpenHeadless =
      spec.clusterIP === 'None' && !(isRecord(spec.selector) && Object.keys(spec.selector).length > 0);
    if (!isOpenHeadless) errors.push(...familyProblems(spec));
    if (errors.length > 0) return errors;
    spec.ipFamilies ??= ['IPv4'];
    spec.ipFamilyPolicy ??= 'SingleStack';
    if (spec.clusterIP !== 'None') errors.push(...this.#allocateAddress(spec, owner, old));
    const wantsPorts =
      spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    if (errors.length === 0 && (wantsPorts || spec.type === 'LoadBalancer'))
      errors.push(...this.#allocatePorts(spec, owner, wantsPorts));
    if (errors.length === 0) errors.push(...this.#allocateHealthCheckPort(spec, owner));
    return errors;
  }

  #allocateAddress(spec: Spec, owner: string, old: KubeObject | undefined): FieldError[] {
    const wanted = typeof spec.clusterIP === 'string' ? spec.clusterIP : '';
    if (wanted === '') {
      const address = this.#freeAddress();
      if (address === undefined)
        return [internalFieldError('spec.clusterIPs', 'failed to allocate a serviceIP: range is full')];
      spec.clusterIP = addressText(address);
      spec.clusterIPs = [spec.clusterIP];
      return [];
    }
    spec.clusterIPs = Array.isArray(spec.clusterIPs) && spec.clusterIPs.length > 0 ? spec.clusterIPs : [wanted];
    if (old && sectionOf(old, 'spec').clusterIP === wanted) return [];
    const number = addressNumber(wanted);
    const refuse = (problem: string): FieldError[] => [
      invalidValue('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${wanted}: ${problem}`),
    ];
    if (number === undefined || number < this.#range.first || number >= this.#range.first + this.#range.size)
      return refuse('the provided network does not match the current range');
    const holder = this.#addresses.get(number);
    if (holder !== undefined && holder !== owner && holder !== '') return refuse('provided IP is already allocated');
    return [];
  }

  #freeAddress(): number | undefined {
    const { first, size } = this.#range;
    const front = Math.min(STATIC_SHARE, Math.max(16, Math.floor(size / 16)));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const candidate = first + front + randomInt(Math.max(1, size - front - 1));
      if (!this.#addresses.has(candidate)) return candidate;
    }
    for (let candidate = first + 1; candidate < first + size - 1; candidate++)
      if (!this.#addresses.has(candidate)) return candidate;
    return undefined;
  }

  #allocatePorts(spec: Spec, owner: string, isNeeded: boolean): FieldError[] {
    const errors: FieldError[] = [];
    const ports = portsOf(spec);
    for (const [index, port] of ports.entries()) {
      const protocol = String(port.protocol ?? 'TCP');
      const wanted = typeof port.nodePort === 'number' ? port.nodePort : 0;
      const field = `spec.ports[${index}].nodePort`;
      if (wanted === 0) {
        if (!isNeeded) continue;
        const twin = ports.find(
          (other) =>
            other !== port && other.port === port.port && typeof other.nodePort === 'number' && other.nodePort > 0,
        );
        const shared = twin?.nodePort;
        const free =
          typeof shared === 'number' && !this.#ports.has(`${protocol}/${shared}`)
            ? shared
            : this.#freePort(protocol, ports);
        if (free === undefined) errors.push(internalFieldError(field, 'failed to allocate a nodePort: range is full'));
        else port.nodePort = free;
        continue;
      }
      const holder = this.#ports.get(`${protocol}/${wanted}`);
      if (wanted < NODE_PORT_FIRST || wanted > NODE_PORT_LAST)
        errors.push(
          invalidValue(
            field,
            wanted,
            `provided port is not in the valid range. The range of valid ports is ${NODE_PORT_FIRST}-${NODE_PORT_LAST}`,
          ),
        );
      else if (holder !== undefined && holder !== owner)
        errors.push(invalidValue(field, wanted, 'provided port is already allocated'));
    }
    return errors;
  }

  #freePort(protocol: string, ports: readonly Spec[]): number | undefined {
    const isFree = (port: number): boolean =>
      !this.#ports.has(`${protocol}/${port}`) && !ports.some((other) => other.nodePort === port);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const candidate = randomInt(NODE_PORT_FIRST, NODE_PORT_LAST + 1);
      if (isFree(candidate)) return candidate;
    }
    for (let candidate = NODE_PORT_FIRST; candidate <= NODE_PORT_LAST; candidate++)
      if (isFree(candidate)) return candidate;
    return undefined;
  }

  #allocateHealthCheckPort(spec: Spec, owner: string): FieldError[] {
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return [];
    const wanted = typeof spec.healthCheckNodePort === 'number' ? spec.healthCheckNodePort : 0;
    if (wanted !== 0) {
      const holder = this.#ports.get(`TCP/${wanted}`);
      return holder !== undefined && holder !== owner
        ? [
            internalFieldError(
              'spec.healthCheckNodePort',
              `failed to allocate requested HealthCheck NodePort ${wanted}: provided port is already allocated`,
            ),
          ]
        : [];
    }
    const free = this.#freePort('TCP', portsOf(spec));
    if (free !== undefined) spec.healthCheckNodePort = free;
    return [];
  }

  #take(service: KubeObject): void {
    const owner = ownerOf(service);
    for (const address of addressesOf(service)) this.#addresses.set(address, owner);
    for (const port of takenPorts(service)) this.#ports.set(port, owner);
  }

  #release(service: KubeObject): void {
    for (const address of addressesOf(service)) this.#addresses.delete(address);
    for (const port of takenPorts(service)) this.#ports.delete(port);
  }
}

/** A cluster of one family can give no other (`initIPFamilyFields`). */
function familyProblems(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack')
    errors.push(
      invalidValue(
        'spec.ipFamilyPolicy',
        spec.ipFamilyPolicy,
        'this cluster is not configured for dual-stack services',
      ),
    );
  const families = Array.isArray(spec.ipFamilies) ? spec.ipFamilies : [];
  for (const [index, family] of families.entries())
    if (family !== 'IPv4')
      errors.push(invalidValue(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'));
  return errors;
}

function ownerOf(service: KubeObject): string {
  return `${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`;
}

function portsOf(spec: Spec): Spec[] {
  return Array.isArray(spec.ports) ? spec.ports.filter(isRecord) : [];
}

function addressesOf(service: KubeObject): number[] {
  const spec = sectionOf(service, 'spec');
  const number = typeof spec.clusterIP === 'string' ? addressNumber(spec.clusterIP) : undefined;
  return number === undefined ? [] : [number];
}

function takenPorts(service: KubeObject): string[] {
  const spec = sectionOf(service, 'spec');
  const taken = portsOf(spec)
    .filter((port) => typeof port.nodePort === 'number' && port.nodePort > 0)
    .map((port) => `${String(port.protocol ?? 'TCP')}/${String(port.nodePort)}`);
  if (typeof spec.healthCheckNodePort === 'number' && spec.healthCheckNodePort > 0)
    taken.push(`TCP/${spec.healthCheckNodePort}`);
  return taken;
}
