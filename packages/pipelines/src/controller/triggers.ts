import { type Clock, type Logger, messageOf } from '@kind-e2e/base';
import type { BuildStore, JobDefinition } from '../build/build-store.ts';
import type { Cause } from '../build/record.ts';
import { parseCron } from '../jenkinsfile/cron.ts';
import { newestCommit } from './source.ts';

export interface TriggerOptions {
  readonly jobs: () => readonly JobDefinition[];
  /** Knows the triggers that a job's last build declared, and the commit that it was of. */
  readonly store: BuildStore;
  readonly start: (job: string, cause: Cause) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MINUTE_MS = 60_000;

/** Starts builds by `cron` and `pollSCM`, looked at on each full minute (hudson.triggers.Trigger's Cron). */
export function startTriggers(options: TriggerOptions): Disposable {
  const { clock } = options;
  let next: Disposable;
  const later = (): Disposable =>
    clock.after(MINUTE_MS - (clock.now() % MINUTE_MS), () => {
      void runTriggers(options);
      next = later();
    });
  next = later();
  return { [Symbol.dispose]: () => next[Symbol.dispose]() };
}

async function runTriggers({ jobs, store, start, clock, logger }: TriggerOptions): Promise<void> {
  const now = clock.now();
  for (const job of jobs()) {
    if (job.disabled) continue;
    const { triggers = [], lastCommit } = store.state(job.name);
    for (const trigger of triggers) {
      // By the end of another build, not by the clock.
      if (trigger.kind === 'upstream') continue;
      const { kind, spec } = trigger;
      if (!parseCron(spec, job.name).matches(now)) continue;
      if (kind === 'cron') {
        start(job.name, { kind: 'TimerTrigger', text: 'Started by timer' });
        continue;
      }
      try {
        const commit = await newestCommit(job);
        if (commit !== undefined && commit !== lastCommit)
          start(job.name, { kind: 'SCMTrigger', text: 'Started by an SCM change' });
      } catch (error) {
        logger.warn('the repository could not be looked at', { job: job.name, reason: messageOf(error) });
      }
    }
  }
}
