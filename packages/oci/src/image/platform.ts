import type { Descriptor, Platform } from './types.ts';

/** Linux on this machine's architecture, in Go's words (image-spec config.md: GOARCH). */
export function currentPlatform(architecture: string = process.arch): Platform {
  switch (architecture) {
    case 'x64':
      return { architecture: 'amd64', os: 'linux' };
    case 'ia32':
      return { architecture: '386', os: 'linux' };
    default:
      return { architecture, os: 'linux' };
  }
}

/** The manifest of an index that fits the platform, or the only image of an index that names none. */
export function selectManifest(manifests: readonly Descriptor[], platform: Platform): Descriptor | undefined {
  const fitting = manifests.find(
    (entry) => entry.platform?.os === platform.os && entry.platform.architecture === platform.architecture,
  );
  if (fitting) return fitting;
  const unnamed = manifests.filter((entry) => entry.platform === undefined && entry.artifactType === undefined);
  return unnamed.length === 1 ? unnamed[0] : undefined;
}
