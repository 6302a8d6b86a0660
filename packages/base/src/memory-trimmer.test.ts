import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { silentLogger } from './logger.ts';
import { MemoryTrimmer } from './memory-trimmer.ts';

const MB = 1024 * 1024;

/** A process whose memory and work the test sets; a collection leaves 60 MB. */
function trimmed(): {
  clock: FakeClock;
  set: (residentMb: number, share: number) => void;
  collections: () => number;
} {
  const clock = new FakeClock();
  let resident = 60 * MB;
  let share = 0;
  let cpu = 0;
  let at = clock.monotonic();
  let collections = 0;
  new MemoryTrimmer({
    clock,
    logger: silentLogger,
    busyBytes: 144 * MB,
    residentBytes: () => resident,
    cpuMicros: () => {
      const now = clock.monotonic();
      cpu += (now - at) * 1000 * share;
      at = now;
      return cpu;
    },
    collect: () => {
      collections++;
      resident = 60 * MB;
    },
  });
  return {
    clock,
    set: (residentMb, busy) => {
      resident = residentMb * MB;
      share = busy;
    },
    collections: () => collections,
  };
}

describe('MemoryTrimmer', () => {
  it('gives memory back once the process is quiet, and once only', async () => {
    const { clock, set, collections } = trimmed();
    set(110, 0.8);
    await clock.advance(5000);
    expect(collections()).toBe(0);
    set(110, 0.01);
    await clock.advance(60_000);
    expect(collections()).toBe(1);
  });

  it('does not wait for quiet when the process is large', async () => {
    const { clock, set, collections } = trimmed();
    set(190, 1);
    await clock.advance(1000);
    expect(collections()).toBe(1);
  });

  it('leaves a process alone that has not grown', async () => {
    const { clock, set, collections } = trimmed();
    set(70, 0);
    await clock.advance(60_000);
    expect(collections()).toBe(0);
  });

  it('empties the pool of pages that V8 keeps after a burst', async () => {
    const clock = new FakeClock();
    const trimmer = new MemoryTrimmer({ clock, logger: silentLogger, cpuMicros: () => 0 });
    let junk: unknown[] = [];
    for (let i = 0; i < 40; i++) junk = [junk.length, Array.from({ length: 100_000 }, (_, k) => ({ k, i }))];
    const before = process.memoryUsage().heapTotal;
    junk = [];
    await clock.advance(10_000);
    expect(process.memoryUsage().heapTotal).toBeLessThan(before);
    trimmer[Symbol.dispose]();
  });
});
