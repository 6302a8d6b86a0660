import { systemClock } from '@kind-e2e/base';
import type { Command } from 'commander';
import { type CommandContext, type DataDirOption, gatewayOf, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP, parsePositive } from '../options.ts';
import { waitForInterrupt } from '../output/interrupt.ts';
import { formatDuration } from '../output/table.ts';

interface TrafficFlags extends DataDirOption {
  readonly rate: number;
  readonly duration: number;
  readonly path: string;
  readonly json?: boolean;
}

/** What was sent and what came back. */
interface TrafficReport {
  readonly sent: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function addTrafficCommand(program: Command, context: CommandContext): void {
  program
    .command('traffic')
    .description('send steady requests through the gateway and say how they were answered')
    .option('-r, --rate <n>', 'requests a second', parsePositive, 10)
    .option('-t, --duration <seconds>', 'for how long', parsePositive, 30)
    .option('--path <path>', 'what to ask', '/demo-app/fast-page')
    .option('--json', 'print the report as JSON')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (flags: TrafficFlags) => {
      const config = await requireLab(context, flags);
      const interrupted = waitForInterrupt();
      const report = await send(`${gatewayOf(config)}${flags.path}`, flags, interrupted.signal);
      interrupted.dispose();
      context.out(flags.json ? JSON.stringify(report) : render(report));
      if (report.failed > 0) process.exitCode = 1;
    });
}

async function send(url: string, flags: TrafficFlags, signal: AbortSignal): Promise<TrafficReport> {
  const durations: number[] = [];
  const statuses: Record<string, number> = {};
  let failed = 0;
  const open = new Set<Promise<void>>();
  const one = async (): Promise<void> => {
    const started = systemClock.monotonic();
    let outcome: string;
    try {
      const answer = await fetch(url, { headers: { accept: 'application/json' } });
      await answer.arrayBuffer();
      outcome = String(answer.status);
      if (answer.status >= 500) failed++;
    } catch {
      outcome = 'no answer';
      failed++;
    }
    statuses[outcome] = (statuses[outcome] ?? 0) + 1;
    durations.push(systemClock.monotonic() - started);
  };
  const begun = systemClock.monotonic();
  const total = Math.round(flags.rate * flags.duration);
  for (let sent = 0; sent < total && !signal.aborted; sent++) {
    const dueMs = (sent / flags.rate) * 1_000 - (systemClock.monotonic() - begun);
    if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
    const request = one();
    open.add(request);
    request.finally(() => open.delete(request));
  }
  await Promise.all(open);
  durations.sort((a, b) => a - b);
  const at = (quantile: number): number =>
    durations[Math.min(durations.length - 1, Math.floor(durations.length * quantile))] ?? 0;
  return { sent: durations.length, statuses, failed, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function render(report: TrafficReport): string {
  const statuses = Object.entries(report.statuses)
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');
  return `${report.sent} requests (${statuses}), ${report.failed} failed, p50 ${formatDuration(report.p50Ms)}, p99 ${formatDuration(report.p99Ms)}`;
}
