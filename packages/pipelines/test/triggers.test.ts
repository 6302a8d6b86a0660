import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, silentLogger } from '@kind-e2e/base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BuildStore } from '../src/build/build-store.ts';
import { newestCommit } from '../src/controller/source.ts';
import { startTriggers } from '../src/controller/triggers.ts';
import { parseCron } from '../src/jenkinsfile/cron.ts';

const NOON = Date.UTC(2026, 2, 2, 12, 0, 30);
const MINUTE_MS = 60_000;

/** The minutes of a day, from midnight, at which a schedule is due. */
function dueAt(spec: string, dayMs = Date.UTC(2026, 2, 2)): readonly string[] {
  const schedule = parseCron(spec, 'job');
  expect(schedule.problem).toBeUndefined();
  return Array.from({ length: 1_440 }, (_, minute) => minute)
    .filter((minute) => schedule.matches(dayMs + minute * MINUTE_MS))
    .map((minute) => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`);
}

describe('schedules', () => {
  it('are due when their fields say so', () => {
    expect(dueAt('30 4 * * *')).toEqual(['4:30']);
    expect(dueAt('0 8-10,20 * * 1-5')).toEqual(['8:00', '9:00', '10:00', '20:00']);
    expect(dueAt('0 0 * * 0')).toEqual([]);
    expect(dueAt('0 0 * * 7', Date.UTC(2026, 2, 1))).toEqual(['0:00']);
    expect(dueAt('*/20 3 * * *')).toEqual(['3:00', '3:20', '3:40']);
    expect(dueAt('# nightly\n0 2 * * *\n\n0 3 * * *')).toEqual(['2:00', '3:00']);
  });

  it('spread by H, the same each time for the same job', () => {
    expect(dueAt('H 4 * * *')).toHaveLength(1);
    expect(dueAt('H 4 * * *')).toEqual(dueAt('H 4 * * *'));
    expect(dueAt('H/15 * * * *')).toHaveLength(96);
    const [ranged = ''] = dueAt('H(10-19) 4 * * *');
    expect(ranged).toMatch(/^4:1\d$/);
    expect(dueAt('@hourly')).toHaveLength(24);
    expect(dueAt('@midnight')[0]).toMatch(/^[0-2]:/);
  });

  it('are of the zone that they name', () => {
    expect(dueAt('TZ=Europe/Berlin\n0 9 * * *')).toEqual(['8:00']);
    expect(dueAt('TZ=Europe/Berlin\n0 9 * * *', Date.UTC(2026, 6, 1))).toEqual(['7:00']);
    expect(dueAt('TZ=Asia/Tokyo\n30 0 * * *')).toEqual(['15:30']);
  });

  it.each(['', '* * * *', '60 * * * *', '5-1 * * * *', '*/0 * * * *', 'a * * * *', 'TZ=Nowhere/There\n@daily'])(
    'are refused when they are wrong: %j',
    (spec) => expect(parseCron(spec, 'job').problem).toBeDefined(),
  );
});

describe('triggers', () => {
  let folder: string;
  let clock: FakeClock;
  let store: BuildStore;
  let started: string[];
  let running: Disposable;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'triggers-'));
    clock = new FakeClock(NOON);
    store = new BuildStore(join(folder, 'data'));
    started = [];
    running = startTriggers({
      jobs: () => store.jobs(),
      store,
      start: (job, cause) => started.push(`${job}: ${cause.text}`),
      clock,
      logger: silentLogger,
    });
  });
  afterEach(() => {
    running[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('start builds on the minute, once, and not those of a disabled job', async () => {
    store.saveJob({ name: 'timed', script: '' });
    store.saveJob({ name: 'off', script: '', disabled: true });
    for (const name of ['timed', 'off']) store.saveState(name, { triggers: [{ kind: 'cron', spec: '2 12 * * *' }] });
    for (let minute = 0; minute < 5; minute++) await clock.advance(MINUTE_MS);
    expect(started).toEqual(['timed: Started by timer']);
  });

  it('start a build when the watched branch has a new commit, and not before', async () => {
    const repository = join(folder, 'repository');
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder, encoding: 'utf8' });
    git('init', '--quiet', '--initial-branch=main', repository);
    const commit = (text: string): void => {
      writeFileSync(join(repository, 'file'), text);
      git('-C', repository, 'add', '.');
      git('-C', repository, 'commit', '--quiet', '--message', text);
    };
    commit('one');
    const job = { name: 'watched', scm: { url: repository, branch: 'main' } };
    store.saveJob(job);
    const built = await newestCommit(job);
    store.saveState('watched', { lastCommit: built ?? '', triggers: [{ kind: 'pollSCM', spec: '* * * * *' }] });
    await clock.advance(MINUTE_MS);
    // It looks, by a program that takes its time: a second look after it must come first.
    await newestCommit(job);
    expect(started).toEqual([]);
    commit('two');
    await clock.advance(MINUTE_MS);
    await vi.waitFor(() => expect(started).toEqual(['watched: Started by an SCM change']), { timeout: 20_000 });
  });
});
