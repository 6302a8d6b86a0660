import { LabError } from '@kind-e2e/base';
import { NODES, POWER_ANNOTATION } from '@kind-e2e/embedded';
import { isStatusError } from '@kind-e2e/kube-api';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Command } from 'commander';
import type { Node } from 'kubernetes-types/core/v1.d.ts';
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
  add('start', 'switch a node on again, or bring back one that was deleted', 'is switched on.');
}

export async function setPower(
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
    if (!isStatusError(error, 404)) throw error;
    const isOurs = NODES.some(({ name }) => name === node);
    if (isOurs && command === 'start') {
      await bringBack(client, node);
      return;
    }
    throw new LabError(isOurs ? `the node ${node} was deleted` : `there is no node ${node}`, {
      code: 'NODE_NOT_FOUND',
      side: 'user',
      remedy: isOurs ? `\`kind-e2e node start ${node}\` brings it back` : 'see `kubectl get nodes`',
      cause: error,
    });
  }
}

/** A node that was deleted: its Node is made again, upon which its kubelet is restarted and fills it in. */
async function bringBack(client: KubeClient, node: string): Promise<void> {
  try {
    await client.create<Node>(RESOURCES.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  } catch (error) {
    if (!isStatusError(error, 409)) throw error;
  }
}
