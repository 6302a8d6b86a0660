import { type Digest, isDigest } from '../image/digest.ts';
import type { Manifest } from '../image/types.ts';

/** Digests that a stored manifest or index needs: config, layers, children. The subject is not among them. */
export function referencedDigests(content: Uint8Array): Digest[] {
  const manifest = JSON.parse(Buffer.from(content).toString('utf8')) as Manifest;
  const descriptors = [
    ...(manifest.config ? [manifest.config] : []),
    ...(manifest.layers ?? []),
    ...(manifest.manifests ?? []),
  ];
  return descriptors.map((descriptor) => descriptor.digest).filter((digest) => isDigest(digest));
}
