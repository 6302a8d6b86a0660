import type { Settings } from '../options.ts';
import type { Command } from '../run/command.ts';
import { type CommandRunner, NOT_FOUND } from '../run/command-runner.ts';
import { compareVersions, MIN_VERSIONS, NODE_KUBERNETES_MINOR } from '../versions.ts';
import type { Finding } from './finding.ts';

const INSTALL = {
  kind: 'install it: https://kind.sigs.k8s.io/docs/user/quick-start/#installation   (go install sigs.k8s.io/kind@v0.33.0)',
  helm: 'install it: https://helm.sh/docs/intro/install/',
  kubectl: 'install it: https://kubernetes.io/docs/tasks/tools/',
};

type Tool = keyof typeof INSTALL;

const VERSION_OF: Readonly<Record<Tool, Command>> = {
  kind: { program: 'kind', args: ['version'] },
  helm: { program: 'helm', args: ['version', '--short'] },
  kubectl: { program: 'kubectl', args: ['version', '--client', '--output', 'json'] },
};

/** Each program is there and new enough. */
export async function checkPrograms(
  settings: Settings,
  runner: CommandRunner,
  signal: AbortSignal,
): Promise<Finding[]> {
  const tools: Tool[] = settings.engine === 'kind' ? ['kind', 'helm', 'kubectl'] : ['helm', 'kubectl'];
  return Promise.all(tools.map((tool) => checkProgram(tool, runner, signal)));
}

async function checkProgram(tool: Tool, runner: CommandRunner, signal: AbortSignal): Promise<Finding> {
  const result = await runner.run(VERSION_OF[tool], signal);
  if (result.exitCode === NOT_FOUND)
    return { check: tool, state: 'problem', detail: `${tool} was not found`, remedy: INSTALL[tool] };
  const version = /v?(\d+\.\d+\.\d+)/.exec(result.stdout)?.[1];
  if (result.exitCode !== 0 || version === undefined)
    return {
      check: tool,
      state: 'problem',
      detail: `its version cannot be read: ${(result.stderr || result.stdout).trim().split('\n')[0] ?? ''}`,
      remedy: INSTALL[tool],
    };
  const least = MIN_VERSIONS[tool];
  if (compareVersions(version, least) < 0)
    return {
      check: tool,
      state: 'problem',
      detail: `version ${version}; ${least} or newer is needed`,
      remedy: INSTALL[tool],
    };
  const minor = Number(version.split('.')[1]);
  if (tool === 'kubectl' && Math.abs(minor - NODE_KUBERNETES_MINOR) > 1)
    return {
      check: tool,
      state: 'warning',
      detail: `version ${version}; the cluster is 1.${NODE_KUBERNETES_MINOR}, and Kubernetes supports one minor version of difference`,
      remedy: 'it mostly works; a newer kubectl is at https://kubernetes.io/docs/tasks/tools/',
    };
  return { check: tool, state: 'ok', detail: `version ${version}` };
}

/** 3 or 4; 4 where Helm is not there, for a plan that is only printed. */
export async function helmMajorOf(runner: CommandRunner, signal: AbortSignal): Promise<number> {
  const result = await runner.run(VERSION_OF.helm, signal);
  return Number(/v?(\d+)\.\d+\.\d+/.exec(result.stdout)?.[1] ?? 4);
}
