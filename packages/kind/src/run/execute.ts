import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LabError, messageOf } from '@kind-e2e/base';
import type { Settings } from '../options.ts';
import type { PlannedStep } from '../plan/step.ts';
import { type Command, formatCommand, type PlannedCommand } from './command.ts';
import type { CommandRunner } from './command-runner.ts';
import type { StateFile } from './state.ts';
import type { Survey } from './survey.ts';

export interface ExecuteOptions {
  readonly settings: Settings;
  readonly steps: readonly PlannedStep[];
  readonly runner: CommandRunner;
  readonly state: StateFile;
  readonly survey: Survey;
  readonly signal: AbortSignal;
  readonly onStep: (event: StepEvent) => void;
}

export interface StepEvent {
  readonly step: Pick<PlannedStep, 'id' | 'title'>;
  /** `skipped`: what an earlier run did still holds. */
  readonly state: 'started' | 'done' | 'skipped' | 'failed';
  readonly elapsedMs: number;
}

const AT_ONCE = 4;
const URL_INTERVAL_MS = 1_000;

/** Runs the steps, several at once, each after those it needs. At the first failure no other step begins. */
export async function execute(options: ExecuteOptions): Promise<void> {
  const done = new Set<string>();
  const waiting = new Map(options.steps.map((step) => [step.id, step]));
  const running = new Map<string, Promise<void>>();
  // Where the cluster is made anew, nothing of the old one holds.
  let isFresh = false;
  let failure: unknown;
  const isReady = (step: PlannedStep): boolean =>
    step.needs.every((id) => done.has(id) || (!waiting.has(id) && !running.has(id)));
  const launch = (step: PlannedStep): void => {
    waiting.delete(step.id);
    const run = runStep(step, options, isFresh)
      .then((was) => {
        if (step.id === 'cluster' && was === 'done') isFresh = true;
        done.add(step.id);
      })
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => running.delete(step.id));
    running.set(step.id, run);
  };
  while (waiting.size + running.size > 0) {
    if (failure === undefined && !options.signal.aborted)
      for (const step of [...waiting.values()]) if (running.size < AT_ONCE && isReady(step)) launch(step);
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failure !== undefined) throw failure;
  options.signal.throwIfAborted();
}

async function runStep(step: PlannedStep, options: ExecuteOptions, isFresh: boolean): Promise<'done' | 'skipped'> {
  const { state, survey, settings, onStep } = options;
  const { clock } = settings;
  const record = state.state.steps[step.id];
  const began = clock.monotonic();
  const tell = (what: StepEvent['state']): void => onStep({ step, state: what, elapsedMs: clock.monotonic() - began });
  const holds = !isFresh && (step.holds?.(survey) ?? false);
  if (holds && record?.finishedAt !== undefined && record.fingerprint === step.fingerprint) {
    tell('skipped');
    return 'skipped';
  }
  tell('started');
  const startedAt = new Date(clock.now()).toISOString();
  await state.update((old) => ({
    ...old,
    steps: { ...old.steps, [step.id]: { fingerprint: step.fingerprint, startedAt } },
  }));
  try {
    const repairs = isFresh
      ? []
      : (step.repair?.(survey, record !== undefined && record.finishedAt === undefined) ?? []);
    for (const file of step.files ?? []) {
      await mkdir(dirname(file.path), { recursive: true, mode: 0o700 });
      await writeFile(file.path, file.text);
    }
    if (step.release !== undefined) await noteRelease(state, step.release);
    for (const command of [...repairs, ...step.commands]) await runPlanned(command, step, options);
    for (const url of step.urls ?? []) await waitForUrl(url, options);
  } catch (error) {
    tell('failed');
    throw error;
  }
  const finishedAt = new Date(clock.now()).toISOString();
  const durationMs = Math.round(clock.monotonic() - began);
  await state.update((old) => ({
    ...old,
    steps: { ...old.steps, [step.id]: { fingerprint: step.fingerprint, startedAt, finishedAt, durationMs } },
  }));
  tell('done');
  return 'done';
}

/** Before it is installed: what an interruption leaves is ours to remove. */
function noteRelease(state: StateFile, release: string): Promise<void> {
  return state.update((old) => ({ ...old, releases: [...new Set([...old.releases, release])] }));
}

async function runPlanned(command: PlannedCommand, step: PlannedStep, options: ExecuteOptions): Promise<void> {
  const { runner, signal } = options;
  if (command.unless?.isTrue(await runner.run(command.unless.command, signal))) return;
  const result = await runner.run(command, signal);
  if (result.exitCode === 0) return;
  throw commandFailed(command, result.stderr || result.stdout, step.title, options);
}

const TOLD_LINES = 12;

function commandFailed(command: Command, said: string, title: string, options: ExecuteOptions): LabError {
  const lines = said.trim().split('\n').slice(-TOLD_LINES).join('\n');
  return new LabError(`${title}: failed\n  $ ${formatCommand(command)}\n${lines.replace(/^/gm, '  ')}`, {
    code: 'KIND_COMMAND_FAILED',
    side: 'user',
    remedy: `mend what it says (all commands are in ${options.runner.logFile}) and run up again: it goes on here`,
  });
}

async function waitForUrl(url: string, options: ExecuteOptions): Promise<void> {
  const { clock, askUrl, urlTimeoutMs } = options.settings;
  const deadline = clock.monotonic() + urlTimeoutMs;
  for (;;) {
    let last: string;
    try {
      const status = await askUrl(url, options.signal);
      if (status < 400) return;
      last = `it answers ${status}`;
    } catch (error) {
      options.signal.throwIfAborted();
      last = messageOf(error);
    }
    if (clock.monotonic() > deadline)
      throw new LabError(`${url} does not answer: ${last}`, {
        code: 'KIND_URL_SILENT',
        side: 'user',
        remedy: 'see `kind-e2e status` for pods that are not ready, then run up again',
      });
    await pause(URL_INTERVAL_MS, options.signal);
  }
}

/** Keeps the process alive, unlike the clock's sleep. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
