import { join } from 'node:path';
import type { CommandResult, Lab } from '@kind-e2e/lab';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';
import { SteadyTraffic } from '../support/steady-traffic.ts';

const REQUESTS_PER_SECOND = 50;
const PAGE = '/demo-app/fast-page';

describe('changes under steady traffic lose no request', () => {
  let lab: Lab;
  let traffic: SteadyTraffic | undefined;

  beforeAll(async () => {
    lab = await sharedLab();
  });

  afterEach(async () => {
    await traffic?.stop();
    traffic = undefined;
  });

  async function underTraffic(change: () => Promise<void>): Promise<void> {
    traffic = new SteadyTraffic(`${lab.gateway}${PAGE}`, REQUESTS_PER_SECOND);
    await change();
    await traffic.stop();
    expect(traffic.outcomes.length).toBeGreaterThan(0);
    expect(traffic.failures).toEqual([]);
  }

  async function succeed(command: Promise<CommandResult>): Promise<CommandResult> {
    const result = await command;
    expect(result.exitCode, result.stderr).toBe(0);
    return result;
  }

  const rolledOut = (name: string): Promise<CommandResult> =>
    succeed(lab.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=90s'));

  it('scale up and down', async () => {
    await underTraffic(async () => {
      await succeed(lab.kubectl('scale', 'deployment', 'front-end', '--replicas=3'));
      await rolledOut('front-end');
      await succeed(lab.kubectl('scale', 'deployment', 'front-end', '--replicas=1'));
      await rolledOut('front-end');
    });
  });

  it('restart', async () => {
    await underTraffic(async () => {
      await succeed(lab.kubectl('rollout', 'restart', 'deployment', 'business-logic'));
      await rolledOut('business-logic');
    });
  });

  it('helm upgrade and rollback', async () => {
    const chart = join(lab.installation.root, 'helm', 'app');
    await underTraffic(async () => {
      await succeed(
        lab.helm(
          'upgrade',
          'app',
          chart,
          '--reuse-values',
          '--set',
          'business-logic.env.SLOW_SECONDS=2',
          '--wait',
          '--timeout',
          '90s',
        ),
      );
      const changed = await succeed(lab.kubectl('get', 'deployment', 'business-logic', '-o', 'yaml'));
      expect(changed.stdout).toContain('SLOW_SECONDS');
      await succeed(lab.helm('rollback', 'app', '--wait', '--timeout', '90s'));
      const back = await succeed(lab.kubectl('get', 'deployment', 'business-logic', '-o', 'yaml'));
      expect(back.stdout).not.toContain('SLOW_SECONDS');
    });
  });
});
