import { join } from 'node:path';
import type { Lab } from '@kind-e2e/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

const NAMESPACE = 'hpa';

describe('a horizontal pod autoscaler', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
    await lab.kubectl('create', 'namespace', NAMESPACE);
    await kubectl('apply', '-f', join(import.meta.dirname, 'manifests', 'hpa.yaml'));
    const image = await lab.kubectl(
      'get',
      'deploy',
      'front-end',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    );
    await kubectl('set', 'image', 'deployment/busy', `main=${image.stdout}`);
  });
  afterAll(async () => {
    await lab.kubectl('delete', 'namespace', NAMESPACE);
  });

  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await lab.kubectl(...args, '-n', NAMESPACE);
    expect(result.exitCode, result.stderr).toBe(0);
    return result.stdout;
  };

  it('grows a workload by the CPU that its pods take, and holds it while it is young', {
    timeout: 180_000,
  }, async () => {
    await expect
      .poll(() => kubectl('get', 'deployment', 'busy', '-o', 'jsonpath={.spec.replicas}'), {
        timeout: 120_000,
        interval: 500,
      })
      .toBe('3');
    const busy = await kubectl('describe', 'hpa', 'busy');
    expect(busy).toMatch(/AbleToScale +True +\w+ .*\n +ScalingActive +True +ValidMetricFound /);
    expect(busy).toMatch(
      /SuccessfulRescale .*New size: 3; reason: cpu resource utilization \(percentage of request\) above target/,
    );
    await expect
      .poll(() => kubectl('describe', 'hpa', 'idle'), { timeout: 60_000, interval: 500 })
      .toMatch(
        /memory on pods +\(as a percentage of request\): +0% \(\d+\) \/ 80%[\s\S]*AbleToScale +True +ScaleDownStabilized +recent recommendations were higher than current one/,
      );
    expect(await kubectl('get', 'deployment', 'idle', '-o', 'jsonpath={.spec.replicas}')).toBe('2');
  });
});
