import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openTelemetryStore } from '../src/index.ts';
import { makeTrace, temporaryDirectory } from './fixtures.ts';

const disk = vi.hoisted(() => ({ isFull: false }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    writev: (...call: Parameters<typeof fs.writev>) => {
      if (!disk.isFull) return fs.writev(...call);
      const done = call.at(-1) as unknown as (error: Error) => void;
      done(Object.assign(new Error('ENOSPC: no space left on device, writev'), { code: 'ENOSPC' }));
    },
  };
});

/** A user name space and a mount in it, which not every machine lets a user have. */
const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

describe('a disk that is full', () => {
  it('refuses what cannot be kept, keeps what was acknowledged, and goes on when there is room', async () => {
    using directory = temporaryDirectory();
    const trace = (n: number): ReturnType<typeof makeTrace> => makeTrace(n, BigInt(Date.now()) * 1_000_000n);
    const before = trace(1);
    const refused = trace(2);
    const after = trace(3);
    {
      await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
      await store.traces.append(before);
      disk.isFull = true;
      await expect(store.traces.append(refused)).rejects.toMatchObject({ code: 'TELEMETRY_WRITE_FAILED' });
      expect(store.traces.trace(before[0]?.traceId ?? '')).toHaveLength(4);
      disk.isFull = false;
      await store.traces.append(after);
    }
    await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
    for (const kept of [before, after]) expect(store.traces.trace(kept[0]?.traceId ?? '')).toHaveLength(4);
  });

  it.runIf(canMount)('is survived by all three stores on a file system of 24 MB', { timeout: 120_000 }, () => {
    const said = execFileSync(
      'unshare',
      [
        '-rm',
        'sh',
        '-c',
        'mount -t tmpfs -o size=24m tmpfs /mnt && exec "$0" "$1" /mnt',
        process.execPath,
        join(import.meta.dirname, 'full-disk-child.ts'),
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const result = JSON.parse(said) as Record<string, unknown> & { whileFull: { acknowledged: number } };
    expect(result).toMatchObject({
      refusal: 'TELEMETRY_WRITE_FAILED',
      whileFull: { missing: 0 },
      recovered: true,
      reopened: { missing: 0 },
    });
    expect(result.whileFull.acknowledged).toBeGreaterThan(50);
    expect(result.warnings).toContain('the write-ahead log cannot be written; data is refused until it can');
  });
});
