import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LabError, systemClock } from '@kind-e2e/base';
import { type LabConfig, PIPELINE_JOB, startJenkins } from '@kind-e2e/embedded';
import type { Problem } from '@kind-e2e/pipelines';
import type { Command } from 'commander';
import { ask, type CommandContext, type DataDirOption, gatewayOf, kubeClientOf, requireLab } from '../context.ts';
import { DATA_DIR_FLAG, DATA_DIR_HELP } from '../options.ts';
import { waitForInterrupt } from '../output/interrupt.ts';
import { formatDuration, table } from '../output/table.ts';

interface RunFlags extends DataDirOption {
  readonly job: string;
  readonly param?: readonly string[];
  readonly detach?: boolean;
}

interface Build {
  readonly number: number;
  readonly result: string | null;
  readonly building: boolean;
  readonly timestamp: number;
  readonly duration: number;
  readonly traceId: string;
}

const POLL_MS = 150;

/** `pipeline run|list|logs|abort|replay|restart|enable|disable|lint`: builds on the lab's own controller and agents. */
export function addPipelineCommand(program: Command, context: CommandContext): void {
  const pipeline = program.command('pipeline').description('build, test and deploy the app with jenkins/Jenkinsfile');
  pipeline
    .command('run')
    .description('start a build and follow its log; starts controller and agents where they are not there yet')
    .option('--job <name>', 'which job', PIPELINE_JOB)
    .option('-p, --param <name=value...>', 'parameters of the build')
    .option('-d, --detach', 'do not wait for its end')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action((flags: RunFlags) => stayingAlive(() => run(flags, context)));
  pipeline
    .command('list')
    .description('jobs and their builds')
    .option('--json', 'print them as JSON')
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action((flags: DataDirOption & { json?: boolean }) => list(flags, context));
  pipeline
    .command('logs')
    .description("a build's console log; of a running one until it ends")
    .argument('[build]', 'its number', 'lastBuild')
    .option('--job <name>', 'which job', PIPELINE_JOB)
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (build: string, flags: RunFlags) => {
      const config = await requireLab(context, flags);
      await stayingAlive(() => follow(gatewayOf(config), flags.job, build));
    });
  pipeline
    .command('abort')
    .description('end a running build')
    .argument('<build>', 'its number')
    .option('--job <name>', 'which job', PIPELINE_JOB)
    .option(DATA_DIR_FLAG, DATA_DIR_HELP)
    .action(async (build: string, flags: RunFlags) => {
      const config = await requireLab(context, flags);
      await post(`${gatewayOf(config)}/jenkins/job/${encodeURIComponent(flags.job)}/${build}/stop`);
    });
  pipeline
    .command('lint')
    .description('check a Jenkinsfile without running it')
    .argument('[file]', 'which', 'jenkins/Jenkinsfile')
    .option('--json', 'print the problems as JSON')
    .action((file: string, flags: { readonly json?: boolean }) => lint(file, flags, context));
  const again = (name: 'replay' | 'restart', description: string): Command =>
    pipeline
      .command(name)
      .description(description)
      .argument('<build>', 'its number')
      .option('--job <name>', 'which job', PIPELINE_JOB)
      .option(DATA_DIR_FLAG, DATA_DIR_HELP);
  again('replay', 'run a build again, with its Jenkinsfile, its parameters and its commit').action(
    (build: string, flags: RunFlags) => repeat(build, flags, context, 'replay'),
  );
  again('restart', 'run a build again from one of its outermost stages on')
    .requiredOption('--stage <name>', 'which stage')
    .action((build: string, flags: RunFlags & { readonly stage: string }) =>
      repeat(build, flags, context, 'restart', flags.stage),
    );
  for (const name of ['enable', 'disable'] as const)
    pipeline
      .command(name)
      .description(
        name === 'disable'
          ? 'let nothing start builds of a job: no trigger of its Jenkinsfile, nobody'
          : 'let builds of a job start again, by its triggers too',
      )
      .option('--job <name>', 'which job', PIPELINE_JOB)
      .option(DATA_DIR_FLAG, DATA_DIR_HELP)
      .action(async (flags: RunFlags) => {
        const config = await requireLab(context, flags);
        await post(`${gatewayOf(config)}/jenkins/job/${encodeURIComponent(flags.job)}/${name}`);
        context.err(`${flags.job} is ${name}d`);
      });
  for (const command of pipeline.commands) command.exitOverride();
}

