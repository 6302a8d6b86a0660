import { BIT_STRING, type DerValue, dottedOf, inside, OCTET_STRING, readDer, SEQUENCE } from './der.ts';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALT_NAME = '2.5.29.17';
const ATTRIBUTES = 0xa0;
const SET = 0x31;
/** Kinds of general names (RFC 5280, 4.2.1.6). */
const EMAIL = 0x81;
const DNS = 0x82;
const URI = 0x86;
const IP = 0x87;

/** What a PKCS #10 certification request (RFC 2986) asks for. */
export interface CertificationRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly ipAddresses: readonly Buffer[];
  readonly uris: readonly string[];
  /** DER of the subject's name, of the SubjectPublicKeyInfo, and of the names beside the subject, if there are any. */
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly altNames: Buffer | undefined;
  /** What was signed, by which algorithm (an object identifier), and the signature. */
  readonly signed: Buffer;
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
}

/** Reads the PEM block `CERTIFICATE REQUEST`. Throws an Error in Go's words where there is none, or it cannot be read. */
export function parseCertificationRequest(pem: string): CertificationRequest {
  const block = /-----BEGIN ([^-]*)-----\s+([A-Za-z0-9+/=\s]*?)-----END \1-----/.exec(pem);
  if (block?.[1] !== 'CERTIFICATE REQUEST') throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const [request] = readDer(Buffer.from(block[2] ?? '', 'base64'));
  const [info, algorithm, signature] = inside(request, SEQUENCE);
  const [, subject, publicKey, attributes] = inside(info, SEQUENCE);
  if (!info || !subject || !publicKey || signature?.tag !== BIT_STRING)
    throw new RangeError('asn1: structure error: sequence truncated');
  const names = namesOf(subject);
  const altNames = attributes?.tag === ATTRIBUTES ? altNamesOf(readDer(attributes.content)) : undefined;
  const general = altNames ? inside(readDer(altNames)[0], SEQUENCE) : [];
  const texts = (tag: number): string[] =>
    general.filter((name) => name.tag === tag).map(({ content }) => content.toString('latin1'));
  return {
    commonName: names.findLast(([type]) => type === COMMON_NAME)?.[1] ?? '',
    organizations: names.filter(([type]) => type === ORGANIZATION).map(([, value]) => value),
    dnsNames: texts(DNS),
    emailAddresses: texts(EMAIL),
    uris: texts(URI),
    ipAddresses: general.filter((name) => name.tag === IP).map(({ content }) => content),
    subject: subject.whole,
    publicKey: publicKey.whole,
    altNames,
    signed: info.whole,
    signatureAlgorithm: dottedOf(inside(algorithm, SEQUENCE)[0]),
    // The first byte counts the bits that do not matter: none.
    signature: signature.content.subarray(1),
  };
}

/** Type and value of each attribute of a name. */
function namesOf(name: DerValue): (readonly [string, string])[] {
  return inside(name, SEQUENCE).flatMap((relative) =>
    inside(relative, SET).map((attribute) => {
      const [type, value] = inside(attribute, SEQUENCE);
      return [dottedOf(type), value?.content.toString('utf8') ?? ''] as const;
    }),
  );
}

/** The general names among the extensions that are asked for. */
function altNamesOf(attributes: readonly DerValue[]): Buffer | undefined {
  for (const attribute of attributes) {
    const [type, values] = inside(attribute, SEQUENCE);
    if (dottedOf(type) !== EXTENSION_REQUEST) continue;
    for (const extension of inside(inside(values, SET)[0], SEQUENCE)) {
      const parts = inside(extension, SEQUENCE);
      const value = parts.at(-1);
      if (dottedOf(parts[0]) === SUBJECT_ALT_NAME && value?.tag === OCTET_STRING) return value.content;
    }
  }
  return undefined;
}
