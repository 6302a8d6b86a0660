import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { execa } from 'execa';
import type { FinalStage } from './dockerfile.ts';

/**
 * Writes the app's software bill of materials where the Dockerfile's build stage puts it, by the same `npm sbom`. In a
 * workspace that would list every package of the workspace: there it is asked for the app's alone
 * (https://docs.npmjs.com/cli/commands/npm-sbom).
 */
export async function writeSbom(folder: string, { sbom }: FinalStage, env: NodeJS.ProcessEnv): Promise<void> {
  if (sbom === undefined)
    throw new LabError(`no stage before the last of ${join(folder, 'Dockerfile')} runs npm sbom`, {
      code: 'NO_SBOM',
      side: 'user',
      remedy: 'add `npm sbom --omit=dev --sbom-format=cyclonedx > FILE` to the RUN of its build, or leave out --sbom',
    });
  const workspace = (await isInWorkspace(folder)) ? [`--workspace=${folder}`] : [];
  const result = await execa('npm', ['sbom', ...sbom.args, ...workspace], { cwd: folder, env, reject: false });
  if (result.exitCode !== 0)
    throw new LabError(`npm sbom failed in ${folder}:\n${result.stderr}`, {
      code: 'SBOM_FAILED',
      side: 'user',
      remedy: 'mend what it says and try again',
    });
  await writeFile(join(folder, sbom.file), `${result.stdout}\n`);
}

async function isInWorkspace(folder: string): Promise<boolean> {
  for (let at = dirname(folder); at !== dirname(at); at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) return 'workspaces' in (JSON.parse(await readFile(file, 'utf8')) as object);
  }
  return false;
}