async function lint(file: string, flags: { readonly json?: boolean }, context: CommandContext): Promise<void> {
  const path = resolve(context.cwd, file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LabError(`${path} cannot be read`, {
      code: 'NO_JENKINSFILE',
      side: 'user',
      remedy: 'name a Jenkinsfile',
      cause: error,
    });
  });
  // Loaded here only: the parser would make every other command start later.
  const { formatProblem, JenkinsfileError, parseJenkinsfile } = await import('@kind-e2e/pipelines');
  let problems: readonly Problem[] = [];
  try {
    parseJenkinsfile(text, file);
  } catch (error) {
    if (!(error instanceof JenkinsfileError)) throw error;
    problems = error.problems;
  }
  if (flags.json) context.out(JSON.stringify({ file, problems }, null, 2));
  else if (problems.length === 0) context.out(`${file} is a valid declarative pipeline`);
  else for (const problem of problems) context.out(formatProblem(problem, file));
  if (problems.length > 0) process.exitCode = 1;
}

/** Asks for a build like another one, and follows its log. */
async function repeat(
  build: string,
  flags: RunFlags,
  context: CommandContext,
  how: 'replay' | 'restart',
  stage?: string,
): Promise<void> {
  const config = await requireLab(context, flags);
  const job = `${gatewayOf(config)}/jenkins/job/${encodeURIComponent(flags.job)}`;
  const body = new URLSearchParams(stage === undefined ? {} : { stage });
  await stayingAlive(async () =>
    finishOf(await post(`${job}/${encodeURIComponent(build)}/${how}`, body), flags, config, context),
  );
}

/** The clock's waits do not keep a process alive; a command that waits must. */
async function stayingAlive(work: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => undefined, 60_000);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}

async function run(flags: RunFlags, context: CommandContext): Promise<void> {
  const config = await requireLab(context, flags);
  const gateway = gatewayOf(config);
  const interrupted = waitForInterrupt();
  try {
    await using client = await kubeClientOf(config);
    let said = '';
    await startJenkins({
      client,
      config,
      installation: context.installation,
      clock: systemClock,
      signal: interrupted.signal,
      say: (detail) => {
        if (detail !== said) context.err(`Jenkins: ${detail}`);
        said = detail;
      },
    });
  } finally {
    interrupted.dispose();
  }
  const parameters = new URLSearchParams((flags.param ?? []).map((text) => splitParameter(text)));
  const job = `${gateway}/jenkins/job/${encodeURIComponent(flags.job)}`;
  await finishOf(await post(`${job}/buildWithParameters`, parameters), flags, config, context);
}

/** Waits until the queued build has started, follows it to its end, and fails where it does. */
async function finishOf(answer: Response, flags: RunFlags, config: LabConfig, context: CommandContext): Promise<void> {
  const gateway = gatewayOf(config);
  const job = `${gateway}/jenkins/job/${encodeURIComponent(flags.job)}`;
  const item = new URL(answer.headers.get('location') ?? '', gateway).pathname;
  let number: number | undefined;
  while (number === undefined) {
    const queued = (await (await ask(config, `${item}api/json`)).json()) as {
      executable?: { number: number };
      cancelled?: boolean;
    };
    if (queued.cancelled)
      throw new LabError('the build was taken out of the queue', { code: 'BUILD_CANCELLED', side: 'user' });
    number = queued.executable?.number;
    if (number === undefined) await systemClock.sleep(POLL_MS);
  }
  context.err(`Build #${number}: ${gateway}/jenkins`);
  if (flags.detach) return;
  await follow(gateway, flags.job, String(number));
  const build = (await (await fetch(`${job}/${number}/api/json`)).json()) as Build;
  context.err(`${build.result} in ${formatDuration(build.duration)}; trace ${build.traceId}`);
  if (build.result !== 'SUCCESS')
    throw new LabError(`the build #${number} ended as ${build.result}`, {
      code: 'BUILD_FAILED',
      side: 'user',
      remedy: `see its log: kind-e2e pipeline logs ${number}; its trace: kind-e2e trace ${build.traceId}`,
    });
}

