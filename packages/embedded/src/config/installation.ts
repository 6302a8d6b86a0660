import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '@kind-e2e/base';

/** Where the parts of kind-e2e are on this machine. */
export interface Installation {
  /** The checkout. */
  readonly root: string;
  /** Node 24, which runs every process of the lab. */
  readonly nodeBinary: string;
  /** helm and kubectl. */
  readonly tools: string;
  readonly chart: string;
}

export function installationAt(root: string): Installation {
  return {
    root,
    nodeBinary: process.execPath,
    tools: join(root, 'node_modules', '.cache', 'kind-e2e', 'tools'),
    chart: join(root, 'helm', 'app'),
  };
}

export type BundledProcess = 'supervisor' | 'control-plane';

/** The bundle of a process; throws a LabError where nothing was built. */
export function bundleOf(installation: Installation, name: BundledProcess): string {
  return builtFile(installation, join('dist', name, 'main.mjs'));
}

/** The folder from which the image of a system component is made. */
export function imageFolder(
  installation: Installation,
  name: 'data-plane' | 'observability' | 'jenkins' | 'jenkins-agent',
): string {
  return builtFile(installation, join('dist', 'images', name));
}

function builtFile(installation: Installation, path: string): string {
  const full = join(installation.root, path);
  if (existsSync(full)) return full;
  throw new LabError(`${full} was not built`, { code: 'NOT_BUILT', side: 'user', remedy: 'run: npm run build' });
}
