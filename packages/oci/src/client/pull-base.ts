import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BaseImage } from '../image/build.ts';
import { parseDigest } from '../image/digest.ts';
import { formatReference, parseReference } from '../image/reference.ts';
import type { ImageConfig } from '../image/types.ts';
import { fetchBlob, resolveImage } from './pull.ts';
import { PullError } from './pull-error.ts';
import type { RegistryClientOptions } from './transport.ts';

/**
 * Downloads the image to build on, for this machine's platform: its layers as they are, not unpacked. Registries that
 * want a token get an anonymous one. Disposal removes the files. Throws PullError.
 */
export async function pullBase(
  name: string,
  options: RegistryClientOptions = {},
): Promise<BaseImage & AsyncDisposable> {
  const reference = parseReference(name);
  const withTokens = { ...options, tokens: options.tokens ?? new Map<string, string>() };
  const { manifest } = await resolveImage(reference, withTokens);
  const { config, layers = [] } = manifest;
  if (!config) throw new PullError(formatReference(reference), 'Unknown', 'the manifest has no config');
  const directory = await mkdtemp(join(tmpdir(), 'kind-e2e-base-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    for (const blob of [config, ...layers])
      await fetchBlob(reference, blob, join(directory, parseDigest(blob.digest).hex), withTokens);
    const text = await readFile(join(directory, parseDigest(config.digest).hex), 'utf8');
    return { directory, layers, config: JSON.parse(text) as ImageConfig, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
