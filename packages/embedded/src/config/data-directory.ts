import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import { type LabConfig, type LabPaths, labPaths } from './lab-config.ts';

/** Format of the data directory. Raised when older data cannot be read any more. */
export const DATA_VERSION = '1';

/** Makes the directory, or checks that it is one of ours and of this version. Throws a LabError otherwise. */
export async function prepareDataDirectory(dataDir: string): Promise<LabPaths> {
  const paths = labPaths(dataDir);
  const found = await readIfThere(paths.version);
  if (found !== undefined && found.trim() !== DATA_VERSION)
    throw new LabError(
      `the data directory ${dataDir} was written by another version of kind-e2e (format ${found.trim()}, this one reads ${DATA_VERSION})`,
      {
        code: 'DATA_VERSION',
        side: 'user',
        remedy: `use that version, name another directory with --data-dir, or remove this one with: kind-e2e down --purge --data-dir ${dataDir}`,
      },
    );
  try {
    for (const folder of [dataDir, paths.logs, paths.podLogs, paths.pods, paths.telemetry, paths.pki])
      await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(`${dataDir}/state`, { recursive: true, mode: 0o700 });
    if (found === undefined) await writeFile(paths.version, `${DATA_VERSION}\n`);
  } catch (error) {
    throw new LabError(`the data directory ${dataDir} cannot be written`, {
      code: 'DATA_DIRECTORY',
      side: 'user',
      remedy: 'make it writable, or name another with --data-dir',
      cause: error,
    });
  }
  return paths;
}

/** The lab's configuration, or undefined where no lab was ever started here. */
export async function readLabConfig(dataDir: string): Promise<LabConfig | undefined> {
  const text = await readIfThere(labPaths(dataDir).config);
  if (text === undefined) return undefined;
  try {
    return { ...(JSON.parse(text) as LabConfig), dataDir };
  } catch (error) {
    throw new LabError(`${labPaths(dataDir).config} is damaged`, {
      code: 'LAB_CONFIG_DAMAGED',
      side: 'user',
      remedy: 'remove that file; ports and addresses are then chosen anew',
      cause: error,
    });
  }
}

export async function writeLabConfig(config: LabConfig): Promise<void> {
  await writeJson(labPaths(config.dataDir).config, config);
}

/** Removes all that the lab wrote; only a directory that carries our version file is touched. */
export async function purgeDataDirectory(dataDir: string): Promise<void> {
  if ((await readIfThere(labPaths(dataDir).version)) === undefined) return;
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Whole or not at all: readers never see half a file. */
export async function writeJson(path: string, value: unknown, mode = 0o600): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode });
  await rename(temporary, path);
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
