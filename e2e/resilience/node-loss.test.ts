import { join } from 'node:path';
import type { Lab } from '@kind-e2e/lab';
import type { V1Pod, V1PodList } from '@kubernetes/client-node';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

const CLI = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'kind-e2e.mjs');
/** Nodes that carry nothing of the lab, see `node-loss.yaml`. */
const DELETED = 'control-plane-2';
const STOPPED = 'control-plane-3';

describe('the loss of a node', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });

  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await lab.kubectl(...args, '-n', 'node-loss');
    expect(result.exitCode, result.stderr).toBe(0);
    return result.stdout;
  };
  const cli = (...args: string[]): Promise<{ exitCode?: number; stderr: string }> =>
    execa(process.execPath, [CLI, ...args, '--data-dir', lab.config.dataDir], { reject: false, stdin: 'ignore' });
  const nodesOfPods = async (): Promise<(string | undefined)[]> => {
    const { items }: V1PodList = JSON.parse(await kubectl('get', 'pods', '-o', 'json'));
    const isReady = (pod: V1Pod): boolean =>
      pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    return items.filter(isReady).map((pod) => pod.spec?.nodeName);
  };

  it('moves its pods, whether it was deleted or switched off, and it comes back', { timeout: 300_000 }, async () => {
    await lab.kubectl('create', 'namespace', 'node-loss');
    await kubectl('apply', '-f', join(import.meta.dirname, 'node-loss.yaml'));
    await kubectl('rollout', 'status', 'deployment/mover', '--timeout=60s');
    expect(new Set(await nodesOfPods())).toEqual(new Set(['control-plane-1', DELETED, STOPPED]));

    expect((await lab.kubectl('delete', 'node', DELETED)).stdout).toContain(`node "${DELETED}" deleted`);
    expect((await cli('node', 'stop', STOPPED)).exitCode).toBe(0);
    await expect
      .poll(nodesOfPods, { timeout: 150_000, interval: 1_000 })
      .toEqual(Array.from({ length: 6 }, () => 'control-plane-1'));

    const nodes = (await lab.kubectl('get', 'nodes')).stdout;
    expect(nodes).not.toContain(DELETED);
    expect(nodes).toMatch(new RegExp(`${STOPPED} +NotReady `));
    const described = (await lab.kubectl('describe', 'node', STOPPED)).stdout;
    expect(described).toMatch(/Ready +Unknown .*NodeStatusUnknown +Kubelet stopped posting node status\./);
    expect(described).toContain('node.kubernetes.io/unreachable:NoExecute');
    const events = await kubectl('get', 'events');
    expect(events).toContain('TaintManagerEviction');
    expect((await cli('node', 'stop', DELETED)).stderr).toContain(`the node ${DELETED} was deleted`);
    expect((await cli('node', 'start', 'nowhere')).stderr).toContain('there is no node nowhere');

    for (const name of [DELETED, STOPPED]) {
      const started = await cli('node', 'start', name);
      expect(started.exitCode, started.stderr).toBe(0);
    }
    const waited = await lab.kubectl(
      'wait',
      '--for=condition=Ready',
      `node/${DELETED}`,
      `node/${STOPPED}`,
      '--timeout=60s',
    );
    expect(waited.exitCode, waited.stderr).toBe(0);
    expect(
      (await lab.kubectl('get', 'node', DELETED, '-o', 'jsonpath={.spec.taints[*].key} {.spec.podCIDR}')).stdout,
    ).toMatch(/^node-role.kubernetes.io\/control-plane 127\.\d+\.\d+\.0\/24$/);
    await expect
      .poll(async () => (await lab.kubectl('get', 'node', STOPPED, '-o', 'jsonpath={.spec.taints[*].key}')).stdout, {
        timeout: 30_000,
      })
      .toBe('node-role.kubernetes.io/control-plane');
    await kubectl('scale', 'deployment/mover', '--replicas=9');
    await kubectl('rollout', 'status', 'deployment/mover', '--timeout=60s');
    expect(new Set(await nodesOfPods())).toEqual(new Set(['control-plane-1', DELETED, STOPPED]));
    await lab.kubectl('delete', 'namespace', 'node-loss');
  });
});
