import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

let lab: Harness;
beforeAll(async () => {
  lab = await Harness.start({ agents: 1 });
  lab.pipelines.define({
    name: 'api',
    script: `pipeline { agent any
 parameters { string(name: 'WHO', defaultValue: 'you'); password(name: 'PW', defaultValue: '') }
 stages { stage('One') { steps { echo "hello \${params.WHO}"; sh 'echo pw=$PW' } } } }`,
  });
});
afterAll(() => lab[Symbol.asyncDispose]());

const post = (path: string, body = ''): Promise<Response> =>
  fetch(`${lab.url}${path}`, {
    method: 'POST',
    body,
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });

describe("Jenkins' REST API", () => {
  it('starts a build by its queue item, follows its log, describes it', async () => {
    const asked = await post('/jenkins/job/api/buildWithParameters', 'WHO=ann&PW=hush-hush');
    expect(asked.status).toBe(201);
    const item = new URL(asked.headers.get('location') ?? '').pathname;
    let number = 0;
    await lab.until(async () => {
      const queued = (await (await fetch(`${lab.url}${item}api/json`)).json()) as { executable?: { number: number } };
      number = queued.executable?.number ?? 0;
      return number > 0;
    });
    await lab.end('api', number);
    const log = await fetch(`${lab.url}/job/api/${number}/logText/progressiveText?start=0`);
    expect(log.headers.get('x-more-data')).toBeNull();
    const text = await log.text();
    expect(Number(log.headers.get('x-text-size'))).toBe(Buffer.byteLength(text));
    expect(text).toContain('hello ann');
    expect(text).toContain('pw=****');
    const build = (await (await fetch(`${lab.url}/jenkins/job/api/lastBuild/api/json`)).json()) as object;
    expect(build).toMatchObject({ number, result: 'SUCCESS', building: false });
    expect(JSON.stringify(build)).not.toContain('hush');
    const stages = await (await fetch(`${lab.url}/jenkins/job/api/${number}/wfapi/describe`)).json();
    expect(stages).toMatchObject({
      status: 'SUCCESS',
      stages: [{ name: 'One', status: 'SUCCESS', execNode: 'agent-1' }],
    });
    expect(await (await fetch(`${lab.url}/metrics`)).text()).toContain(
      'jenkins_builds_total{job="api",result="SUCCESS"} 1',
    );
  });

  it("validates a Jenkinsfile as Jenkins' linter does", async () => {
    const validate = async (text: string): Promise<string> => {
      const form = new FormData();
      form.set('jenkinsfile', text);
      const answer = await fetch(`${lab.url}/jenkins/pipeline-model-converter/validate`, {
        method: 'POST',
        body: form,
      });
      expect(answer.status).toBe(200);
      return answer.text();
    };
    expect(await validate('pipeline { agent any\n stages { stage("a") { steps { echo "é" } } } }')).toBe(
      'Jenkinsfile successfully validated.\n',
    );
    expect(await validate('pipeline {\n  stages { stage("a") { steps { echo "a" } } }\n}')).toBe(
      'Errors encountered validating Jenkinsfile:\nWorkflowScript: 1: pipeline has no agent; write agent any, or agent none with an agent in each stage @ line 1, column 1.\n',
    );
    const plain = new URLSearchParams({ jenkinsfile: 'pipeline { agent any }' }).toString();
    expect(await (await post('/pipeline-model-converter/validate', plain)).text()).toContain('pipeline has no stages');
    expect((await post('/pipeline-model-converter/validate', 'other=1')).status).toBe(400);
  });

  it('refuses what is wrong', async () => {
    expect((await fetch(`${lab.url}/jenkins/job/none/api/json`)).status).toBe(404);
    expect((await fetch(`${lab.url}/jenkins/job/api/build`)).status).toBe(405);
    expect((await post('/jenkins/job/api/buildWithParameters', 'NOPE=1')).status).toBe(400);
    const foreign = await fetch(`${lab.url}/job/api/build`, {
      method: 'POST',
      headers: { origin: 'http://evil.example' },
    });
    expect(foreign.status).toBe(403);
    expect((await fetch(`${lab.url}/agent/v1/commands?name=x`)).status).toBe(401);
    const wrong = await fetch(`${lab.url}/createItem?name=w`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ script: 'pipeline { }' }),
    });
    expect(wrong.status).toBe(400);
  });
});
