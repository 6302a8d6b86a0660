import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@kind-e2e/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatOutput, LogTimes, MAX_LINE_BYTES, parseCriLine } from './cri-format.ts';
import { LogNotifier } from './log-notifier.ts';
import { LogPump } from './log-pump.ts';
import { readLogs } from './log-reader.ts';

let directory: string;
let logPath: string;
let out: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'log-pump-'));
  await mkdir(join(directory, 'logs'));
  logPath = join(directory, 'logs', '0.log');
  out = join(directory, 'out');
  await writeFile(out, '');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function openPump(maxBytes?: number): Promise<LogPump> {
  return LogPump.open({
    directory,
    logPath,
    clock: systemClock,
    logger: silentLogger,
    notifier: new LogNotifier(),
    ...(maxBytes === undefined ? {} : { maxBytes, maxFiles: 3 }),
  });
}

async function read(options: { tailLines?: number } = {}): Promise<string> {
  let text = '';
  for await (const chunk of readLogs({
    path: logPath,
    follow: false,
    isOver: () => true,
    notifier: new LogNotifier(),
    clock: systemClock,
    signal: new AbortController().signal,
    timestamps: false,
    ...options,
  }))
    text += chunk.toString();
  return text;
}

describe('LogPump', () => {
  it('keeps an unfinished line until its end or the end of the container', async () => {
    const pump = await openPump();
    await writeFile(out, 'whole\nhalf');
    pump.poke();
    await expect.poll(() => read()).toBe('whole\n');
    await appendFile(out, ' and half\nlast');
    await pump.finish();
    expect(await read()).toBe('whole\nhalf and half\nlast\n');
  });

  it('splits lines that are too long and reads them as one', async () => {
    const line = 'x'.repeat(MAX_LINE_BYTES * 2 + 10);
    await writeFile(out, `${line}\n`);
    const pump = await openPump();
    await pump.finish();
    const entries = (await readFile(logPath, 'utf8')).trim().split('\n');
    expect(entries.map((entry) => entry.split(' ')[2])).toEqual(['P', 'P', 'F']);
    expect(await read()).toBe(`${line}\n`);
  });

  it('rotates, compresses, and drops the oldest; tails reach into what was rotated', async () => {
    const pump = await openPump(2_000);
    for (let round = 0; round < 12; round++) {
      await appendFile(out, Array.from({ length: 20 }, (_, index) => `round ${round} line ${index}\n`).join(''));
      pump.poke();
      await expect.poll(() => read()).toContain(`round ${round} line 19\n`);
    }
    await pump.finish();
    const names = (await readdir(join(directory, 'logs'))).sort();
    expect(names.length).toBeLessThanOrEqual(3);
    expect(names.some((name) => name.endsWith('.gz'))).toBe(true);
    expect(await read({ tailLines: 2 })).toBe('round 11 line 18\nround 11 line 19\n');
  });

  it('goes on where the log says, whatever position was saved', async () => {
    await writeFile(out, 'one\ntwo\nthree\n');
    await (await openPump()).close();
    const first = await openPump();
    first.poke();
    await expect.poll(() => read()).toBe('one\ntwo\nthree\n');
    // As after a kill: nothing was saved, and the last entry was torn.
    await first.close();
    await rm(join(directory, 'position.json'), { force: true });
    await truncate(logPath, (await stat(logPath)).size - 4);
    await appendFile(out, 'four\n');
    const second = await openPump();
    await second.finish();
    expect(await read()).toBe('one\ntwo\nthree\nfour\n');
  });

  it('begins anew when the program emptied its output', async () => {
    const pump = await openPump();
    await writeFile(out, 'a long first line\n');
    pump.poke();
    await expect.poll(() => read()).toContain('first');
    await writeFile(out, 'new\n');
    await pump.finish();
    expect(await read()).toBe('a long first line\nnew\n');
  });
});

describe('the CRI format', () => {
  it('gives rising times of one length', () => {
    const times = new LogTimes();
    const all = [times.next(1000), times.next(1000), times.next(999), times.next(1001)];
    expect([...all].sort()).toEqual(all);
    expect(new Set(all.map((time) => time.length)).size).toBe(1);
    expect(all[1]).toBe('1970-01-01T00:00:01.000000001Z');
  });

  it('keeps every byte', () => {
    const raw = Buffer.from([0x61, 0, 0xff, 0x20, 10, 10]);
    const { formatted, consumed } = formatOutput(raw, 'stderr', () => 't', false);
    expect(consumed).toBe(6);
    const lines = Buffer.concat(formatted).toString('latin1').split('\n');
    expect(parseCriLine(Buffer.from(lines[0] ?? '', 'latin1'))).toEqual({
      timestamp: 't',
      stream: 'stderr',
      isPartial: false,
      content: raw.subarray(0, 4),
    });
    expect(parseCriLine(Buffer.from(lines[1] ?? ''))?.content.length).toBe(0);
  });
});
