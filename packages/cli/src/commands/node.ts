import { LabError } from '@kind-e2e/base';
import { POWER_ANNOTATION } from '@kind-e2e/embedded';
import { StatusError } from '@kind-e2e/kube-api';
import { RESOURCES } from '@kind-e2e/kube-client';
import type { Command } from 'commander';
import { type CommandContext, type DataDirOption, isOnKind, kubeClientOf, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP } from '../options.ts';

/** `node stop|start <name>`: what the loss of a machine does. */
export function addNodeCommands(program: Command, context: CommandContext): void {
  const nodes = program.command('node').description('switch nodes off and on, to see what the loss of one does');
  const add = (name: 'stop' | 'start', description: string, done: string): void => {
    nodes
      .command(name)
      .description(description)
      .argument('<node>', 'its name, such as worker-2')
      .option(DATA_DIR_FLAG, DATA_DIR_HELP)
      .action(async (node: string, flags: DataDirOption) => {
        await setPower(node, name, flags, context);
        context.err(`${node} ${done}`);
      });
  };
  add(
    'stop',
    'switch a node off: its containers end, its heartbeat stops',
    'is switched off. See `kubectl get nodes -w`.',
  );
  add('start', 'switch a node on again', 'is switched on.');
}

async function setPower(
  node: string,
  command: 'stop' | 'start',
  flags: DataDirOption,
  context: CommandContext,
): Promise<void> {
  const config = await requireLab(context, flags);
  if (isOnKind(config))
    throw new LabError('nodes of kind are containers, which this command does not switch', {
      code: 'NOT_EMBEDDED',
      side: 'user',
      remedy: `run \`docker ${command} ${node}\``,
    });
  await using client = await kubeClientOf(config);
  const annotations = { [POWER_ANNOTATION]: command === 'stop' ? 'off' : null };
  try {
    await client.patch(RESOURCES.nodes, { name: node }, 'merge', { metadata: { annotations } });
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.code !== 404) throw error;
    throw new LabError(`there is no node ${node}`, {
      code: 'NODE_NOT_FOUND',
      side: 'user',
      remedy: 'see `kubectl get nodes`; one that was deleted registers anew when the lab starts again',
      cause: error,
    });
  }
}
