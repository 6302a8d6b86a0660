import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

let lab: Harness;
beforeAll(async () => {
  lab = await Harness.start();
});
afterAll(() => lab[Symbol.asyncDispose]());

const pipeline = (stages: string, rest = ''): string =>
  `pipeline {\n agent any\n ${rest}\n stages {\n ${stages}\n }\n}`;
const stage = (steps: string, name = 'One'): string => `stage('${name}') { steps {\n ${steps}\n } }`;

describe('builds', () => {
  it('runs steps on an agent and keeps log, stages and result', async () => {
    const { record, log } = await lab.run(
      pipeline(stage('sh \'echo "on $NODE_NAME, build $BUILD_NUMBER"\'\n echo "as ${env.JOB_NAME}"')),
    );
    expect(record.result).toBe('SUCCESS');
    expect(log).toMatch(/^on agent-\d, build \d+$/m);
    expect(log).toContain('as job\n');
    expect(log).toMatch(/Finished: SUCCESS\n$/);
    expect(record.stages.map(({ name, status }) => [name, status])).toEqual([['One', 'SUCCESS']]);
    expect(
      lab.lines.some((line) => line.startsWith(`trace_id=${record.traceId} span_id=`) && line.endsWith('as job')),
    ).toBe(true);
  });

  it('fails on an exit code, skips what follows, runs post', async () => {
    const post =
      'post { always { echo "always" } failure { echo "because ${currentBuild.currentResult}" } success { echo "never" } }';
    const { record, log } = await lab.run(
      `${pipeline(`${stage('sh "exit 3"')}\n${stage('echo "unreached"', 'Two')}`).slice(0, -1)}${post}}`,
    );
    expect(record.result).toBe('FAILURE');
    expect(log).toContain('script returned exit code 3');
    expect(log).toContain('because FAILURE');
    expect(log).not.toContain('never');
    expect(log).not.toContain('unreached');
    expect(record.stages.map(({ status }) => status)).toEqual(['FAILURE', 'NOT_EXECUTED']);
  });

  it('runs parallel branches at once, and a matrix by its cells', async () => {
    const { record, log } = await lab.run(
      pipeline(
        `stage('P') { parallel { stage('a') { agent any
  steps { sh 'echo $WORKSPACE; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do test -e ${lab.folder}/b && exit 0; sleep 0.1; done; exit 1' } }
  stage('b') { agent any
  steps { sh 'touch ${lab.folder}/b' } } } }
stage('M') { matrix { axes { axis { name 'OS'; values 'x', 'y' } axis { name 'V'; values '1', '2' } }
  excludes { exclude { axis { name 'OS'; values 'y' } axis { name 'V'; values '2' } } }
  stages { stage('cell') { steps { echo "cell \${OS}-\${env.V}" } } } } }`,
      ),
    );
    expect(record.result).toBe('SUCCESS');
    expect(log.match(/^cell .*$/gm)?.sort()).toEqual(['cell x-1', 'cell x-2', 'cell y-1']);
  });

  it('ends the other branches at once with failFast; the build is a failure', async () => {
    const { record } = await lab.run(
      pipeline(`stage('P') { failFast true
  parallel { stage('a') { steps { sh 'sleep 41.3' } }
  stage('b') { steps { sh 'exit 1' } } } }`),
    );
    expect(record.result).toBe('FAILURE');
    expect(record.stages.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'P FAILURE',
      'a ABORTED',
      'b FAILURE',
    ]);
  });

  it('masks credentials', async () => {
    lab.credentials.set('token', { kind: 'string', text: 's3cr3t-value' });
    lab.credentials.set('login', { kind: 'usernamePassword', username: 'ann', password: 'pa55word' });
    lab.credentials.set('kube', { kind: 'file', fileName: 'config', content: Buffer.from('file-content-xyz') });
    const { record, log } = await lab.run(
      pipeline(
        stage(`withCredentials([string(credentialsId: 'token', variable: 'T'), usernamePassword(credentialsId: 'login', usernameVariable: 'U', passwordVariable: 'P'), file(credentialsId: 'kube', variable: 'F')]) {
  sh 'echo "t=$T u=$U p=$P"; cat $F; test \${#T} = 12'
  echo "\${T}"
 }
 sh 'test -z "$T"; echo \${LOGIN_USR} $LOGIN_PSW'`),
        "environment { LOGIN = credentials('login') }",
      ),
    );
    expect(log).not.toMatch(/s3cr3t|pa55word|file-content/);
    expect(log).toContain('t=**** u=ann p=****');
    expect(record.result).toBe('SUCCESS');
    expect(lab.lines.join('\n')).not.toMatch(/s3cr3t|pa55word/);
  });

  it('stashes, archives, reads test reports', async () => {
    const xml =
      '<testsuite name="s"><testcase classname="c" name="good" time="0.5"/><testcase name="bad"><failure message="no &amp; no">x</failure></testcase></testsuite>';
    const { record, log } = await lab.run(
      pipeline(
        `stage('A') { agent { label 'n1' }
 steps { writeFile file: 'out/a.txt', text: 'hello'
 writeFile file: 'r.xml', text: '${xml}'
 stash name: 's', includes: 'out/**'
 junit 'r.xml' } }
stage('B') { agent { label 'n2' }
 steps { deleteDir()
 unstash 's'
 sh 'cat out/a.txt'
 archiveArtifacts artifacts: 'out/*.txt' } }`,
      ),
    );
    expect(log).toContain('hello');
    expect(record.result).toBe('UNSTABLE');
    expect(record.artifacts).toEqual([{ path: 'out/a.txt', size: 5 }]);
    const base = `${lab.url}/jenkins/job/job/${record.number}`;
    expect(await (await fetch(`${base}/artifact/out/a.txt`)).text()).toBe('hello');
    expect(await (await fetch(`${base}/testReport/api/json`)).json()).toMatchObject({ failCount: 1, passCount: 1 });
    expect((await fetch(`${base}/artifact/..%2f..%2fbuild.json`)).status).not.toBe(200);
  });

  it('retries, catches, limits time, evaluates when', async () => {
    const { record, log } = await lab.run(
      pipeline(
        `${stage("sh 'rm -f n'\n retry(3) { sh 'echo x >> n; test $(wc -l < n) = 3' }\n catchError(buildResult: 'UNSTABLE', stageResult: 'FAILURE') { error 'mine' }\n catchError(buildResult: 'SUCCESS') { timeout(time: 200, unit: 'MILLISECONDS') { sh 'sleep 30' } }\n echo 'after'")}
stage('W1') { when { branch 'other' }
 steps { echo 'not here' } }
stage('W2') { when { anyOf { branch 'mai*'; environment name: 'X', value: 'y' } }
 steps { echo 'here' } }`,
      ),
    );
    expect(record.result).toBe('UNSTABLE');
    expect(log).toContain('ERROR: mine');
    expect(log).toContain('Timeout has been exceeded');
    expect(log).toContain('after');
    expect(log).not.toContain('not here\n');
    expect(record.stages.map(({ status }) => status)).toEqual(['FAILURE', 'NOT_EXECUTED', 'SUCCESS']);
  });

  it('aborts: the processes end, post still runs', async () => {
    const script = `${pipeline(stage('sh "sleep 61.7 & wait"')).slice(0, -1)} post { aborted { echo 'cleaned' } } }`;
    lab.pipelines.define({ name: 'long', script });
    const number = await lab.started('long');
    await lab.until(async () =>
      (await (await fetch(`${lab.url}/job/long/${number}/consoleText`)).text()).includes('+ '),
    );
    expect((await fetch(`${lab.url}/job/long/${number}/stop`, { method: 'POST', redirect: 'manual' })).status).toBe(
      302,
    );
    const { record, log } = await lab.end('long', number);
    expect(record.result).toBe('ABORTED');
    expect(log).toContain('cleaned');
  });

  it('waits for input', async () => {
    const script = pipeline(
      `stage('Ask') { input { message 'Go?' \n id 'go' \n parameters { string(name: 'WHERE', defaultValue: 'here') } }\n steps { echo "going \${WHERE}" } }`,
    );
    lab.pipelines.define({ name: 'ask', script });
    const number = await lab.started('ask');
    await lab.until(() => (lab.pipelines.build('ask', number)?.inputs.length ?? 0) > 0);
    expect(
      (
        await fetch(`${lab.url}/job/ask/${number}/input/go/proceed`, {
          method: 'POST',
          body: 'WHERE=there',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        })
      ).status,
    ).toBe(200);
    const { log, record } = await lab.end('ask', number);
    expect(log).toContain('going there');
    expect(record.result).toBe('SUCCESS');
  });

  it('restarts from a stage with its stashes', async () => {
    const first = await lab.run(
      pipeline(
        `${stage("writeFile file: 'f', text: 'kept'\n stash name: 's', includes: 'f'\n echo 'first'")}\n${stage("unstash 's'\n sh 'cat f'", 'Two')}`,
      ),
    );
    const item = lab.pipelines.restart('job', first.record.number, 'Two');
    await lab.until(() => item.build !== undefined);
    const { record, log } = await lab.end('job', item.build ?? 0);
    expect(record.stages.map(({ status }) => status)).toEqual(['NOT_EXECUTED', 'SUCCESS']);
    expect(log).toContain('kept');
    expect(() => lab.pipelines.restart('job', first.record.number, 'None')).toThrow('has no stage "None"');
  });

  it('runs one build at a time with disableConcurrentBuilds', async () => {
    lab.pipelines.define({
      name: 'one',
      script: pipeline(stage("sh 'sleep 0.3'"), 'options { disableConcurrentBuilds() }'),
    });
    const first = await lab.started('one');
    const item = lab.pipelines.request('one', { cause: { kind: 'UserIdCause', text: 'x' } });
    await lab.until(() => item.why.includes('already in progress'));
    await lab.pipelines.finished('one', first);
    await lab.until(() => item.build !== undefined);
    await lab.end('one', item.build ?? 0);
  });

  it('marks what was running when the controller went away', async () => {
    lab.pipelines.define({ name: 'crash', script: pipeline(stage("sh 'sleep 31.3'")) });
    const number = await lab.started('crash');
    await lab.until(() => lab.pipelines.build('crash', number)?.stages[0]?.status === 'IN_PROGRESS');
    const copy = lab.pipelines.store.build('crash', number);
    await lab.controller?.[Symbol.asyncDispose]();
    if (copy) lab.pipelines.store.saveBuild(copy);
    await lab.open();
    expect(lab.pipelines.build('crash', number)).toMatchObject({
      building: false,
      result: 'ABORTED',
      reason: 'The controller ended while the build ran',
    });
    await lab.until(() => lab.pipelines.agents.agents.filter((agent) => agent.isOnline).length === 3);
    expect((await lab.run(pipeline(stage("sh 'echo back'")))).record.result).toBe('SUCCESS');
  });
});
