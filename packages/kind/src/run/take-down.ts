import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { OWNER_LABEL, REGISTRY_CONTAINER, type Settings } from '../options.ts';
import { type Command, formatCommand } from './command.ts';
import type { CommandRunner } from './command-runner.ts';
import type { LabState } from './state.ts';
import { helmFlags, listClusters, listReleases } from './survey.ts';

export interface TakeDownOptions {
  readonly settings: Settings;
  readonly state: LabState | undefined;
  readonly runner: CommandRunner;
  readonly signal: AbortSignal;
}

/** Removes the lab's cluster and registry, or its releases from another cluster. Safe to run again. */
export async function takeDown(options: TakeDownOptions): Promise<readonly string[]> {
  const { settings, state } = options;
  const removed = settings.engine === 'kind' ? await removeKind(options) : await removeReleases(options);
  if (state !== undefined) await rm(join(settings.dataDir, 'state.json'), { force: true });
  return removed;
}

async function removeKind(options: TakeDownOptions): Promise<readonly string[]> {
  const { settings, state, runner, signal } = options;
  const removed: string[] = [];
  const name = state?.clusterName ?? settings.clusterName;
  if (state?.steps.cluster !== undefined && (await listClusters(runner, signal)).has(name)) {
    // Without --kubeconfig kind takes the context out of the user's own, where it was merged into it.
    const own = state.mergedKubeconfig ? [] : ['--kubeconfig', settings.kubeconfig ?? ''];
    await need({ program: 'kind', args: ['delete', 'cluster', '--name', name, ...own] }, options);
    removed.push(`cluster ${name}`);
  }
  const label = await runner.run(
    {
      program: 'docker',
      args: ['container', 'inspect', '--format', `{{index .Config.Labels "${OWNER_LABEL}"}}`, REGISTRY_CONTAINER],
    },
    signal,
  );
  if (label.exitCode === 0 && label.stdout.trim() === name) {
    await need({ program: 'docker', args: ['rm', '--force', '--volumes', REGISTRY_CONTAINER] }, options);
    removed.push(`registry ${REGISTRY_CONTAINER}`);
  }
  await rm(settings.kubeconfig ?? '', { force: true });
  return removed;
}

/** In the opposite order of their installation. Namespaces and resource definitions stay: others may use them. */
async function removeReleases(options: TakeDownOptions): Promise<readonly string[]> {
  const { settings, state, runner, signal } = options;
  if (state === undefined) return [];
  const found = await listReleases(settings, runner, signal);
  const removed: string[] = [];
  for (const key of [...state.releases].reverse()) {
    if (!found.has(key)) continue;
    const [namespace = '', name = ''] = key.split('/');
    await need(
      { program: 'helm', args: ['uninstall', name, '--namespace', namespace, '--wait', ...helmFlags(settings)] },
      options,
    );
    removed.push(`release ${key}`);
  }
  return removed;
}

async function need(command: Command, { runner, signal }: TakeDownOptions): Promise<void> {
  const result = await runner.run(command, signal);
  if (result.exitCode === 0) return;
  throw new LabError(`$ ${formatCommand(command)}\n  ${(result.stderr || result.stdout).trim()}`, {
    code: 'KIND_COMMAND_FAILED',
    side: 'user',
    remedy: `mend what it says and run down again; all commands are in ${runner.logFile}`,
  });
}
