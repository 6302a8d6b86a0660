/** Brings the pinned helm and kubectl into node_modules/.cache, where the lab looks for them. */
import { join } from 'node:path';
import { fetchTools, PINNED_PLATFORM, PINNED_TOOLS } from '../packages/embedded/src/tools/index.ts';

if (`${process.platform}-${process.arch}` === PINNED_PLATFORM) {
  await fetchTools(PINNED_TOOLS, join(import.meta.dirname, '..', 'node_modules', '.cache', 'kind-e2e', 'tools'));
} else {
  console.log(`no pinned helm for ${process.platform} ${process.arch}: the one on PATH will be used`);
}