function splitParameter(text: string): [string, string] {
  const cut = text.indexOf('=');
  if (cut > 0) return [text.slice(0, cut), text.slice(cut + 1)];
  throw new LabError(`"${text}" is no parameter`, {
    code: 'PARAMETER',
    side: 'usage',
    remedy: 'write --param NAME=value',
  });
}

async function follow(gateway: string, job: string, build: string): Promise<void> {
  let start = 0;
  for (;;) {
    const answer = await fetch(
      `${gateway}/jenkins/job/${encodeURIComponent(job)}/${build}/logText/progressiveText?start=${start}`,
    );
    if (!answer.ok)
      throw new LabError(`there is no build ${build} of ${job}`, {
        code: 'NO_BUILD',
        side: 'user',
        remedy: 'see kind-e2e pipeline list; start one with kind-e2e pipeline run',
      });
    process.stdout.write(await answer.text());
    start = Number(answer.headers.get('x-text-size'));
    if (answer.headers.get('x-more-data') !== 'true') return;
    await systemClock.sleep(POLL_MS);
  }
}

interface Job {
  readonly name: string;
  readonly color: string;
  readonly triggers: readonly { readonly kind: string; readonly spec?: string }[];
  readonly builds: readonly Build[];
}

/** What starts builds of a job by itself, so that nobody wonders. */
function describeTriggers(job: Job): string | undefined {
  if (job.color === 'disabled') return `${job.name} is disabled: kind-e2e pipeline enable --job ${job.name}`;
  if (job.triggers.length === 0) return undefined;
  const what = job.triggers.map(({ kind, spec }) =>
    spec === undefined ? kind : `${kind} '${spec.split('\n').at(-1)}'`,
  );
  return `${job.name} starts by itself: ${what.join(', ')}; kind-e2e pipeline disable stops that`;
}

async function list(flags: DataDirOption & { json?: boolean }, context: CommandContext): Promise<void> {
  const config = await requireLab(context, flags);
  const answer = await ask(config, '/jenkins/api/json');
  const { jobs } = answer.ok ? ((await answer.json()) as { jobs: readonly Job[] }) : { jobs: [] };
  if (flags.json) {
    context.out(JSON.stringify(jobs, null, 2));
    return;
  }
  const rows = jobs.flatMap((job) =>
    job.builds.map((build) => [
      job.name,
      `#${build.number}`,
      build.building ? 'running' : (build.result ?? ''),
      new Date(build.timestamp).toLocaleString(),
      build.building ? '' : formatDuration(build.duration),
      build.traceId,
    ]),
  );
  context.out(
    rows.length === 0
      ? 'no builds yet: kind-e2e pipeline run'
      : table(['JOB', 'BUILD', 'RESULT', 'STARTED', 'TOOK', 'TRACE'], rows),
  );
  for (const job of jobs) {
    const said = describeTriggers(job);
    if (said !== undefined) context.err(said);
  }
}

async function post(url: string, body?: URLSearchParams): Promise<Response> {
  const answer = await fetch(url, { method: 'POST', redirect: 'manual', ...(body ? { body } : {}) });
  if (answer.status < 400) return answer;
  const { message = `the controller answered ${answer.status}` } = (await answer.json().catch(() => ({}))) as {
    message?: string;
  };
  throw new LabError(message, { code: 'PIPELINE_REFUSED', side: 'user', remedy: 'see kind-e2e pipeline list' });
}
