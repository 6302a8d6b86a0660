import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/**
 * A content address, `sha256:<64 hex digits>` or `sha512:<128 hex digits>` (image-spec, descriptor.md, "Digests":
 * the two registered algorithms).
 */
export type Digest = string;

export type DigestAlgorithm = 'sha256' | 'sha512';

const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** Splits a digest that `isDigest` accepts; throws a RangeError for any other text. */
export function parseDigest(digest: Digest): { readonly algorithm: DigestAlgorithm; readonly hex: string } {
  if (!isDigest(digest)) throw new RangeError(`"${digest}" is not a sha256 or sha512 digest`);
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon) === 'sha512' ? 'sha512' : 'sha256', hex: digest.slice(colon + 1) };
}

export function digestOf(content: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
}

export async function digestOfFile(path: string, algorithm: DigestAlgorithm = 'sha256'): Promise<Digest> {
  const hash: Hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return `${algorithm}:${hash.digest('hex')}`;
}
