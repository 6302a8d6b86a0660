/**
 * The whole lab: time to ready (first start, and one with everything installed and built), memory (sum of PSS), how soon
 * a trace is complete after its answer, requests per second through the gateway beside `http-proxy` in the same run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, startLab } from '@kind-e2e/lab';
import { compareGateway } from './support/gateway.ts';

const CLICKS = 20;
const SPANS_OF_FAST_PAGE = 8;

const dataDir = await mkdtemp(join(tmpdir(), 'kind-e2e-bench-'));
try {
  {
    const started = performance.now();
    await using _lab = await startLab({ dataDir });
    print('time to ready, empty data directory', seconds(performance.now() - started));
  }
  const started = performance.now();
  await using lab = await startLab({ dataDir });
  print('time to ready, second start (target < 5 s)', seconds(performance.now() - started));
  await printMemory(lab, 'memory when ready (target < 500 MB)');
  await printTraceDelay(lab);
  await compareGateway(lab, print);
  await printMemory(lab, 'memory after the load');
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

async function printMemory(lab: Lab, title: string): Promise<void> {
  const processes = await lab.processes();
  const total = processes.reduce((sum, { pssBytes }) => sum + pssBytes, 0);
  print(title, megabytes(total));
  for (const { name, pssBytes } of processes.toSorted((a, b) => b.pssBytes - a.pssBytes))
    if (pssBytes > 3e6) print(`  ${name}`, megabytes(pssBytes));
}

/** From the end of the answer until the trace by id has all its spans. */
async function printTraceDelay(lab: Lab): Promise<void> {
  const delays: number[] = [];
  for (let click = 0; click < CLICKS; click++) {
    const answer = await lab.request('/demo-app/fast-page');
    const answered = performance.now();
    await lab.telemetry.waitForTrace(answer.traceId ?? '', { minSpans: SPANS_OF_FAST_PAGE });
    delays.push(performance.now() - answered);
  }
  delays.sort((a, b) => a - b);
  print(
    'trace complete after the answer, p50 / max (target < 2 s)',
    `${Math.round(delays[CLICKS / 2] ?? 0)} / ${Math.round(delays.at(-1) ?? 0)} ms`,
  );
}

function print(title: string, value: string): void {
  console.log(`${title.padEnd(62)} ${value}`);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
