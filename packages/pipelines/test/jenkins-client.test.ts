/** The npm package `jenkins`, a client of Jenkins' API, against ours: every call of it that makes sense here. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

interface LogAnswer {
  readonly text: string;
  readonly more: boolean;
  readonly size?: string;
}

/** The client has no types of its own. */
interface JenkinsClient {
  info(): Promise<object>;
  readonly job: {
    build(options: { name: string; parameters?: Readonly<Record<string, unknown>> }): Promise<number>;
    config(name: string, xml?: string): Promise<string>;
    copy(from: string, name: string): Promise<void>;
    create(name: string, xml: string): Promise<void>;
    destroy(name: string): Promise<void>;
    disable(name: string): Promise<void>;
    enable(name: string): Promise<void>;
    exists(name: string): Promise<boolean>;
    get(options: { name: string; tree?: string; depth?: number }): Promise<Record<string, unknown>>;
    list(): Promise<readonly { readonly name: string }[]>;
  };
  readonly build: {
    get(name: string, number: number | string): Promise<Record<string, unknown>>;
    log(options: { name: string; number: number; meta: true; start?: number; type?: string }): Promise<LogAnswer>;
    logStream(options: { name: string; number: number; delay: number }): NodeJS.EventEmitter;
    stop(name: string, number: number): Promise<void>;
    term(name: string, number: number): Promise<void>;
  };
  readonly queue: {
    list(): Promise<readonly { readonly id: number; readonly why: string }[]>;
    item(id: number): Promise<{ readonly executable?: { readonly number: number }; readonly cancelled?: boolean }>;
    cancel(id: number): Promise<void>;
  };
  readonly node: {
    list(): Promise<readonly { readonly displayName: string }[]>;
    get(name: string): Promise<Record<string, unknown>>;
    exists(name: string): Promise<boolean>;
    disable(name: string, message: string): Promise<void>;
    enable(name: string): Promise<void>;
  };
  readonly view: {
    list(): Promise<readonly { readonly name: string }[]>;
    exists(name: string): Promise<boolean>;
    get(name: string): Promise<{ readonly jobs: readonly { readonly name: string }[] }>;
  };
  readonly label: { get(name: string): Promise<Record<string, unknown>> };
  readonly plugin: { list(): Promise<readonly unknown[]> };
}
const Jenkins = createRequire(import.meta.url)('jenkins') as new (options: {
  baseUrl: string;
  crumbIssuer: boolean;
}) => JenkinsClient;

const xml = (script: string): string => `<?xml version='1.1' encoding='UTF-8'?>
<flow-definition plugin="workflow-job@1400">
  <description>Says &lt;hello&gt;</description>
  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps@4000">
    <script>${script.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</script>
    <sandbox>true</sandbox>
  </definition>
  <triggers/>
  <disabled>false</disabled>
</flow-definition>`;
const SCRIPT = `pipeline { agent any
  parameters { string(name: 'WHO', defaultValue: 'you'); booleanParam(name: 'LONG', defaultValue: false) }
  stages { stage('One') { steps { echo "hello <\${params.WHO}>"; sh 'test "$LONG" = false || sleep 60' } } } }`;

let lab: Harness;
let jenkins: JenkinsClient;
beforeAll(async () => {
  lab = await Harness.start({ agents: 2 });
  jenkins = new Jenkins({ baseUrl: `${lab.url}/jenkins`, crumbIssuer: true });
  await jenkins.job.create('hello', xml(SCRIPT));
});
afterAll(() => lab[Symbol.asyncDispose]());

async function started(id: number): Promise<number> {
  let number: number | undefined;
  await lab.until(async () => {
    number = (await jenkins.queue.item(id)).executable?.number;
    return number !== undefined;
  });
  return number ?? 0;
}

describe('jobs', () => {
  it('are made from XML, read, listed, copied, changed, removed', async () => {
    expect(await jenkins.job.exists('hello')).toBe(true);
    expect(await jenkins.job.exists('nobody')).toBe(false);
    await expect(jenkins.job.get({ name: 'nobody' })).rejects.toMatchObject({ notFound: true });
    expect(await jenkins.job.get({ name: 'hello' })).toMatchObject({
      _class: 'org.jenkinsci.plugins.workflow.job.WorkflowJob',
      description: 'Says <hello>',
      buildable: true,
      color: 'notbuilt',
      property: [
        {
          parameterDefinitions: [
            { name: 'WHO', type: 'StringParameterDefinition', defaultParameterValue: { value: 'you' } },
            { name: 'LONG', type: 'BooleanParameterDefinition', defaultParameterValue: { value: false } },
          ],
        },
      ],
    });
    await jenkins.job.copy('hello', 'copied');
    expect((await jenkins.job.list()).map(({ name }) => name)).toEqual(expect.arrayContaining(['copied', 'hello']));
    const config = await jenkins.job.config('copied');
    expect(config).toContain('class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"');
    await jenkins.job.config('copied', config.replaceAll('hello', 'good day'));
    expect(lab.pipelines.store.job('copied')?.script).toContain('echo "good day <${params.WHO}>"');
    await jenkins.job.destroy('copied');
    expect(await jenkins.job.exists('copied')).toBe(false);
  });

  it('come from a repository, whose branch is written as git writes it', async () => {
    const text = `<flow-definition><definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition">
      <scm class="hudson.plugins.git.GitSCM"><configVersion>2</configVersion>
        <userRemoteConfigs><hudson.plugins.git.UserRemoteConfig><url>/some/where</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs>
        <branches><hudson.plugins.git.BranchSpec><name>*/main</name></hudson.plugins.git.BranchSpec></branches>
      </scm><scriptPath>ci/Jenkinsfile</scriptPath></definition></flow-definition>`;
    await jenkins.job.create('scm', text);
    expect(lab.pipelines.store.job('scm')).toEqual({
      name: 'scm',
      scm: { url: '/some/where', branch: 'main', scriptPath: 'ci/Jenkinsfile' },
    });
    await jenkins.job.config('scm', await jenkins.job.config('scm'));
    expect(lab.pipelines.store.job('scm')?.scm?.url).toBe('/some/where');
    await jenkins.job.destroy('scm');
  });

  it('are refused with the reason, in the header that the client reads', async () => {
    await expect(jenkins.job.create('hello', xml(SCRIPT))).rejects.toThrow('A job already exists with the name');
    await expect(jenkins.job.create('free', '<project/>')).rejects.toThrow('jobs of the kind project are not run here');
    await expect(jenkins.job.create('broken', xml('pipeline { agent any }'))).rejects.toThrow(
      'Jenkinsfile:1:1: pipeline has no stages',
    );
  });

  it('are disabled, which stops builds, and enabled', async () => {
    await jenkins.job.disable('hello');
    expect(await jenkins.job.get({ name: 'hello', tree: 'color,buildable' })).toEqual({
      _class: 'org.jenkinsci.plugins.workflow.job.WorkflowJob',
      color: 'disabled',
      buildable: false,
    });
    await expect(jenkins.job.build({ name: 'hello' })).rejects.toThrow('hello is not buildable');
    await jenkins.job.enable('hello');
    expect(await jenkins.job.get({ name: 'hello', tree: 'buildable' })).toMatchObject({ buildable: true });
  });
});

