import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '@kind-e2e/lab';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the command line, beside a running lab', () => {
  let lab: Lab;
  let traceId = '';

  beforeAll(async () => {
    lab = await sharedLab();
    const answer = await lab.request('/demo-app/fast-page');
    traceId = answer.traceId ?? '';
    await lab.telemetry.waitForTrace(traceId, { minSpans: 8 });
    await lab.telemetry.waitForLines(`{app="business-logic"} |= "${traceId}"`);
  });

  type Answer = Promise<{ exitCode?: number; stdout: string; stderr: string }>;
  const cli = (...args: string[]): Answer => cliAlone(...args, '--data-dir', lab.config.dataDir);

  /** A command that needs no lab. */
  async function cliAlone(...args: string[]): Answer {
    return execa(process.execPath, [join(ROOT, 'packages', 'cli', 'bin', 'kind-e2e.mjs'), ...args], {
      cwd: ROOT,
      reject: false,
      stdin: 'ignore',
      env: { COLUMNS: '80' },
    });
  }

  it('prints a trace as a tree, and lists the newest', async () => {
    const tree = await cli('trace', traceId);
    expect(tree.exitCode, tree.stderr).toBe(0);
    expect(tree.stdout).toContain('└ front-end: GET /fast-page');
    expect((await cli('trace')).stdout).toContain(traceId);
    const missing = await cli('trace', '1234');
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('no trace 1234 is stored');
    expect((await cli('trace', 'not hex')).exitCode).toBe(2);
  });

  it('answers PromQL and LogQL, and says where a query is wrong', async () => {
    await lab.telemetry.waitForSamples('up{app="front-end"}');
    expect((await cli('query', 'up{app="front-end"}')).stdout).toContain('app="front-end"');
    expect((await cli('query', '--logs', `{app="business-logic"} |= "${traceId}"`)).stdout).toContain('fast endpoint');
    const wrong = await cli('query', 'sum(');
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain('parse error');
  });

  it('answers SQL over the stores, and nothing that writes', async () => {
    const answer = await cli(
      'sql',
      '--json',
      `select service, count(*) n from spans where trace_id = '${traceId}' group by 1`,
    );
    expect(answer.exitCode, answer.stderr).toBe(0);
    expect(JSON.parse(answer.stdout).rows).toEqual(expect.arrayContaining([['business-logic', expect.any(Number)]]));
    const refused = await cli('sql', 'delete from spans');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('only SELECT');
  });

  it('imports OpenMetrics with times', async () => {
    const file = join(lab.config.dataDir, 'import.om');
    const seconds = Math.floor(Date.now() / 1_000) - 60;
    await writeFile(file, `# TYPE imported gauge\nimported{from="a file"} 42 ${seconds}\n# EOF\n`);
    const result = await cli('import', 'metrics', file);
    expect(result.stdout, result.stderr).toBe('1 samples imported');
    expect((await lab.telemetry.promql('imported'))[0]?.value).toBe(42);
  });

  it('reads logs, and names what there is where there is none', async () => {
    expect((await cli('logs', 'front-end', '--tail', '5')).stdout).toContain('trace_id=');
    const nobody = await cli('logs', 'nobody');
    expect(nobody.exitCode).toBe(1);
    expect(nobody.stderr).toMatch(/pods: .*front-end-/);
  });

  it('builds an image and pushes it, the same each time', async () => {
    const first = await cli('build', 'apps/front-end', '--tag', 'cli-test', '--json');
    expect(first.exitCode, first.stderr).toBe(0);
    const again = await cli('build', 'apps/front-end', '--tag', 'cli-test', '--json');
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(first.stdout));
    const tags = await fetch(`http://127.0.0.1:${lab.config.ports.registry}/v2/front-end/tags/list`);
    expect((await tags.json()) as object).toMatchObject({ tags: expect.arrayContaining(['cli-test']) });
    const wrong = await cli('build', 'docs');
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain('has no Dockerfile');
  });

  it('sends traffic and reports it', async () => {
    const report = JSON.parse((await cli('traffic', '--rate', '20', '--duration', '1', '--json')).stdout);
    expect(report).toMatchObject({ sent: 20, failed: 0, statuses: { 200: 20 } });
  });

  it('breaks a service on purpose, says so, and mends it', async () => {
    const statusOf = async (): Promise<number> => (await lab.request('/demo-app/fast-page')).status;
    const broken = await cli('chaos', 'abort', 'business-logic', '--status', '500');
    expect(broken.exitCode, broken.stderr).toBe(0);
    expect(broken.stderr).toContain('business-logic: answers 500, every request (VirtualService chaos-business-logic)');
    await expect.poll(statusOf, { timeout: 20_000 }).toBe(502);
    expect(JSON.parse((await cli('chaos', 'list', '--json')).stdout)).toEqual({
      faults: [
        {
          namespace: 'default',
          service: 'business-logic',
          virtualService: 'chaos-business-logic',
          fault: { abort: { httpStatus: 500, percentage: { value: 100 } } },
        },
      ],
      nodes: [],
    });
    expect((await cli('chaos', 'undo')).stderr).toContain('mended: VirtualService default/chaos-business-logic');
    await expect.poll(statusOf, { timeout: 20_000 }).toBe(200);
    expect((await cli('chaos', 'list')).stdout).toBe('nothing is broken by chaos');
  });

  it('slows down what the gateway leads to, for a time, and leaves its routes as they were', async () => {
    const routes = async (): Promise<string> =>
      (await lab.kubectl('get', 'virtualservices', '-A', '-o', 'jsonpath={.items[*].spec}')).stdout;
    const before = await routes();
    const slow = await cli('chaos', 'delay', 'front-end', '--seconds', '0.4', '--for', '5s');
    expect(slow.exitCode, slow.stderr).toBe(0);
    expect(slow.stderr).toMatch(/front-end: 0.4s slower, every request[\s\S]*front-end is mended/);
    expect(await routes()).toBe(before);
    const during = cli('chaos', 'delay', 'front-end', '--seconds', '0.4', '--for', '8s');
    await expect
      .poll(async () => (await lab.request('/demo-app/')).durationMs, { timeout: 8_000 })
      .toBeGreaterThan(390);
    await during;
    await expect.poll(async () => (await lab.request('/demo-app/')).durationMs, { timeout: 20_000 }).toBeLessThan(300);
  });

  it('kills a pod, whose controller makes another', async () => {
    const killed = await cli('chaos', 'kill', 'business-logic');
    const name = /pod default\/(\S+) killed/.exec(killed.stdout)?.[1] ?? '';
    expect(name, killed.stderr).toContain('business-logic-');
    await expect
      .poll(async () => (await lab.kubectl('get', 'pods', '-l', 'app=business-logic', '--no-headers')).stdout, {
        timeout: 30_000,
      })
      .toMatch(/^(?!.*Terminating)business-logic-\S+\s+1\/1\s+Running/);
    const nobody = await cli('chaos', 'kill', 'nobody');
    expect(nobody.exitCode).toBe(1);
    expect(nobody.stderr).toContain('apps there: business-logic, front-end');
    expect((await cli('chaos', 'delay', 'nobody')).stderr).toContain('services there: business-logic, front-end');
    expect((await cli('chaos', 'delay', 'front-end', '--percent', '200')).exitCode).toBe(2);
  });

  it('checks a Jenkinsfile and says where it is wrong', async () => {
    expect((await cliAlone('pipeline', 'lint')).stdout).toBe('jenkins/Jenkinsfile is a valid declarative pipeline');
    const file = join(lab.config.dataDir, 'wrong.Jenkinsfile');
    await writeFile(file, 'pipeline {\n  agent any\n  stagez { }\n}\n');
    const wrong = await cliAlone('pipeline', 'lint', file, '--json');
    expect(wrong.exitCode).toBe(1);
    expect(JSON.parse(wrong.stdout).problems).toEqual(
      expect.arrayContaining([
        { line: 3, column: 3, message: 'unknown section "stagez" in pipeline', remedy: 'write stages' },
      ]),
    );
  });

  it('tells a shell and doctor how the lab is reached', async () => {
    expect((await cli('env')).stdout).toContain(`export KUBECONFIG="${lab.kubeconfig}"`);
    const findings = JSON.parse((await cli('doctor', '--json')).stdout) as { check: string; state: string }[];
    expect(findings.find(({ check }) => check === 'helm')?.state).toBe('ok');
  });
});
