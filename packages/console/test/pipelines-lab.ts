import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disposer, silentLogger, systemClock } from '@kind-e2e/base';
import { createKubeClient } from '@kind-e2e/kube-client';
import { type RunningPipelines, startAgent, startPipelines } from '@kind-e2e/pipelines';
import { type FixtureServer, startFixtureServer } from './fixture-server.ts';

const TOKEN = 'agents-of-the-test';

/** The console before a real controller with two real agents; everything else is the fixture's. */
export interface PipelinesLab extends AsyncDisposable {
  readonly fixture: FixtureServer;
  readonly pipelines: RunningPipelines['pipelines'];
}

export async function startPipelinesLab(port = 0): Promise<PipelinesLab> {
  const disposer = new Disposer();
  const folder = await mkdtemp(join(tmpdir(), 'console-pipelines-'));
  disposer.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const controller = startPipelines({
    client: createKubeClient({ server: 'https://127.0.0.1:1' }),
    dataDirectory: join(folder, 'data'),
    agentToken: TOKEN,
    clock: systemClock,
    logger: silentLogger,
  });
  const fixture = await startFixtureServer(port, (request, response) => controller.handle(request, response));
  disposer.defer(() => fixture[Symbol.asyncDispose]());
  disposer.use(controller);
  for (const name of ['agent-0', 'agent-1'])
    disposer.use(
      await startAgent({
        controller: fixture.url,
        token: TOKEN,
        name,
        labels: ['linux'],
        root: join(folder, name),
        env: { PATH: process.env.PATH },
        clock: systemClock,
        logger: silentLogger,
      }),
    );
  return { fixture, pipelines: controller.pipelines, [Symbol.asyncDispose]: () => disposer[Symbol.asyncDispose]() };
}

/** A pipeline with all that the page can show. */
export const SHOWCASE = `pipeline {
  agent { label 'linux' }
  options { timestamps() }
  triggers { cron('H 3 * * *') }
  parameters {
    string(name: 'WHO', defaultValue: 'the world', description: 'Who is greeted')
    booleanParam(name: 'ASK', defaultValue: false, description: 'Wait for an answer before the last stage')
    booleanParam(name: 'LONG', defaultValue: false, description: 'Go on until it is aborted')
    choice(name: 'RESULT', choices: ['good', 'unstable', 'bad'], description: 'How the tests go')
  }
  stages {
    stage('Build') { steps { echo "hello \${params.WHO}"; sh 'echo artifact > out.txt' } }
    stage('Check') {
      parallel {
        stage('unit') {
          steps {
            sh '''
              fail=""
              if [ "$RESULT" != good ]; then fail='<failure message="expected 1 to be 2"/>'; fi
              echo "<testsuite name='sums'><testcase classname='sums' name='adds' time='0.5'>$fail</testcase><testcase classname='sums' name='subtracts' time='0.1'/></testsuite>" > report.xml
            '''
            junit 'report.xml'
            archiveArtifacts 'out.txt'
          }
        }
        stage('lint') { steps { sh 'test "$RESULT" != bad' } }
      }
    }
    stage('Long') { when { environment name: 'LONG', value: 'true' } steps { sh 'for i in 1 2 3; do echo "line $i"; done; sleep 600' } }
    stage('Deploy') {
      when { beforeInput true; environment name: 'ASK', value: 'true' }
      input {
        message 'Deploy to production?'
        id 'deploy'
        ok 'Deploy'
        parameters { string(name: 'REASON', defaultValue: 'because', description: 'Why') }
      }
      steps { echo "deployed: \${REASON}" }
    }
  }
}`;
