import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult, Lab } from '@kind-e2e/lab';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

describe('the real kubectl', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });

  async function kubectl(...args: string[]): Promise<string> {
    const result: CommandResult = await lab.kubectl(...args);
    expect(result.exitCode, `kubectl ${args.join(' ')}\n${result.stderr}`).toBe(0);
    return result.stdout;
  }

  it('sees six nodes, three of each role', async () => {
    const nodes = await kubectl('get', 'nodes');
    expect(nodes.match(/\bReady\b/g)).toHaveLength(6);
    expect(nodes.match(/^control-plane-\d\s+Ready\s+control-plane\s/gm)).toHaveLength(3);
    expect(nodes.match(/^worker-\d\s+Ready/gm)).toHaveLength(3);
  });

  it('gets and describes the app', async () => {
    expect(await kubectl('get', 'pods', '-o', 'wide')).toMatch(/business-logic-\S+\s+1\/1\s+Running/);
    expect(await kubectl('get', 'deployments,services,endpointslices', '-A')).toContain('istio-ingressgateway');
    const described = await kubectl('describe', 'deployment', 'front-end');
    expect(described).toMatch(/Available\s+True\s+MinimumReplicasAvailable/);
    expect(described).toContain('ScalingReplicaSet');
    expect(await kubectl('describe', 'pod', '-l', 'app=front-end')).toMatch(/Normal\s+Started/);
    expect(await kubectl('describe', 'service', 'front-end')).toMatch(/Endpoints:\s+127\./);
  });

  it('reads logs', async () => {
    expect(await kubectl('logs', 'deployment/front-end', '--tail=-1')).toContain('front-end listens on');
  });

  it('applies, changes and deletes', async () => {
    const file = join(lab.config.dataDir, 'configmap.yaml');
    const manifest = (value: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\ndata:\n  key: ${value}\n`;
    await writeFile(file, manifest('one'));
    expect(await kubectl('apply', '-f', file)).toBe('configmap/applied created');
    expect(await kubectl('apply', '-f', file)).toBe('configmap/applied unchanged');
    await writeFile(file, manifest('two'));
    expect(await kubectl('apply', '-f', file)).toBe('configmap/applied configured');
    expect(await kubectl('get', 'configmap', 'applied', '-o', 'jsonpath={.data.key}')).toBe('two');
    expect(await kubectl('delete', '-f', file)).toMatch(/configmap "applied" deleted/);
  });

  it("sees Istio's objects of the chart", async () => {
    expect(await kubectl('get', 'gateways.networking.istio.io,virtualservices.networking.istio.io')).toContain(
      'app-gateway',
    );
  });

  it('refuses bad input with the real words', async () => {
    const result = await lab.kubectl('create', 'deployment', 'Bad_Name', '--image=x');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('Invalid value: "Bad_Name"');
    expect((await lab.kubectl('get', 'pod', 'nobody')).stderr).toContain('pods "nobody" not found');
  });
});
