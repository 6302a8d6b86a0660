import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { PINNED_TOOLS } from './pinned-tools.ts';

export interface FindToolOptions {
  /** Where `fetchTools` put the pinned ones. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The path of helm or kubectl: what `KIND_E2E_HELM` or `KIND_E2E_KUBECTL` names, else the pinned one, else the first on
 * PATH. Throws a LabError `TOOL_NOT_FOUND` where there is none.
 */
export async function findTool(name: 'helm' | 'kubectl', options: FindToolOptions): Promise<string> {
  const variable = `KIND_E2E_${name.toUpperCase()}`;
  const named = options.env[variable];
  if (named !== undefined && named !== '') {
    if (await isExecutable(named)) return named;
    throw new LabError(`${variable} names ${named}, which is not a program that can be run`, {
      code: 'TOOL_NOT_FOUND',
      side: 'user',
      remedy: `set ${variable} to the path of ${name}, or unset it`,
    });
  }
  const pinned = join(options.directory, `${PINNED_TOOLS.package.split('/').at(-1)}-${PINNED_TOOLS.version}`, name);
  if (await isExecutable(pinned)) return pinned;
  for (const folder of (options.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  throw new LabError(`${name} was not found: not beside the lab, not on PATH`, {
    code: 'TOOL_NOT_FOUND',
    side: 'user',
    remedy: `run \`npm run up\`, which fetches it, or install ${name} and put it on PATH`,
  });
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
