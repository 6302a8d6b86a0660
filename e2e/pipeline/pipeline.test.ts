import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '@kind-e2e/lab';
import { execa, type Result } from 'execa';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sharedLab } from '../support/lab.ts';
import { SteadyTraffic } from '../support/steady-traffic.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const REQUESTS_PER_SECOND = 50;
const BUILD_TIMEOUT_MS = 240_000;

/**
 * The pipeline of jenkins/Jenkinsfile on the embedded engine: green as it is; a changed front-end goes out while people
 * use the website; one that fails its smoke test is taken back by itself.
 */
describe('the pipeline', () => {
  let lab: Lab;
  let repository: string;
  let traffic: SteadyTraffic | undefined;

  beforeAll(async () => {
    lab = await sharedLab();
    // Under the lab's directory, which controller and agents see.
    repository = join(lab.config.dataDir, 'watched-repository');
    await execa('git', ['clone', '--quiet', '--depth=1', `file://${ROOT}`, repository]);
    await execa('git', ['-C', repository, 'checkout', '--quiet', '-B', 'main']);
  });

  afterEach(async () => {
    await traffic?.stop();
    traffic = undefined;
  });

  async function pipeline(...args: string[]): Promise<Result> {
    const program = join(ROOT, 'packages', 'cli', 'bin', 'kind-e2e.mjs');
    return execa(process.execPath, [program, 'pipeline', ...args, '--data-dir', lab.config.dataDir], {
      cwd: ROOT,
      reject: false,
      stdin: 'ignore',
    });
  }

  /** A commit that changes the front-end's views. */
  async function commit(message: string, change: (views: string) => string): Promise<void> {
    const file = join(repository, 'apps', 'front-end', 'src', 'views.ts');
    const before = await readFile(file, 'utf8');
    const after = change(before);
    expect(after, message).not.toBe(before);
    await writeFile(file, after);
    const by = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
    await execa('git', ['-C', repository, ...by, 'commit', '--quiet', '--all', '--message', message]);
  }

  async function jenkins(path: string, init?: RequestInit): Promise<Response> {
    const answer = await fetch(`${lab.gateway}/jenkins${path}`, { redirect: 'manual', ...init });
    expect(answer.status, `${path}: ${answer.status}`).toBeLessThan(400);
    return answer;
  }

  interface BuildAnswer {
    readonly number: number;
    readonly result: string;
    readonly traceId: string;
    readonly duration: number;
    readonly artifacts: readonly { readonly relativePath: string }[];
  }
  const lastBuild = async (job: string): Promise<BuildAnswer> =>
    (await (await jenkins(`/job/${job}/lastBuild/api/json`)).json()) as BuildAnswer;

  const revision = async (): Promise<number> => {
    const [release] = JSON.parse((await lab.helm('list', '--filter', '^app$', '--output', 'json')).stdout) as {
      readonly revision: string;
    }[];
    return Number(release?.revision);
  };
  const imageOfFrontEnd = async (): Promise<string> =>
    (await lab.kubectl('get', 'deployment', 'front-end', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'))
      .stdout;

  /** Trace, log and metrics of a build, where those of requests are. */
  async function expectTelemetry(job: string, build: BuildAnswer): Promise<void> {
    // The build's own span ends last, so that it is sent last.
    await expect
      .poll(async () => (await lab.telemetry.trace(build.traceId))?.spans.some(({ name }) => name === `build ${job}`), {
        timeout: 60_000,
      })
      .toBe(true);
    const trace = await lab.telemetry.waitForTrace(build.traceId, { minSpans: 8 });
    const spans = new Map(trace.spans.map((span) => [span.name, span]));
    expect([...spans.keys()]).toEqual(expect.arrayContaining([`build ${job}`, 'Stage: Deploy', 'Stage: Smoke test']));
    expect(spans.get('Stage: Deploy')?.parentSpanId).toBe(spans.get(`build ${job}`)?.spanId);
    const lines = await lab.telemetry.waitForLines(`{app="jenkins"} |= "trace_id=${build.traceId}" |= "Finished:"`);
    expect(lines[0]?.line).toContain(`Finished: ${build.result}`);
    const finished = `jenkins_builds_total{exported_job="${job}",result="${build.result}"}`;
    await lab.telemetry.waitForSamples(finished);
    const [seconds] = await lab.telemetry.waitForSamples(`jenkins_build_duration_seconds_sum{exported_job="${job}"}`);
    expect(seconds?.value).toBeGreaterThan(0);
  }

  it('runs green as it is, tests included, by `kind-e2e pipeline run`', { timeout: BUILD_TIMEOUT_MS }, async () => {
    const run = await pipeline('run');
    expect(run.exitCode, `${run.stdout}\n${run.stderr}`).toBe(0);
    expect(run.stdout).toContain('Finished: SUCCESS');
    const build = await lastBuild('kind-e2e');
    expect(build.result).toBe('SUCCESS');
    expect(build.artifacts.map(({ relativePath }) => relativePath).sort()).toEqual([
      'images/business-logic.digest',
      'images/front-end.digest',
    ]);
    const tests = (await (await jenkins('/job/kind-e2e/lastBuild/testReport/api/json')).json()) as object;
    expect(tests).toMatchObject({ failCount: 0, passCount: expect.any(Number) });
    await expectTelemetry('kind-e2e', build);
  });

  it('redeploys a changed front-end under 50 requests a second, none fails', {
    timeout: BUILD_TIMEOUT_MS,
  }, async () => {
    await jenkins('/createItem?name=changed', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ scm: { url: repository, branch: 'main', scriptPath: 'jenkins/Jenkinsfile' } }),
    });
    await commit('front-end: says that it is new', (views) =>
      views.replace(
        "response.set('x-trace-id', traceId)",
        "response.set('x-trace-id', traceId).set('x-change', 'one')",
      ),
    );
    const before = { revision: await revision(), image: await imageOfFrontEnd() };
    traffic = new SteadyTraffic(`${lab.gateway}/demo-app/fast-page`, REQUESTS_PER_SECOND);
    const run = await pipeline('run', '--job', 'changed', '--param', 'TESTS=false');
    expect(run.exitCode, `${run.stdout}\n${run.stderr}`).toBe(0);
    const answer = await lab.request('/demo-app/fast-page');
    await traffic.stop();
    expect(answer.headers.get('x-change')).toBe('one');
    expect(await imageOfFrontEnd()).not.toBe(before.image);
    expect(await revision()).toBe(before.revision + 1);
    expect(traffic.outcomes.length).toBeGreaterThan(REQUESTS_PER_SECOND);
    expect(traffic.failures).toEqual([]);
    await expectTelemetry('changed', await lastBuild('changed'));
  });

  it('rolls back by itself when the smoke test fails', { timeout: BUILD_TIMEOUT_MS }, async () => {
    await commit('front-end: its slow page is broken', (views) =>
      views.replace("askBusinessLogic(config, '/slow-endpoint')", "askBusinessLogic(config, '/no-endpoint')"),
    );
    const before = { revision: await revision(), image: await imageOfFrontEnd() };
    traffic = new SteadyTraffic(`${lab.gateway}/demo-app/fast-page`, REQUESTS_PER_SECOND);
    const run = await pipeline('run', '--job', 'changed', '--param', 'TESTS=false');
    await traffic.stop();
    expect(run.exitCode, `${run.stdout}\n${run.stderr}`).toBe(1);
    expect(run.stdout).toContain('/demo-app/slow-page answered 502');
    expect(run.stdout).toContain('Rollback was a success');
    expect(run.stderr).toContain('ended as FAILURE');
    // The page that worked went on doing so; the broken one is mended.
    expect(traffic.failures).toEqual([]);
    expect(await imageOfFrontEnd()).toBe(before.image);
    expect(await revision()).toBe(before.revision + 2);
    const slow = await lab.request('/demo-app/slow-page');
    expect(slow.status).toBe(200);
    expect(slow.headers.get('x-change')).toBe('one');
    const build = await lastBuild('changed');
    expect(build.result).toBe('FAILURE');
    await expectTelemetry('changed', build);
    const trace = await lab.telemetry.waitForTrace(build.traceId, {});
    const failed = trace.spans.filter(({ tags }) => tags.error === true).map(({ name }) => name);
    expect(failed).toEqual(expect.arrayContaining(['Stage: Smoke test', 'build changed']));
    expect(failed).not.toContain('Stage: Deploy');
  });
});
