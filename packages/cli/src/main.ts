import { EXIT_CODES, LabError, messageOf, systemCodeOf } from '@kind-e2e/base';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { addBuildCommands } from './commands/build.ts';
import { addChaosCommand } from './commands/chaos.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addDownCommand } from './commands/down.ts';
import { addInfoCommands } from './commands/info.ts';
import { addLogsCommand } from './commands/logs.ts';
import { addNodeCommands } from './commands/node.ts';
import { addPipelineCommand } from './commands/pipeline.ts';
import { addQueryCommand } from './commands/query.ts';
import { addStatusCommand } from './commands/status.ts';
import { addStoreCommands } from './commands/store.ts';
import { addTraceCommand } from './commands/trace.ts';
import { addTrafficCommand } from './commands/traffic.ts';
import { addUpCommand } from './commands/up.ts';
import { createContext } from './context.ts';

/** Runs one command line. Exit codes: 0 done, 1 the user can mend it, 2 wrong usage, 70 our fault. */
export async function main(argv: readonly string[], root: string): Promise<void> {
  const context = createContext(root);
  const program = new Command('kind-e2e')
    .description('A distributed web app on Kubernetes, in an Istio mesh, observed end to end, on one machine.')
    .version('0.1.0', '-V, --version')
    .configureHelp({ sortSubcommands: false })
    .showSuggestionAfterError()
    .exitOverride();
  const add = [
    addUpCommand,
    addDownCommand,
    addStatusCommand,
    addNodeCommands,
    addChaosCommand,
    addDoctorCommand,
    addInfoCommands,
    addBuildCommands,
    addTrafficCommand,
    addLogsCommand,
    addTraceCommand,
    addQueryCommand,
    addStoreCommands,
    addPipelineCommand,
  ];
  for (const addCommand of add) addCommand(program, context);
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error, context.err);
  }
}

/** Says what went wrong and what to do; gives the exit code. */
export function report(error: unknown, write: (text: string) => void): number {
  if (isSilence(error)) {
    write("error: the lab's API server does not answer");
    write('  what to do: see `kind-e2e status`; start the lab with `kind-e2e up`; it may just be coming back');
    return EXIT_CODES.user;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  if (error instanceof InvalidArgumentError) {
    write(`error: ${error.message}`);
    return EXIT_CODES.usage;
  }
  if (error instanceof LabError) {
    write(`error: ${error.message}`);
    if (error.remedy !== undefined) write(`  what to do: ${error.remedy}`);
    if (error.side === 'internal' && error.cause !== undefined) write(`  cause: ${messageOf(error.cause)}`);
    return EXIT_CODES[error.side];
  }
  write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  write('  what to do: this is our fault; please report it with the lines above');
  return EXIT_CODES.internal;
}

/** Nothing listens, or what listened went away. */
function isSilence(error: unknown): boolean {
  return ['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET'].includes(systemCodeOf(error) ?? '');
}