describe('builds', () => {
  it('are started with parameters, watched, read', async () => {
    const number = await started(await jenkins.job.build({ name: 'hello', parameters: { WHO: 'Ann' } }));
    const log = await new Promise<string>((resolve, reject) => {
      let text = '';
      jenkins.build
        .logStream({ name: 'hello', number, delay: 20 })
        .on('data', (part: string) => (text += part))
        .on('error', reject)
        .on('end', () => resolve(text));
    });
    expect(log).toContain('hello <Ann>');
    expect(log).toMatch(/Finished: SUCCESS\n$/);
    const whole = await jenkins.build.log({ name: 'hello', number, meta: true });
    expect(whole).toMatchObject({ text: log, more: false, size: String(Buffer.byteLength(log)) });
    expect((await jenkins.build.log({ name: 'hello', number, meta: true, type: 'html' })).text).toContain(
      'hello &lt;Ann&gt;',
    );
    expect(await jenkins.build.get('hello', number)).toMatchObject({ number, result: 'SUCCESS', building: false });
    expect(await jenkins.build.get('hello', 'lastStableBuild')).toMatchObject({ number });
    await expect(jenkins.build.get('hello', 999)).rejects.toMatchObject({ notFound: true });
    const tree = 'builds[number]{0,1},lastBuild[number,url]';
    const job = await jenkins.job.get({ name: 'hello', tree });
    expect(job).toMatchObject({ builds: [{ number }], lastBuild: { number } });
    expect(job).not.toHaveProperty('color');
  });

  it('are stopped, and ended by force', async () => {
    for (const how of ['stop', 'term'] as const) {
      const number = await started(await jenkins.job.build({ name: 'hello', parameters: { LONG: 'true' } }));
      await lab.until(async () => (await jenkins.build.log({ name: 'hello', number, meta: true })).more);
      await jenkins.build[how]('hello', number);
      expect((await lab.end('hello', number)).record.result).toBe('ABORTED');
    }
  });
});

describe('queue, nodes and the rest', () => {
  it('waits in the queue for an agent that is out of service, and is cancelled there', async () => {
    lab.pipelines.define({
      name: 'one',
      script: `pipeline { agent { label 'n1' }
 options { disableConcurrentBuilds() }
 stages { stage('a') { steps { echo 'a' } } } }`,
    });
    await jenkins.node.disable('agent-1', 'for repair');
    expect(await jenkins.node.get('agent-1')).toMatchObject({
      offline: true,
      temporarilyOffline: true,
      offlineCauseReason: 'for repair',
    });
    const number = await started(await jenkins.job.build({ name: 'one' }));
    const second = await jenkins.job.build({ name: 'one' });
    await lab.until(async () =>
      (await jenkins.queue.list()).some(({ id, why }) => id === second && /in progress/.test(why)),
    );
    await jenkins.queue.cancel(second);
    expect(await jenkins.queue.item(second)).toMatchObject({ cancelled: true });
    expect(await jenkins.queue.list()).toEqual([]);
    await jenkins.node.enable('agent-1');
    expect((await lab.end('one', number)).record.result).toBe('SUCCESS');
  });

  it('knows nodes, labels, the view of all, and that there are no plugins', async () => {
    expect((await jenkins.node.list()).map(({ displayName }) => displayName)).toEqual(['agent-1', 'agent-2']);
    expect(await jenkins.node.exists('agent-2')).toBe(true);
    expect(await jenkins.node.exists('agent-9')).toBe(false);
    expect(await jenkins.label.get('linux')).toMatchObject({ totalExecutors: expect.any(Number), offline: false });
    expect((await jenkins.view.list()).map(({ name }) => name)).toEqual(['all']);
    expect(await jenkins.view.exists('all')).toBe(true);
    expect((await jenkins.view.get('all')).jobs.map(({ name }) => name)).toContain('hello');
    expect(await jenkins.plugin.list()).toEqual([]);
    expect(await jenkins.info()).toMatchObject({ _class: 'hudson.model.Hudson', jobs: expect.any(Array) });
  });
});
