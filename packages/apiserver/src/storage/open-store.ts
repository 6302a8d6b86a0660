import type { Clock, Logger } from '@kind-e2e/base';
import { KEPT_DELETIONS, readDataFile } from './data-file.ts';
import { ObjectStore } from './object-store.ts';
import { createSqliteWriter, createVolatileWriter } from './write-worker.ts';

/** Opens the objects of a data file; without a path they live in memory only. */
export async function openObjectStore(path: string | undefined, clock: Clock, logger: Logger): Promise<ObjectStore> {
  if (path === undefined)
    return new ObjectStore(
      { revision: 0, historyStart: 0, objects: [], deletions: [] },
      createVolatileWriter(),
      clock,
      logger,
    );
  const content = readDataFile(path);
  return new ObjectStore(content, await createSqliteWriter(path, KEPT_DELETIONS), clock, logger);
}
