import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/** Who a certificate is about: `CN` is the user name and each `O` a group, as kube-apiserver reads client certificates. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export interface SubjectAltNames {
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
}

export type CertificateUse = 'ca' | 'server' | 'client' | 'peer';

/** Names of key usages as Kubernetes has them (certificates/v1 KeyUsage): bits of KeyUsage, purposes of ExtKeyUsage. */
const USAGE_BITS: Readonly<Record<string, number>> = {
  'digital signature': 0,
  signing: 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
};
const USAGE_PURPOSES: Readonly<Record<string, string>> = {
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
};

export interface CertificateFields {
  /** Or the DER of its name. */
  readonly subject: Subject | Buffer;
  readonly issuer: Subject;
  /** Or the DER of the GeneralNames. */
  readonly altNames?: SubjectAltNames | Buffer;
  /** In place of what `use` means: names of usages. */
  readonly usages?: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: KeyObject;
  /** Key of the issuer: P-256. */
  readonly signingKey: KeyObject;
  readonly use: CertificateUse;
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const SERIAL_BYTES = 16;
const PEM_LINE = /.{1,64}/g;

/** Makes and signs an X.509 v3 certificate (RFC 5280) with ECDSA P-256 and SHA-256; gives PEM. */
export function createCertificatePem(fields: CertificateFields): string {
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    nameOf(fields.issuer),
    sequence(time(fields.notBeforeMs), time(fields.notAfterMs)),
    Buffer.isBuffer(fields.subject) ? fields.subject : nameOf(fields.subject),
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensionsOf(fields))),
  );
  const der = sequence(body, algorithm, bitString(sign('sha256', body, fields.signingKey)));
  return `-----BEGIN CERTIFICATE-----\n${(der.toString('base64').match(PEM_LINE) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(subject: Subject): Buffer {
  const attribute = (oid: string, value: string): Buffer => set(sequence(objectIdentifier(oid), utf8String(value)));
  return sequence(
    ...(subject.organizations ?? []).map((organization) => attribute(OID.organization, organization)),
    attribute(OID.commonName, subject.commonName),
  );
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function extensionsOf(fields: CertificateFields): Buffer[] {
  const extension = (oid: string, critical: boolean, value: Buffer): Buffer =>
    sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
  const isCa = fields.use === 'ca';
  const bits = isCa ? bitString(Buffer.from([0b1000_0110]), 1) : usageBits(fields.usages ?? ['digital signature']);
  const extensions = [
    extension(OID.basicConstraints, true, isCa ? sequence(boolean(true)) : sequence()),
    // digitalSignature is bit 0; a CA has keyCertSign (5) and cRLSign (6) as well.
    ...(bits ? [extension(OID.keyUsage, true, bits)] : []),
    extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(fields.publicKey))),
    extension(
      OID.authorityKeyIdentifier,
      false,
      sequence(implicit(0, keyIdentifier(createPublicKey(fields.signingKey)))),
    ),
  ];
  const purposes = fields.usages?.flatMap((usage) => USAGE_PURPOSES[usage] ?? []) ?? [
    ...(fields.use === 'server' || fields.use === 'peer' ? [OID.serverAuth] : []),
    ...(fields.use === 'client' || fields.use === 'peer' ? [OID.clientAuth] : []),
  ];
  if (purposes.length > 0)
    extensions.push(extension(OID.extendedKeyUsage, false, sequence(...purposes.map(objectIdentifier))));
  const { altNames = {} } = fields;
  const names = Buffer.isBuffer(altNames) ? [] : generalNames(altNames);
  if (Buffer.isBuffer(altNames)) extensions.push(extension(OID.subjectAltName, false, altNames));
  else if (names.length > 0) extensions.push(extension(OID.subjectAltName, false, sequence(...names)));
  return extensions;
}

/** The bits of KeyUsage, the first the highest, without zeros at the end (X.690, 11.2.2); undefined for none. */
function usageBits(usages: readonly string[]): Buffer | undefined {
  let bits = 0;
  let last = 0;
  for (const usage of usages) {
    const bit = USAGE_BITS[usage];
    if (bit === undefined) continue;
    bits |= 0x80 >> bit;
    last = Math.max(last, bit);
  }
  return bits === 0 ? undefined : bitString(Buffer.from([bits]), 7 - last);
}

function generalNames(names: SubjectAltNames): Buffer[] {
  return [
    ...(names.dnsNames ?? []).map((name) => implicit(2, Buffer.from(name, 'ascii'))),
    ...(names.uris ?? []).map((uri) => implicit(6, Buffer.from(uri, 'ascii'))),
    ...(names.ipAddresses ?? []).map((address) => implicit(7, addressBytes(address))),
  ];
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address)) throw new RangeError(`"${address}" is not an IP address`);
  const [head = '', tail] = address.split('::');
  const words = (part: string | undefined): number[] =>
    part ? part.split(':').map((word) => Number.parseInt(word, 16)) : [];
  const left = words(head);
  const right = words(tail);
  const middle = tail === undefined ? [] : new Array<number>(8 - left.length - right.length).fill(0);
  return Buffer.from([...left, ...middle, ...right].flatMap((word) => [word >> 8, word & 0xff]));
}
