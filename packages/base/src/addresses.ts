/**
 * The loopback address plan of one lab. Linux answers on all of 127.0.0.0/8, so a lab takes eight second octets
 * ("a block") and gives every node, pod, sidecar and service an address of its own. Labs on one machine use
 * different blocks.
 *
 * | second octet | holds |
 * |---|---|
 * | block*8 + 0 | pods: 127.o.<node index>.<1…254>, the node's podCIDR is 127.o.<node index>.0/24 |
 * | block*8 + 1 | the private address of the app in an injected pod, same last two octets as its pod |
 * | block*8 + 2 | the outbound listeners of the sidecar of an injected pod, same last two octets as its pod |
 * | block*8 + 3 | services: 127.o.0.0/16 |
 * | block*8 + 4, + 5 | outbound listeners for TCP services, one per pod and service, given out by the mesh |
 * | block*8 + 6 | nodes: 127.o.0.<10 + node index> |
 * | block*8 + 7 | kept free |
 */
export const FIRST_BLOCK = 1;
export const LAST_BLOCK = 30;
/** Labs take blocks up to this one; those above are for tests, which run beside a lab and name theirs. */
export const LAST_LAB_BLOCK = 19;

/** Port on which every sidecar (outbound address) and the cluster DNS (service `kube-dns`) answer DNS over UDP and TCP. */
export const DNS_PORT = 15053;

const OCTETS_PER_BLOCK = 8;

export interface AddressPlan {
  readonly block: number;
  /** CIDR of all service addresses, `127.x.0.0/16`. */
  readonly serviceCidr: string;
  /** CIDRs from which the mesh gives TCP outbound addresses. */
  readonly tcpOutboundCidrs: readonly string[];
  /** The address of `kube-dns`, by custom the tenth of the service range. */
  readonly dnsServiceAddress: string;
  /** The address of the service `kubernetes`, the first of the service range. */
  readonly apiServiceAddress: string;
  nodeAddress(nodeIndex: number): string;
  podCidr(nodeIndex: number): string;
}

/** Makes the plan of a block. Throws a RangeError outside FIRST_BLOCK…LAST_BLOCK. */
export function createAddressPlan(block: number): AddressPlan {
  if (!Number.isInteger(block) || block < FIRST_BLOCK || block > LAST_BLOCK)
    throw new RangeError(`address block ${block} is outside ${FIRST_BLOCK} to ${LAST_BLOCK}`);
  const octet = (offset: number): number => block * OCTETS_PER_BLOCK + offset;
  return {
    block,
    serviceCidr: `127.${octet(3)}.0.0/16`,
    tcpOutboundCidrs: [`127.${octet(4)}.0.0/16`, `127.${octet(5)}.0.0/16`],
    dnsServiceAddress: `127.${octet(3)}.0.10`,
    apiServiceAddress: `127.${octet(3)}.0.1`,
    nodeAddress: (nodeIndex) => `127.${octet(6)}.0.${10 + nodeIndex}`,
    podCidr: (nodeIndex) => `127.${octet(0)}.${nodeIndex}.0/24`,
  };
}

function shiftSecondOctet(podAddress: string, offset: number): string {
  const octets = podAddress.split('.').map(Number);
  const [first, second, third, fourth] = octets;
  if (octets.length !== 4 || first !== 127 || second === undefined || second % OCTETS_PER_BLOCK !== 0)
    throw new RangeError(`${podAddress} is not a pod address of a lab`);
  return `127.${second + offset}.${third}.${fourth}`;
}

/** Where the app of an injected pod listens; the sidecar holds the pod address itself. */
export function appAddressOf(podAddress: string): string {
  return shiftSecondOctet(podAddress, 1);
}

/** Where the sidecar of an injected pod listens for what the app sends. */
export function outboundAddressOf(podAddress: string): string {
  return shiftSecondOctet(podAddress, 2);
}
