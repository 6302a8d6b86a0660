import { systemClock } from '@kind-e2e/base';
import { waitFor } from '@kind-e2e/embedded';
import type { Lab, LabProcess } from '@kind-e2e/lab';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

/** Names as `labProcesses` gives them. */
const PROCESSES = [
  /^supervisor$/,
  /^control-plane$/,
  /^istio-system\/istio-ingressgateway-[^ ]*$/,
  /^istio-system\/observability-[^ ]*$/,
  /^default\/front-end-[^ ]*$/,
  /^default\/business-logic-[^ ]*$/,
];

describe('kill -9 of any one process', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });

  const until = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
    waitFor(ask, { clock: systemClock, timeoutMs: 60_000, what });

  it.each(PROCESSES)('%s: it comes back, the others stay, nothing stored is lost', async (name) => {
    const before = await lab.processes();
    const victim = find(before, name);
    const known = await storedClick();
    process.kill(victim.pid, 'SIGKILL');
    await until(`${name} to come back`, async () => {
      const found = (await lab.processes()).find((process) => name.test(process.name));
      return found && found.pid !== victim.pid ? found : undefined;
    });
    const after = await lab.processes();
    // The shell that waits for a program ends with it.
    for (const other of before)
      if (!other.name.startsWith(victim.name))
        expect(
          after.map(({ pid }) => pid),
          `${other.name} goes on`,
        ).toContain(other.pid);
    await until('the next click to work', async () => {
      const answer = await lab.request('/demo-app/fast-page');
      return answer.status === 200 ? true : undefined;
    });
    const trace = await until('the stored trace', () => lab.telemetry.trace(known.traceId));
    expect(trace.spans.length).toBeGreaterThanOrEqual(known.spans);
    const lines = await until('the stored line', async () => {
      const found = await lab.telemetry.logql(`{app="front-end"} |= "${known.traceId}"`);
      return found.length > 0 ? found : undefined;
    });
    expect(lines).toHaveLength(1);
    await until('the API server', async () => ((await lab.client.request('GET', '/readyz')).ok ? true : undefined));
  });

  /** A click whose trace and log line are in the stores. */
  async function storedClick(): Promise<{ traceId: string; spans: number }> {
    const answer = await until('a click', async () => {
      const found = await lab.request('/demo-app/fast-page');
      return found.status === 200 && found.traceId ? found : undefined;
    });
    const traceId = answer.traceId ?? '';
    const trace = await lab.telemetry.waitForTrace(traceId, { minSpans: 8, timeoutMs: 30_000 });
    await lab.telemetry.waitForLines(`{app="front-end"} |= "${traceId}"`, { timeoutMs: 30_000 });
    return { traceId, spans: trace.spans.length };
  }
});

function find(processes: readonly LabProcess[], name: RegExp): LabProcess {
  const found = processes.find((process) => name.test(process.name));
  if (!found) throw new Error(`no process ${name} among ${processes.map((process) => process.name).join(', ')}`);
  return found;
}
