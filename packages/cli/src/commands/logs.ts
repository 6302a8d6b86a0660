import { LabError } from '@kind-e2e/base';
import { type KubeClient, RESOURCES } from '@kind-e2e/kube-client';
import type { Command } from 'commander';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { type CommandContext, type DataDirOption, kubeClientOf, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP, parsePositive } from '../options.ts';

interface LogsFlags extends DataDirOption {
  readonly namespace?: string;
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: number;
}

export function addLogsCommand(program: Command, context: CommandContext): void {
  program
    .command('logs')
    .description('what a pod, or every pod of an app, wrote')
    .argument('<name>', 'a pod, or an app such as front-end')
    .option('-n, --namespace <name>', 'look only there (default: all)')
    .option('-c, --container <name>', 'which container of the pod')
    .option('-f, --follow', 'go on as more is written')
    .option('-p, --previous', 'of the container before its last restart')
    .option('--tail <lines>', 'only so many of the last lines', parsePositive)
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (name: string, flags: LogsFlags) => {
      const config = await requireLab(context, flags);
      await using client = await kubeClientOf(config);
      const pods = await findPods(client, name, flags.namespace);
      await Promise.all(pods.map((pod) => printLog(client, pod, flags, pods.length > 1, context)));
    });
}

async function findPods(client: KubeClient, name: string, namespace: string | undefined): Promise<readonly Pod[]> {
  const { items } = await client.list<Pod>(RESOURCES.pods, namespace === undefined ? {} : { namespace });
  const exact = items.filter((pod) => pod.metadata?.name === name);
  const found = exact.length > 0 ? exact : items.filter((pod) => isOfApp(pod, name));
  if (found.length > 0) return found;
  const known = items.map((pod) => pod.metadata?.name).join(', ');
  throw new LabError(`there is no pod and no app ${name}${namespace === undefined ? '' : ` in ${namespace}`}`, {
    code: 'NO_POD',
    side: 'user',
    remedy: known ? `pods: ${known}` : 'no pod runs; see `kind-e2e status`',
  });
}

function isOfApp(pod: Pod, name: string): boolean {
  const labels = pod.metadata?.labels ?? {};
  return (
    labels.app === name ||
    labels['app.kubernetes.io/name'] === name ||
    pod.metadata?.generateName?.startsWith(`${name}-`) === true
  );
}

async function printLog(
  client: KubeClient,
  pod: Pod,
  flags: LogsFlags,
  prefixed: boolean,
  context: CommandContext,
): Promise<void> {
  const { name, namespace } = pod.metadata ?? {};
  const query = new URLSearchParams();
  const container = flags.container ?? pod.spec?.containers[0]?.name;
  if (container !== undefined) query.set('container', container);
  if (flags.follow) query.set('follow', 'true');
  if (flags.previous) query.set('previous', 'true');
  if (flags.tail !== undefined) query.set('tailLines', String(flags.tail));
  const answer = await client.request('GET', `/api/v1/namespaces/${namespace}/pods/${name}/log?${query}`);
  if (!answer.ok) {
    const status = (await answer.json()) as { message?: string };
    throw new LabError(status.message ?? `the log of ${name} cannot be read`, {
      code: 'LOG_UNREADABLE',
      side: 'user',
      remedy: `see kubectl describe pod ${name} -n ${namespace}`,
    });
  }
  let rest = '';
  const decoder = new TextDecoder();
  const print = (line: string): void => context.out(prefixed ? `[${name}] ${line}` : line);
  for await (const chunk of answer.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) print(line);
  }
  if (rest !== '') print(rest);
}
