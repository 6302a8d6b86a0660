import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTelemetryStore } from '../src/index.ts';
import { makeTrace, matcher, temporaryDirectory } from './fixtures.ts';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 20);

/** Runs the writer until it has acknowledged enough, kills it, and gives the last acknowledged number of each signal. */
async function ingestAndKill(
  directory: string,
  from: number,
  acknowledgements: number,
): Promise<Record<string, number>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'ingest-child.ts'), directory, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const last: Record<string, number> = {};
  let rest = '';
  let seen = 0;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [signal = '', n] = line.split(' ');
      last[signal] = Number(n);
    }
    seen += lines.length;
    if (seen >= acknowledgements) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return last;
}

describe('after kill -9', () => {
  it(`every acknowledged sample, line and span is there, once (${ROUNDS} rounds)`, {
    timeout: 20_000 + ROUNDS * 5000,
  }, async () => {
    using directory = temporaryDirectory();
    const acknowledged: { from: number; last: Record<string, number> }[] = [];
    let from = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const last = await ingestAndKill(directory.path, from, 30 + ((round * 7919) % 400));
      acknowledged.push({ from, last });
      from = Math.max(from, ...Object.values(last).map((n) => n + 200));
    }
    await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
    const base = Date.UTC(2026, 0, 1);
    const series = store.metrics.select({ matchers: [matcher('__name__', 'x_total')], startMs: 0, endMs: Infinity });
    expect(series).toHaveLength(20);
    const [first] = series;
    expect(new Set(first?.timestamps).size).toBe(first?.timestamps.length);
    const values = new Map(Array.from(first?.timestamps ?? [], (time, i) => [time, first?.values[i]]));
    const lines = new Map<string, number>();
    for (const chunk of store.logs.select({
      matchers: [matcher('app', 'web')],
      startNs: 0n,
      endNs: 1n << 62n,
      direction: 'forward',
    })) {
      let at = 0;
      for (const end of chunk.ends) {
        const line = Buffer.from(chunk.text.subarray(at, end)).toString('utf8', 0, 40).split(' ')[1] ?? '';
        lines.set(line, (lines.get(line) ?? 0) + 1);
        at = end;
      }
    }
    expect([...lines.values()].every((count) => count === 1)).toBe(true);
    const written = store.metrics
      .select({ matchers: [matcher('__name__', 'w_total')], startMs: 0, endMs: Infinity })
      .map(({ labels, timestamps, values: numbers }) => ({ i: Number(labels.get('i')), timestamps, numbers }));
    const byNumber = new Map(
      written.map(({ i, timestamps, numbers }) => [
        i,
        new Map(Array.from(timestamps, (time, at) => [time, numbers[at]])),
      ]),
    );
    for (const { i, timestamps } of written) expect(byNumber.get(i)?.size).toBe(timestamps.length);
    const lost: string[] = [];
    for (const { from: begin, last } of acknowledged) {
      for (let n = begin; n <= (last.w ?? -1); n++)
        for (let i = 0; i < 10 + Math.floor(n / 1000); i++)
          for (let at = n * 3; at < n * 3 + 3; at++) {
            const value = i % 3 === 0 ? at : i % 3 === 1 ? at / 100 : Math.sqrt(at);
            if (byNumber.get(i)?.get(base + at) !== value) lost.push(`${i} at ${at}`);
          }
      for (let n = begin; n <= (last.m ?? -1); n++) expect(values.get(base + n)).toBe(n + 0.5);
      for (let n = begin; n <= (last.l ?? -1); n++) for (let i = 0; i < 20; i++) expect(lines.get(`${n}-${i}`)).toBe(1);
      for (let n = begin; n <= (last.t ?? -1); n++) {
        const [root] = makeTrace(n * 5 + 4, BigInt(base + n) * 1_000_000n);
        expect(store.traces.trace(root?.traceId ?? '')).toHaveLength(4);
      }
    }
    expect(lost).toEqual([]);
  });
});
