import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createReceiver, openTelemetryStore, type TelemetryStore } from '../src/index.ts';
import { makeTrace, matcher, temporaryDirectory } from './fixtures.ts';

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

  it('refuses lines, of which nobody hears, and answers a push with 503', async () => {
    using directory = temporaryDirectory();
    const heard: string[] = [];
    const read = (store: TelemetryStore): string[] =>
      [
        ...store.logs.select({ matchers: [matcher('app', 'x')], startNs: 0n, endNs: 1n << 62n, direction: 'forward' }),
      ].flatMap(
        ({ text }) =>
          Buffer.from(text)
            .toString()
            .match(/line \d/g) ?? [],
      );
    const writeTo = async (store: TelemetryStore, n: number): Promise<number> => {
      await using server = await serve(createReceiver({ store }));
      const values = [[`${Date.now() + n}000000`, `line ${n}`]];
      const answer = await fetch(`${server.url}/loki/api/v1/push`, {
        method: 'POST',
        body: JSON.stringify({ streams: [{ stream: { app: 'x' }, values }] }),
        headers: { 'content-type': 'application/json' },
      });
      return answer.status;
    };
    {
      await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
      using _tail = store.logs.subscribe([matcher('app', 'x')], (_, entries) =>
        heard.push(...entries.map(({ line }) => line)),
      );
      expect(await writeTo(store, 1)).toBe(204);
      disk.isFull = true;
      expect(await writeTo(store, 2)).toBe(503);
      disk.isFull = false;
      expect(await writeTo(store, 3)).toBe(204);
      expect(read(store)).toEqual(expect.arrayContaining(['line 1', 'line 3']));
    }
    await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
    expect(read(store)).toEqual(expect.arrayContaining(['line 1', 'line 3']));
    expect(heard).toEqual(['line 1', 'line 3']);
  });

  it.runIf(canMount)('is survived by all three stores on a file system of 24 MB', { timeout: 120_000 }, () => {
    const result = runOnSmallDisk('traces');
    expect(result).toMatchObject({
      refusal: 'TELEMETRY_WRITE_FAILED',
      whileFull: { missing: 0 },
      recovered: true,
      reopened: { missing: 0 },
    });
    expect(result.whileFull.acknowledged).toBeGreaterThan(50);
    expect(result.warnings).toContain('the write-ahead log cannot be written; data is refused until it can');
  });

  it.runIf(canMount)('is survived by the log store, filled by pushes', { timeout: 120_000 }, () => {
    const result = runOnSmallDisk('logs');
    expect(result).toMatchObject({
      refusal: 'TELEMETRY_WRITE_FAILED',
      whileFull: { missing: 0 },
      recovered: true,
      reopened: { missing: 0 },
    });
    expect(result.whileFull.acknowledged).toBeGreaterThan(20);
  });
});

function runOnSmallDisk(most: 'traces' | 'logs'): Record<string, unknown> & { whileFull: { acknowledged: number } } {
  const script = join(import.meta.dirname, 'full-disk-child.ts');
  const mount = 'mount -t tmpfs -o size=24m tmpfs /mnt && exec "$0" "$1" /mnt "$2"';
  const said = execFileSync('unshare', ['-rm', 'sh', '-c', mount, process.execPath, script, most], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(said);
}

async function serve(receive: ReturnType<typeof createReceiver>): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => void server.close().closeAllConnections(),
  };
}
