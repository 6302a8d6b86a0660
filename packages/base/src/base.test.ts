import { describe, expect, it, vi } from 'vitest';
import {
  appAddressOf,
  Backoff,
  createAddressPlan,
  createLogger,
  Disposer,
  FakeClock,
  outboundAddressOf,
  silentLogger,
  WorkQueue,
} from './index.ts';

describe('address plan', () => {
  it('gives every kind of address a range of its own', () => {
    const plan = createAddressPlan(2);
    expect(plan.podCidr(3)).toBe('127.16.3.0/24');
    expect(plan.serviceCidr).toBe('127.19.0.0/16');
    expect(plan.nodeAddress(5)).toBe('127.22.0.15');
    expect(appAddressOf('127.16.3.7')).toBe('127.17.3.7');
    expect(outboundAddressOf('127.16.3.7')).toBe('127.18.3.7');
  });

  it('refuses a block outside of the loopback range, and an address that is no pod', () => {
    expect(() => createAddressPlan(0)).toThrow('address block 0 is outside 1 to 30');
    expect(() => createAddressPlan(31)).toThrow(RangeError);
    expect(() => appAddressOf('127.19.0.1')).toThrow('127.19.0.1 is not a pod address');
  });
});

describe('Backoff', () => {
  it('doubles to its limit and starts over', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 350, jitter: 0 });
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 200, 350, 350]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('spreads by its jitter', () => {
    expect(new Backoff({ initialMs: 100, jitter: 0.5, random: () => 0 }).next()).toBe(50);
    expect(new Backoff({ initialMs: 100, jitter: 0.5, random: () => 0.999 }).next()).toBe(150);
  });
});

describe('WorkQueue', () => {
  it('works on a key once at a time, and once more for additions meanwhile', async () => {
    const clock = new FakeClock();
    let running = 0;
    let most = 0;
    let runs = 0;
    await using queue = new WorkQueue(
      async () => {
        running++;
        most = Math.max(most, running);
        runs++;
        await clock.sleep(10);
        running--;
      },
      { clock, logger: silentLogger },
    );
    queue.add('a');
    await clock.advance(1);
    for (let i = 0; i < 5; i++) queue.add('a');
    await clock.advance(100);
    expect({ runs, most }).toEqual({ runs: 2, most: 1 });
  });

  it('tries a failing key again, later each time, and forgets the failures after success', async () => {
    const clock = new FakeClock();
    const times: number[] = [];
    await using queue = new WorkQueue(
      async () => {
        times.push(clock.monotonic());
        if (times.length < 4) throw new Error('not yet');
      },
      { clock, logger: silentLogger, initialRetryMs: 100 },
    );
    queue.add('a');
    await clock.advance(10_000);
    expect(times).toHaveLength(4);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(gaps[1]).toBeGreaterThan(gaps[0] ?? 0);
    expect(gaps[2]).toBeGreaterThan(gaps[1] ?? 0);
  });

  it('keeps to its concurrency and requeues on request', async () => {
    const clock = new FakeClock();
    let running = 0;
    let most = 0;
    const seen = new Map<string, number>();
    await using queue = new WorkQueue(
      async (key) => {
        most = Math.max(most, ++running);
        await clock.sleep(5);
        running--;
        const count = (seen.get(key) ?? 0) + 1;
        seen.set(key, count);
        return count === 1 ? { requeueAfterMs: 50 } : undefined;
      },
      { clock, logger: silentLogger, concurrency: 2 },
    );
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await clock.advance(500);
    expect(most).toBe(2);
    expect([...seen.values()]).toEqual([2, 2, 2, 2]);
  });

  it('waits for running work when disposed and takes nothing more', async () => {
    const clock = new FakeClock();
    let finished = false;
    const queue = new WorkQueue(
      async () => {
        await clock.sleep(10);
        finished = true;
      },
      { clock, logger: silentLogger },
    );
    queue.add('a');
    await clock.advance(1);
    const disposed = queue[Symbol.asyncDispose]();
    queue.add('b');
    await clock.advance(20);
    await disposed;
    expect(finished).toBe(true);
    expect(queue.size).toBe(0);
  });
});

describe('Disposer', () => {
  it('disposes in reverse order, once, whatever fails', async () => {
    const order: string[] = [];
    const disposer = new Disposer();
    disposer.defer(() => void order.push('first'));
    disposer.defer(() => {
      order.push('second');
      throw new Error('second failed');
    });
    disposer.defer(() => void order.push('third'));
    await expect(disposer[Symbol.asyncDispose]()).rejects.toThrow('second failed');
    await expect(disposer[Symbol.asyncDispose]()).rejects.toThrow('second failed');
    expect(order).toEqual(['third', 'second', 'first']);
  });
});

describe('FakeClock', () => {
  it('fires timers in order of their time and lets a sleep be aborted', async () => {
    const clock = new FakeClock();
    const order: string[] = [];
    clock.after(20, () => order.push('later'));
    clock.after(10, () => order.push('sooner'));
    clock.after(15, () => order.push('never'))[Symbol.dispose]();
    const controller = new AbortController();
    const sleep = clock.sleep(1_000, controller.signal);
    const rejected = vi.fn();
    sleep.catch(rejected);
    controller.abort(new Error('enough'));
    await clock.advance(100);
    expect(order).toEqual(['sooner', 'later']);
    expect(rejected).toHaveBeenCalledOnce();
  });
});

describe('createLogger', () => {
  it("writes a JSON object a line, with fields, the child's fields and errors", () => {
    const lines: string[] = [];
    const logger = createLogger({ write: (line) => lines.push(line), fields: { component: 'x' }, now: () => 0 });
    logger.child({ pod: 'p' }).warn('it failed', { error: new Error('why', { cause: new Error('deeper') }) });
    logger.debug('not written');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 'warn',
      ts: '1970-01-01T00:00:00.000Z',
      component: 'x',
      pod: 'p',
      msg: 'it failed',
      error: { name: 'Error', message: 'why', cause: { message: 'deeper' } },
    });
  });
});
