import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { type RealClusterOptions, resolveSettings, type Settings } from './options.ts';
import { type LabUrl, labUrls, makePlan, type Plan } from './plan/plan.ts';
import { printPlan } from './plan/print-plan.ts';
import { checkDocker } from './preflight/docker.ts';
import { checkExisting } from './preflight/existing.ts';
import type { Finding } from './preflight/finding.ts';
import { checkInotify, checkPorts } from './preflight/machine.ts';
import { checkOtherCluster } from './preflight/other-cluster.ts';
import { checkPrograms, helmMajorOf } from './preflight/programs.ts';
import { CommandRunner } from './run/command-runner.ts';
import { execute, type StepEvent } from './run/execute.ts';
import { type LabState, readState, StateFile } from './run/state.ts';
import { takeSurvey } from './run/survey.ts';
import { takeDown } from './run/take-down.ts';

/** A lab on a cluster of real systems: one that kind makes, or one that is there. */
export class RealLab {
  readonly settings: Settings;
  readonly logFile: string;
  readonly #runner: CommandRunner;
  readonly #stateFile: string;

  constructor(options: RealClusterOptions) {
    this.settings = resolveSettings(options);
    const { dataDir, programs, root, clock } = this.settings;
    this.logFile = join(dataDir, 'log', 'commands.log');
    this.#stateFile = stateFileOf(dataDir);
    this.#runner = new CommandRunner({
      programs,
      cwd: root,
      env: environment(this.settings),
      logFile: this.logFile,
      clock,
    });
  }

  /** The plan as text, for `--dry-run`. Asks for Helm's version and nothing else; makes nothing but the log file. */
  async describe(signal: AbortSignal): Promise<string> {
    return printPlan(await this.#plan(signal), this.settings);
  }

  /** Looks whether all is there that `up` needs. Makes nothing. */
  async preflight(signal: AbortSignal): Promise<readonly Finding[]> {
    const { settings } = this;
    const runner = this.#runner;
    const state = await readState(this.#stateFile);
    const programs = await checkPrograms(settings, runner, signal);
    const docker = settings.engine === 'kind' || settings.app ? await checkDocker(settings, runner, signal) : [];
    const has = (findings: readonly Finding[]): boolean => findings.every(({ state: found }) => found !== 'problem');
    if (settings.engine === 'cluster') {
      const cluster = has(programs)
        ? await checkOtherCluster(settings, makePlan(settings, 4).helmfile, runner, state, signal)
        : [];
      return [...docker, ...programs, ...cluster];
    }
    // What is there can only be asked where the programs that know it are.
    const existing =
      docker.some(({ check, state: found }) => check === 'Docker' && found === 'ok') && has(programs)
        ? await checkExisting(settings, runner, state, signal)
        : { findings: [], ourPorts: new Set<keyof Settings['ports']>() };
    return [
      ...docker,
      ...programs,
      ...(await checkInotify(settings)),
      ...(await checkPorts(settings, existing.ourPorts)),
      ...existing.findings,
    ];
  }

  /**
   * Brings everything up, or goes on where an earlier run stopped. Throws a LabError `KIND_PREFLIGHT` before anything
   * is made, `KIND_COMMAND_FAILED` with what a program said.
   */
  async up(signal: AbortSignal, onStep: (event: StepEvent) => void): Promise<readonly LabUrl[]> {
    const problems = (await this.preflight(signal)).filter(({ state }) => state === 'problem');
    if (problems.length > 0) throw preflightFailed(problems);
    const { settings } = this;
    const plan = await this.#plan(signal);
    const before = await readState(this.#stateFile);
    const survey = await takeSurvey(settings, this.#runner, signal);
    const state = new StateFile(this.#stateFile, this.#stateFor(before));
    await state.update((old) => old);
    await execute({ settings, steps: plan.steps, runner: this.#runner, state, survey, signal, onStep });
    return labUrls(settings);
  }

  /** Removes what this lab made, and nothing else. Says what was removed; empty where there was nothing. */
  async down(signal: AbortSignal): Promise<readonly string[]> {
    const state = await readState(this.#stateFile);
    return takeDown({ settings: this.settings, state, runner: this.#runner, signal });
  }

  async #plan(signal: AbortSignal): Promise<Plan> {
    await mkdir(join(this.settings.dataDir, 'log'), { recursive: true, mode: 0o700 });
    return makePlan(this.settings, await helmMajorOf(this.#runner, signal));
  }

  /** What an earlier run did counts only on the same cluster. */
  #stateFor(before: LabState | undefined): LabState {
    const { engine, clusterName, context, ports, appNamespace, mergeKubeconfig, app, repository } = this.settings;
    const isSame = before?.context === context && before.engine === engine;
    return {
      version: 1,
      engine,
      clusterName,
      context,
      ports,
      appNamespace,
      app,
      ...(repository === undefined ? {} : { repository }),
      mergedKubeconfig: mergeKubeconfig || (isSame && before.mergedKubeconfig),
      steps: isSame ? before.steps : {},
      releases: isSame ? before.releases : [],
    };
  }
}

export function stateFileOf(dataDir: string): string {
  return join(dataDir, 'state.json');
}

/** The process's own variables, with Helm's folders and, for kind, no kubeconfig but ours. */
function environment(settings: Settings): NodeJS.ProcessEnv {
  const helm = join(settings.dataDir, 'helm');
  return {
    ...settings.env,
    HELM_CACHE_HOME: join(helm, 'cache'),
    HELM_CONFIG_HOME: join(helm, 'config'),
    HELM_DATA_HOME: join(helm, 'data'),
  };
}

function preflightFailed(problems: readonly Finding[]): LabError {
  const lines = problems.map(
    ({ check, detail, remedy }) => `  ✖ ${check}: ${detail}${remedy === undefined ? '' : `\n      ${remedy}`}`,
  );
  return new LabError(
    `${problems.length} thing${problems.length === 1 ? ' is' : 's are'} in the way; nothing was made\n${lines.join('\n')}`,
    {
      code: 'KIND_PREFLIGHT',
      side: 'user',
      remedy: 'do what stands under each, then run this again; `kind-e2e doctor` looks once more',
    },
  );
}
