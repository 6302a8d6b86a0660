import { RESOURCES } from '@kind-e2e/kube-client';
import type { CronJob, Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobFor } from '../src/cronjob/cronjob-controller.ts';
import { startTestCluster, type TestCluster, testNode } from './cluster.ts';
import { until } from './objects.ts';

/** Pods of Jobs whose name begins so run on; all others succeed at once. */
const ENDLESS = 'endless';

describe('cronjob', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({
      nodes: [testNode('node-1')],
      run: (pod) =>
        pod.metadata?.name?.startsWith(ENDLESS)
          ? { phase: 'Running', ready: true }
          : { phase: 'Succeeded', ready: false },
    });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const template = {
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'main', image: 'x:1' }],
        },
      },
    },
  };
  const make = (name: string, spec: Partial<NonNullable<CronJob['spec']>> = {}): Promise<CronJob> =>
    cluster.client.create<CronJob>(RESOURCES.cronjobs, {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name, namespace: 'default' },
      spec: { schedule: '@every 1s', jobTemplate: template, ...spec },
    });
  const suspend = (name: string): Promise<unknown> =>
    cluster.client.patch(RESOURCES.cronjobs, { name, namespace: 'default' }, 'merge', { spec: { suspend: true } });
  const get = (name: string): Promise<CronJob> => cluster.client.get<CronJob>(RESOURCES.cronjobs, name, 'default');
  const jobsOf = async (name: string): Promise<readonly Job[]> =>
    (await cluster.client.list<Job>(RESOURCES.jobs, { namespace: 'default' })).items.filter(
      (job) => job.metadata?.ownerReferences?.[0]?.name === name,
    );
  /** `Warning UnexpectedJob Saw …` of the events about one CronJob. */
  const events = async (name: string): Promise<readonly string[]> =>
    (
      await cluster.client.list<Event>(RESOURCES.events, {
        namespace: 'default',
        fieldSelector: `involvedObject.kind=CronJob,involvedObject.name=${name}`,
      })
    ).items.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  const told = (name: string, wanted: RegExp): Promise<readonly string[]> =>
    until(
      () => events(name),
      (lines) => lines.some((line) => wanted.test(line)),
    );

  it('starts Jobs, notes their end, and keeps as many as its limit says', async () => {
    await make('often', { successfulJobsHistoryLimit: 0 });
    await told('often', /^Normal SuccessfulDelete Deleted job often-\d+$/);
    await told('often', /^Normal SuccessfulCreate Created job often-\d+$/);
    await told('often', /^Normal SawCompletedJob Saw completed job: often-\d+, condition: Complete$/);
    await suspend('often');
    const { status } = await until(
      () => get('often'),
      ({ status }) => status?.active === undefined && status?.lastSuccessfulTime !== undefined,
    );
    expect(status?.lastScheduleTime).toMatch(/Z$/);
    await until(
      () => jobsOf('often'),
      (jobs) => jobs.length === 0,
    );
    expect((await events('often')).filter((line) => line.includes('UnexpectedJob'))).toEqual([]);
  });

  it('tells of a Job that it did not start, and does not wait for it', async () => {
    const cronJob = await make('manual', { suspend: true });
    // What `kubectl create job --from=cronjob/manual` makes.
    const { metadata, ...job } = jobFor(cronJob, 0);
    await cluster.client.create<Job>(RESOURCES.jobs, { ...job, metadata: { ...metadata, name: `${ENDLESS}-by-hand` } });
    const lines = await told('manual', /UnexpectedJob/);
    expect(lines).toContain(
      `Warning UnexpectedJob Saw a job that the controller did not create or forgot: ${ENDLESS}-by-hand`,
    );
    expect((await get('manual')).status?.active).toBeUndefined();
  });

  it('holds back while one runs, by the policy Forbid, and goes on when that one is gone', async () => {
    await make(`${ENDLESS}-forbid`, { concurrencyPolicy: 'Forbid' });
    await told(`${ENDLESS}-forbid`, /^Normal JobAlreadyActive Not starting job because prior execution is running and/);
    const [only, ...more] = await jobsOf(`${ENDLESS}-forbid`);
    expect(more).toEqual([]);
    const name = only?.metadata?.name ?? '';
    await cluster.client.delete(RESOURCES.jobs, { name, namespace: 'default' }, { propagationPolicy: 'Background' });
    await told(`${ENDLESS}-forbid`, new RegExp(`^Normal MissingJob Active job went missing: ${name}$`));
    await suspend(`${ENDLESS}-forbid`);
  });

  it('takes the place of one that runs, by the policy Replace', async () => {
    await make(`${ENDLESS}-replace`, { schedule: '@every 61s', concurrencyPolicy: 'Replace' });
    const before = Date.now() - 600_000;
    const patch = { status: { lastScheduleTime: new Date(before).toISOString().replace(/\.\d+/, '') } };
    const target = { name: `${ENDLESS}-replace`, namespace: 'default' };
    await cluster.client.patch(RESOURCES.cronjobs, target, 'merge', patch, { subresource: 'status' });
    const [first] = await until(
      () => jobsOf(target.name),
      (jobs) => jobs.length === 1,
    );
    await cluster.client.patch(RESOURCES.cronjobs, target, 'merge', patch, { subresource: 'status' });
    // The start of another minute: what is due is counted from then.
    await cluster.client.patch(RESOURCES.cronjobs, target, 'merge', { spec: { schedule: '* * * * *' } });
    await told(target.name, new RegExp(`^Normal SuccessfulDelete Deleted job ${first?.metadata?.name}$`));
    await suspend(target.name);
  });

  it('says what is wrong with a schedule that never comes', async () => {
    await make('never', { schedule: '59 23 31 2 *' });
    await told(
      'never',
      /^Warning InvalidSchedule invalid schedule: 59 23 31 2 \* : time difference between two schedules is less than/,
    );
  });

  it('notes the time of a start in the zone of the schedule', () => {
    const at = Date.parse('2026-07-01T07:00:00Z');
    const noted = (timeZone?: string): unknown =>
      Object.values(
        jobFor(
          {
            metadata: { name: 'x' },
            spec: { schedule: '0 9 * * *', jobTemplate: template, ...(timeZone ? { timeZone } : {}) },
          },
          at,
        ).metadata?.annotations ?? {},
      );
    expect(noted()).toEqual(['2026-07-01T07:00:00Z']);
    expect(noted('Europe/Berlin')).toEqual(['2026-07-01T09:00:00+02:00']);
    expect(noted('America/St_Johns')).toEqual(['2026-07-01T04:30:00-02:30']);
    expect(noted('Africa/Abidjan')).toEqual(['2026-07-01T07:00:00Z']);
  });
});
