import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

let lab: Harness;
beforeAll(async () => {
  lab = await Harness.start();
});
afterAll(() => lab[Symbol.asyncDispose]());

const pipeline = (stages: string, rest = '', agent = 'any'): string =>
  `pipeline {\n agent ${agent}\n ${rest}\n stages {\n ${stages}\n }\n}`;
const stage = (steps: string, name = 'One', rest = ''): string =>
  `stage('${name}') { ${rest}\n steps {\n ${steps}\n } }`;

/** A repository with a Jenkinsfile, and what commits to it. */
class Repository {
  readonly folder: string;

  constructor(name: string) {
    this.folder = join(lab.folder, name);
    mkdirSync(this.folder);
    this.git('init', '--quiet', '--initial-branch=main');
  }

  git(...args: string[]): void {
    execFileSync('git', args, { cwd: this.folder });
  }

  commit(message: string, files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), text);
    }
    this.git('add', '.');
    this.git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message', message);
  }
}

describe('when', () => {
  it('looks at the files and messages of the commits since the last build', async () => {
    const repository = new Repository('changes');
    const conditions = [
      stage('echo "ran: ts"', 'ts', "when { changeset '**/*.TS' }"),
      stage('echo "ran: cased"', 'cased', "when { changeset pattern: '**/*.TS', caseSensitive: true }"),
      stage('echo "ran: docs"', 'docs', "when { changeset pattern: 'docs/.*[.]md', comparator: 'REGEXP' }"),
      stage('echo "ran: log"', 'log', "when { changelog '(?i).*^\\\\[release\\\\] .+$' }"),
    ];
    repository.commit('first', { Jenkinsfile: pipeline(conditions.join('\n')), 'src/deep/a.ts': '1' });
    lab.pipelines.define({ name: 'changes', scm: { url: repository.folder, branch: 'main' } });
    const ran = async (): Promise<readonly string[]> => {
      const { record, log } = await lab.end('changes', await lab.started('changes'));
      expect(record.result, log).toBe('SUCCESS');
      return [...log.matchAll(/^ran: (.*)$/gm)].map((match) => match[1] ?? '');
    };
    // A first build has nothing to compare with.
    expect(await ran()).toEqual([]);
    repository.commit('second', { 'src/deep/a.ts': '2' });
    repository.commit('third\n\n[Release] 2.0', { 'docs/x.md': '1' });
    expect(await ran()).toEqual(['ts', 'docs', 'log']);
    expect(await ran()).toEqual([]);
  });

  it('knows tags, and that nothing is a change request', async () => {
    const repository = new Repository('tags');
    repository.commit('first', {
      Jenkinsfile: pipeline(
        [
          stage('echo "ran: tag ${env.TAG_NAME}"', 'a', 'when { buildingTag() }'),
          stage('echo "ran: v"', 'b', "when { tag pattern: 'v\\\\d+', comparator: 'REGEXP' }"),
          stage('echo "ran: w"', 'c', "when { tag 'w*' }"),
          stage('echo "ran: change"', 'd', 'when { changeRequest() }'),
          stage('echo "ran: no change"', 'e', 'when { not { changeRequest target: "main" } }'),
        ].join('\n'),
      ),
    });
    repository.git('tag', 'v1');
    for (const [branch, expected] of [
      ['refs/tags/v1', ['ran: tag v1', 'ran: v', 'ran: no change']],
      ['main', ['ran: no change']],
    ] as const) {
      lab.pipelines.define({ name: 'tags', scm: { url: repository.folder, branch } });
      const { log } = await lab.end('tags', await lab.started('tags'));
      expect(log.match(/^ran: .*$/gm)).toEqual(expected);
    }
  });

  it('knows who started the build', async () => {
    const script = pipeline(
      [
        stage('echo "ran: user"', 'a', "when { triggeredBy cause: 'UserIdCause', detail: 'admin' }"),
        stage('echo "ran: other"', 'b', "when { triggeredBy cause: 'UserIdCause', detail: 'ann' }"),
        stage('echo "ran: timer"', 'c', "when { triggeredBy 'TimerTrigger' }"),
      ].join('\n'),
    );
    expect((await lab.run(script)).log.match(/^ran: .*$/gm)).toEqual(['ran: user']);
    const timer = await lab.run(script, { cause: { kind: 'TimerTrigger', text: 'Started by timer' } });
    expect(timer.log.match(/^ran: .*$/gm)).toEqual(['ran: timer']);
  });
});

