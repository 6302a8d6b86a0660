import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cpuSettings, makeCpuGroup, probeCpuControl, removeCpuGroups } from './cpu-cgroups.ts';

describe('CPU limits', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cgroups-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('become a quota of the period, as upstream', () => {
    expect(cpuSettings(1, { cpu: '250m' })).toEqual([
      ['cpu.cfs_period_us', '100000'],
      ['cpu.cfs_quota_us', '25000'],
    ]);
    expect(cpuSettings(2, { cpu: '2' })).toEqual([['cpu.max', '200000 100000']]);
    expect(cpuSettings(2, { cpu: '1m' })).toEqual([['cpu.max', '1000 100000']]);
    expect(cpuSettings(2, { memory: '1Gi' })).toEqual([]);
  });

  it('say why they are not enforced', async () => {
    await writeFile(join(folder, 'mounts'), `cgroup2 ${folder}/cg cgroup2 rw 0 0\n`);
    await writeFile(join(folder, 'cgroup'), '0::/user\n');
    await mkdir(join(folder, 'cg', 'user'), { recursive: true });
    await writeFile(join(folder, 'cg', 'user', 'cgroup.controllers'), 'memory pids\n');
    const control = probeCpuControl('/lab', folder);
    expect(control).toMatchObject({ version: undefined, reason: expect.stringContaining('no CPU controller') });
    expect(makeCpuGroup(control, 'id', { limits: { cpu: '1' } })).toBeUndefined();
    await writeFile(join(folder, 'mounts'), '');
    expect(probeCpuControl('/lab', folder).reason).toBe('no control groups are mounted');
  });

  it('make a group of their own for a container that has one, and remove what is empty', async () => {
    const control = { version: 2, prefix: join(folder, 'kind-e2e-x-'), reason: '' } as const;
    expect(makeCpuGroup(control, 'free', { requests: { cpu: '1' } })).toBeUndefined();
    expect(makeCpuGroup(control, 'abc', { limits: { cpu: '500m' } })).toBe(
      join(folder, 'kind-e2e-x-abc', 'cgroup.procs'),
    );
    expect(await readFile(join(folder, 'kind-e2e-x-abc', 'cpu.max'), 'utf8')).toBe('50000 100000');
    // Here the files are real ones, so that only the empty folder goes.
    await mkdir(join(folder, 'kind-e2e-x-old'));
    removeCpuGroups(control);
    expect(await readdir(folder)).toEqual(['kind-e2e-x-abc']);
  });
});
