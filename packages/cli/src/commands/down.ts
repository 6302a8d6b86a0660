import { LabError } from '@kind-e2e/base';
import { down, resolveDataDir } from '@kind-e2e/embedded';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP } from '../options.ts';
import { downReal } from '../real-cluster/commands.ts';
import { engineOption, isRealEngine, type RealClusterFlags, readRealState } from '../real-cluster/flags.ts';

interface DownFlags extends RealClusterFlags {
  readonly purge?: boolean;
}

export function addDownCommand(program: Command, context: CommandContext): void {
  program
    .command('down')
    .description('end the lab; its data is kept unless --purge')
    .option('--purge', 'remove all its data too')
    .addOption(engineOption().default('embedded'))
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (flags: DownFlags) => {
      if (isRealEngine(flags.engine)) return downReal(flags, context);
      const dataDir = resolveDataDir(flags.dataDir, context.cwd);
      if (flags.purge) await refuseWhileReal(flags, context);
      const result = await down({ dataDir, purge: flags.purge ?? false, logger: context.logger });
      context.err(result.wasRunning ? 'The lab has ended.' : 'No lab was running.');
      if (result.strays > 0) context.err(`${result.strays} process(es) of a lab that had been killed were ended too.`);
      if (result.purged) context.err(`All data in ${dataDir} was removed.`);
    });
}

/** The directory also knows what was made on a real cluster: without it `down` could not tell what is ours. */
async function refuseWhileReal(flags: DownFlags, context: CommandContext): Promise<void> {
  for (const engine of ['kind', 'cluster'] as const) {
    if ((await readRealState(engine, flags.dataDir, context.cwd)) === undefined) continue;
    throw new LabError(`the data directory also belongs to a lab of the engine ${engine}`, {
      code: 'LAB_ON_REAL_CLUSTER',
      side: 'user',
      remedy: `end that one first: kind-e2e down --engine ${engine}`,
    });
  }
}