describe('options', () => {
  it('checks out into a folder, on an agent with a workspace of its own name', async () => {
    const repository = new Repository('folder');
    repository.commit('first', {
      'ci/Jenkinsfile': pipeline(
        stage('sh \'echo "in $WORKSPACE: $(ls)"; ls source\''),
        "options { checkoutToSubdirectory('source') }",
        "{ node { label 'linux'; customWorkspace 'own/place' } }",
      ),
    });
    lab.pipelines.define({
      name: 'folder',
      scm: { url: repository.folder, branch: 'main', scriptPath: 'ci/Jenkinsfile' },
    });
    const { record, log } = await lab.end('folder', await lab.started('folder'));
    expect(record.result, log).toBe('SUCCESS');
    expect(log).toMatch(/^in \S+\/agent-\d\/own\/place: source$/m);
    expect(log).toMatch(/^ci$/m);
  });

  it('waits out the quiet period, and says so in the queue', async () => {
    lab.pipelines.define({ name: 'quiet', script: pipeline(stage('echo "a"'), 'options { quietPeriod(1) }') });
    const began = Date.now();
    const item = lab.pipelines.request('quiet', { cause: { kind: 'UserIdCause', text: 'Started by user admin' } });
    await lab.until(() => item.why.startsWith('In the quiet period. Expires in 1 sec'));
    expect(item.build).toBeUndefined();
    await lab.until(() => item.build !== undefined);
    expect(Date.now() - began).toBeGreaterThanOrEqual(990);
    expect((await lab.end('quiet', item.build ?? 0)).record.result).toBe('SUCCESS');
  });

  it('refuses to restart where disableRestartFromStage stands', async () => {
    const { record } = await lab.run(pipeline(stage('echo "a"'), 'options { disableRestartFromStage() }'), {}, 'fixed');
    expect(() => lab.pipelines.restart('fixed', record.number, 'One')).toThrow('cannot be restarted from a stage');
  });

  it('keeps artifacts of so many builds only, and fingerprints of those that are asked for', async () => {
    const script = pipeline(
      stage('sh "printf abc > a.txt"\n archiveArtifacts artifacts: "a.txt", fingerprint: true'),
      "options { buildDiscarder(logRotator(numToKeepStr: '3', artifactNumToKeepStr: '1')) }",
    );
    for (let build = 1; build <= 4; build++) await lab.run(script, {}, 'artifacts');
    await lab.until(() => lab.pipelines.build('artifacts', 3)?.artifacts.length === 0);
    expect(lab.pipelines.builds('artifacts').map(({ number }) => number)).toEqual([4, 3, 2]);
    expect((await fetch(`${lab.url}/job/artifacts/3/artifact/a.txt`)).status).toBe(404);
    expect(await (await fetch(`${lab.url}/job/artifacts/4/artifact/a.txt`)).text()).toBe('abc');
    const build = (await (await fetch(`${lab.url}/job/artifacts/4/api/json`)).json()) as object;
    expect(build).toMatchObject({ fingerprint: [{ fileName: 'a.txt', hash: '900150983cd24fb0d6963f7d28e17f72' }] });
  });
});

describe('the rest of the declarative syntax', () => {
  it('starts a build after another by upstream, where its result is good enough', async () => {
    lab.pipelines.define({
      name: 'below',
      script: pipeline(
        stage('echo "ran"', 'One', "when { triggeredBy 'UpstreamCause' }"),
        "triggers { upstream(upstreamProjects: 'other, above', threshold: hudson.model.Result.UNSTABLE) }",
      ),
    });
    await lab.run(pipeline(stage('error "no"')), {}, 'above');
    await lab.run(pipeline(stage('unstable "hm"')), {}, 'above');
    await lab.until(() => lab.pipelines.builds('below').length === 1);
    const { log } = await lab.end('below', 1);
    expect(log).toContain('Started by upstream project "above" build number 2');
    expect(log).toContain('ran');
  });

  it('trims parameters that ask for it', async () => {
    const { log } = await lab.run(
      pipeline(
        stage('echo "[${params.A}][${params.B}]"\n echo A'),
        "parameters { string(name: 'A', defaultValue: '', trim: true); string(name: 'B', defaultValue: '') }",
      ),
      { parameters: { A: ' x ', B: ' y ' } },
    );
    expect(log).toContain('[x][ y ]\n');
    expect(log).toMatch(/^x$/m);
  });

  it('binds private keys and name:password, and masks both', async () => {
    const privateKey = '-----BEGIN KEY-----\nc2VjcmV0LWxpbmU=\n-----END KEY-----';
    lab.credentials.set('key', { kind: 'sshUserPrivateKey', username: 'git', privateKey, passphrase: 'opensesame' });
    lab.credentials.set('login', { kind: 'usernamePassword', username: 'ann', password: 'hush-hush' });
    const { record, log } = await lab.run(
      pipeline(
        stage(`withCredentials([
            sshUserPrivateKey(credentialsId: 'key', keyFileVariable: 'KEY', usernameVariable: 'WHO', passphraseVariable: 'PASS'),
            usernameColonPassword(credentialsId: 'login', variable: 'BOTH')]) {
          sh 'test "$(stat -c %a "$KEY")" = 400; cat "$KEY"; echo "$WHO/$PASS/$BOTH"; echo "$KEY" > where'
        }
        sh 'test ! -e "$(cat where)"; test "$ENV_USR" = git; cat "$ENV"; echo "$ENV_PSW"'`),
        "environment { ENV = credentials('key') }",
      ),
    );
    expect(record.result, log).toBe('SUCCESS');
    expect(log).toContain('git/****/****');
    expect(log).not.toMatch(/c2VjcmV0|opensesame|hush/);
  });

  it('gives the name of who answered an input', async () => {
    lab.pipelines.define({
      name: 'asked',
      script: pipeline(
        stage(
          'echo "by ${WHO}: ${ANSWER}"',
          'One',
          "input { message 'Go?'\n id 'go'\n submitterParameter 'WHO'\n parameters { string(name: 'ANSWER', defaultValue: 'no') } }",
        ),
      ),
    });
    const number = await lab.started('asked');
    await lab.until(() => lab.pipelines.build('asked', number)?.inputs.length === 1);
    const json = encodeURIComponent(JSON.stringify({ parameter: [{ name: 'ANSWER', value: 'yes' }] }));
    const answer = await fetch(`${lab.url}/job/asked/${number}/input/go/proceed`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `json=${json}`,
    });
    expect(answer.status).toBe(200);
    expect((await lab.end('asked', number)).log).toContain('by admin: yes');
  });

  it('writes what is given as Base64', async () => {
    const { log } = await lab.run(
      pipeline(stage("writeFile file: 'a', text: 'AAEC', encoding: 'Base64'\n sh 'od -An -tx1 a'")),
    );
    expect(log).toContain(' 00 01 02');
  });
});
