/** Brings the pinned helm and kubectl into node_modules/.cache, where the lab looks for them. */
import { join } from 'node:path';
import { LabError, messageOf } from '../packages/base/src/index.ts';
import { fetchTools, findTool, PINNED_PLATFORM, PINNED_TOOLS } from '../packages/embedded/src/tools/index.ts';

const directory = join(import.meta.dirname, '..', 'node_modules', '.cache', 'kind-e2e', 'tools');
const isPinned = `${process.platform}-${process.arch}` === PINNED_PLATFORM;
try {
  if (isPinned) await fetchTools(PINNED_TOOLS, directory);
  else console.log(`no pinned helm for ${process.platform} ${process.arch}: the one on PATH will be used`);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  console.error(`error: ${error.message}`);
  const cause =
    error.cause === undefined
      ? []
      : messageOf(error.cause)
          .split('\n')
          .filter((line) => line !== '')
          .slice(0, 3);
  for (const line of cause) console.error(`  ${line}`);
  const helm = await findTool('helm', { directory, env: process.env }).catch(() => undefined);
  if (helm === undefined) {
    console.error(`  what to do: ${error.remedy ?? 'report it'}`);
    process.exitCode = 1;
  } else console.error(`  going on with ${helm}`);
}
