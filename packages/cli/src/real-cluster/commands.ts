import { LabError, systemClock } from '@kind-e2e/base';
import { type Finding, type LabUrl, pipelineNote, type StepEvent } from '@kind-e2e/kind';
import type { CommandContext } from '../context.ts';
import { waitForInterrupt } from '../output/interrupt.ts';
import { isRealEngine, type RealClusterFlags, readRealState, realDataDir, realLabOf } from './flags.ts';
import { originOf } from './origin.ts';

/** `up` on kind or another cluster: comes back when all is ready; everything goes on without it. */
export async function upReal(
  flags: RealClusterFlags & { readonly json?: boolean },
  context: CommandContext,
): Promise<void> {
  const repository = flags.repository ?? (await originOf(context.installation.root, context.env));
  const lab = await realLabOf({ ...flags, ...(repository === undefined ? {} : { repository }) }, context);
  const interrupted = waitForInterrupt();
  try {
    if (flags.dryRun) {
      context.out(await lab.describe(interrupted.signal));
      return;
    }
    context.err('Checking the machine …');
    const began = systemClock.monotonic();
    const urls = await lab.up(interrupted.signal, (event) => printStep(event, context));
    printReady(urls, pipelineNote(lab.settings), systemClock.monotonic() - began, flags, context);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    throw new LabError('interrupted', {
      code: 'INTERRUPTED',
      side: 'user',
      remedy: `run the same again: it goes on where it stopped (${lab.logFile} has every command)`,
    });
  } finally {
    interrupted.dispose();
  }
}

function printStep({ step, state, elapsedMs }: StepEvent, context: CommandContext): void {
  const seconds = `${(elapsedMs / 1_000).toFixed(1)} s`;
  switch (state) {
    case 'started':
      context.err(`  … ${step.title}`);
      return;
    case 'done':
      context.err(`  ✔ ${step.title} (${seconds})`);
      return;
    case 'skipped':
      context.err(`  ✔ ${step.title} (done before)`);
      return;
    case 'failed':
      context.err(`  ✖ ${step.title} (${seconds})`);
      return;
  }
}

function printReady(
  urls: readonly LabUrl[],
  note: string | undefined,
  elapsedMs: number,
  flags: RealClusterFlags & { readonly json?: boolean },
  context: CommandContext,
): void {
  if (flags.json) {
    const dataDir = isRealEngine(flags.engine) ? realDataDir(flags.engine, flags.dataDir, context.cwd) : undefined;
    context.out(JSON.stringify({ urls, dataDir, notes: note === undefined ? [] : [note] }, null, 2));
    return;
  }
  context.out(`\nReady in ${(elapsedMs / 1_000).toFixed(0)} s\n`);
  const width = Math.max(0, ...urls.map(({ title }) => title.length));
  for (const { title, url } of urls) context.out(`  ${title.padEnd(width)}  ${url}`);
  if (note !== undefined) context.out(`\n${note}`);
  if (flags.engine === 'kind') context.out('\nkubectl: export KUBECONFIG=$(npx kind-e2e kubeconfig --path)');
  else
    context.out(`\nThe gateway: kubectl --context ${flags.context} -n istio-system get service istio-ingressgateway`);
  context.out(`End it with: npx kind-e2e down --engine ${flags.engine}`);
}

/** `down` on kind or another cluster. */
export async function downReal(flags: RealClusterFlags, context: CommandContext): Promise<void> {
  if (!isRealEngine(flags.engine)) return;
  const before = await readRealState(flags.engine, flags.dataDir, context.cwd);
  if (flags.engine === 'cluster' && before === undefined) {
    context.err('Nothing was installed.');
    return;
  }
  const lab = await realLabOf({ ...flags, app: false }, context, before);
  const interrupted = waitForInterrupt();
  try {
    const removed = await lab.down(interrupted.signal);
    for (const what of removed) context.err(`Removed: ${what}`);
    context.err(removed.length > 0 ? 'The lab has ended.' : 'No lab was running.');
  } finally {
    interrupted.dispose();
  }
}

/** The findings of `doctor` for kind or another cluster. */
export async function doctorReal(flags: RealClusterFlags, context: CommandContext): Promise<readonly Finding[]> {
  const before = isRealEngine(flags.engine) ? await readRealState(flags.engine, flags.dataDir, context.cwd) : undefined;
  const lab = await realLabOf({ ...flags, registry: flags.registry ?? registryFor(flags) }, context, before);
  return lab.preflight(new AbortController().signal);
}

/** `doctor` asks nothing of a registry. */
function registryFor(flags: RealClusterFlags): string | undefined {
  return flags.engine === 'cluster' ? 'localhost' : undefined;
}
