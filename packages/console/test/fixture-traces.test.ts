import { expect, it } from 'vitest';
import { filterLines, linesBetween } from './fixture-logs.ts';
import { healthySlowTraces, traceOf, tracesBetween } from './fixture-traces.ts';

/** What the browser tests rely on, at every second of a cycle: slow traces repeat every 3 slots, failed ones every 17. */
const CYCLE_S = 3 * 17 * 10;
const start = Date.UTC(2026, 0, 12, 23, 55) / 1000;

it('has slow traces without errors, each with one line, at any time', () => {
  for (let now = start; now < start + CYCLE_S; now += 1) {
    const found = healthySlowTraces(now);
    expect(found.length, `at ${now}`).toBeGreaterThan(2);
    const id = found[0]?.traceID ?? '';
    expect(found[0]?.spans).toHaveLength(13);
    expect(traceOf(id, now)?.traceID).toBe(id);
    const lines = filterLines(linesBetween(now - 900, now, now), `{app="business-logic"} |= "${id}"`);
    expect(lines.map(({ line }) => line.split(' - ')[1])).toEqual(["Calling the slow function 'data_transformation'"]);
  }
});

it('answers nothing of the future', () => {
  for (let now = start; now < start + CYCLE_S; now += 7) {
    for (const { spans } of tracesBetween(now - 60, now + 60, now))
      for (const span of spans) expect((span.startTime + span.duration) / 1e6).toBeLessThanOrEqual(now);
    for (const line of linesBetween(now - 60, now + 60, now)) expect(Number(line.ns) / 1e9).toBeLessThanOrEqual(now);
  }
});
