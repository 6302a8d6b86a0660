import type { Options } from './ast.ts';
import { instead } from './nearest.ts';
import type { RawCall } from './raw-tree.ts';
import { atLeastOne } from './read-steps.ts';
import type { Reader } from './reader.ts';
import { TIME_UNITS } from './step-table.ts';

type MutableOptions = { -readonly [K in keyof Options]: Options[K] };

export const NO_OPTIONS: Options = {
  timeoutMs: undefined,
  retry: undefined,
  timestamps: false,
  disableConcurrentBuilds: undefined,
  buildsToKeep: undefined,
  daysToKeep: undefined,
  artifactBuildsToKeep: undefined,
  artifactDaysToKeep: undefined,
  quietPeriodMs: 0,
  disableRestartFromStage: false,
  checkoutDirectory: undefined,
  skipDefaultCheckout: false,
  parallelsAlwaysFailFast: false,
  skipStagesAfterUnstable: false,
};

const STAGE_OPTIONS = ['timeout', 'retry', 'timestamps', 'skipDefaultCheckout'];
const PIPELINE_OPTIONS = [
  ...STAGE_OPTIONS,
  'disableConcurrentBuilds',
  'buildDiscarder',
  'parallelsAlwaysFailFast',
  'skipStagesAfterUnstable',
  'quietPeriod',
  'disableRestartFromStage',
  'checkoutToSubdirectory',
  'disableResume',
  'durabilityHint',
  'preserveStashes',
];

/** Options of Jenkins and of its usual plugins that have no meaning here, and why. */
const REFUSED_OPTIONS: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  ansiColor: ['ansiColor needs the AnsiColor plugin', 'take it out: colours stay in the log as they are'],
  newContainerPerStage: ['newContainerPerStage is for agents by docker, which are not made here', 'take it out'],
  overrideIndexTriggers: ['overrideIndexTriggers is for multibranch jobs, of which there are none', 'take it out'],
  rateLimitBuilds: ['rateLimitBuilds is not done here', 'write disableConcurrentBuilds()'],
  gitLabConnection: ['gitLabConnection needs the GitLab plugin', 'take it out'],
  parameters: ['parameters is no option', "write parameters { string(name: '…') } in the pipeline"],
  pipelineTriggers: ['pipelineTriggers is no option', "write triggers { cron('…') } in the pipeline"],
  lock: ['lock needs the Lockable Resources plugin', 'write disableConcurrentBuilds()'],
  throttleJobProperty: ['throttleJobProperty needs a plugin', 'write disableConcurrentBuilds()'],
  copyArtifactPermission: ['copyArtifactPermission needs the Copy Artifact plugin', 'take it out'],
  office365ConnectorWebhooks: ['office365ConnectorWebhooks needs a plugin', 'take it out'],
};
const DURABILITIES = ['PERFORMANCE_OPTIMIZED', 'SURVIVABLE_NONATOMIC', 'MAX_SURVIVABILITY'] as const;

export function readOptions(call: RawCall, reader: Reader, where: 'pipeline' | 'stage'): Options {
  const options: MutableOptions = { ...NO_OPTIONS };
  const block = reader.block(call, 'options { timestamps() }');
  const known = where === 'pipeline' ? PIPELINE_OPTIONS : STAGE_OPTIONS;
  const seen = new Map<string, RawCall>();
  if (block?.statements.length === 0)
    reader.problems.add(block, 'options cannot be empty', 'write timestamps(), or take options out');
  for (const option of block ? reader.calls(block, 'options') : []) {
    reader.noBlock(option);
    const first = seen.get(option.name);
    if (first)
      reader.problems.add(
        option,
        `the option ${option.name} is there twice, first on line ${first.line}`,
        'keep one of them',
      );
    seen.set(option.name, option);
    const refused = REFUSED_OPTIONS[option.name];
    if (refused) reader.problems.add(option, ...refused);
    else if (!known.includes(option.name)) {
      if (PIPELINE_OPTIONS.includes(option.name))
        reader.problems.add(
          option,
          `the option ${option.name} belongs to the pipeline`,
          'move it to options of the pipeline',
        );
      else reader.problems.add(option, `unknown option "${option.name}"`, instead(option.name, known));
    } else readOption(option, options, reader);
  }
  return options;
}

function readOption(option: RawCall, options: MutableOptions, reader: Reader): void {
  switch (option.name) {
    case 'timeout': {
      const args = reader.args(option, ['time', 'unit'], ['time'], 'time');
      atLeastOne(args.get('time'), 'time of timeout', reader);
      const time = args.get('time');
      const unit = args.get('unit');
      const factor = TIME_UNITS[unit ? reader.oneOf(unit, 'unit of timeout', Object.keys(TIME_UNITS)) : 'MINUTES'];
      if (time) options.timeoutMs = reader.number(time, 'time of timeout') * (factor ?? 1);
      break;
    }
    case 'quietPeriod': {
      const seconds = reader.args(option, ['quietPeriod'], ['quietPeriod'], 'quietPeriod').get('quietPeriod');
      if (seconds) options.quietPeriodMs = Math.max(0, reader.number(seconds, 'seconds of quietPeriod')) * 1_000;
      break;
    }
    case 'checkoutToSubdirectory': {
      const folder = reader.args(option, ['subdirectory'], ['subdirectory'], 'subdirectory').get('subdirectory');
      const path = folder && reader.literal(folder, 'subdirectory');
      if (folder && (path === '' || path?.startsWith('/') || path?.split('/').includes('..')))
        reader.problems.add(
          folder,
          `"${path}" is not a folder of the workspace`,
          "write checkoutToSubdirectory('source')",
        );
      options.checkoutDirectory = path;
      break;
    }
    case 'durabilityHint': {
      // Every step is on disk before the next begins: the strongest of the three, whichever is asked for.
      const hint = reader.args(option, ['hint'], ['hint'], 'hint').get('hint');
      if (hint) reader.oneOf(hint, 'hint of durabilityHint', DURABILITIES);
      break;
    }
    case 'preserveStashes': {
      // Stashes live as long as their build.
      const count = reader.args(option, ['buildCount'], []).get('buildCount');
      atLeastOne(count, 'buildCount of preserveStashes', reader);
      if (count) reader.number(count, 'buildCount of preserveStashes');
      break;
    }
    case 'disableResume':
      // A build whose controller ended is marked as aborted, and never goes on.
      reader.args(option, [], []);
      break;
    case 'retry': {
      const count = reader.args(option, ['count'], ['count'], 'count').get('count');
      atLeastOne(count, 'count of retry', reader);
      if (count) options.retry = reader.number(count, 'count of retry');
      break;
    }
    case 'disableConcurrentBuilds': {
      const abort = reader.args(option, ['abortPrevious'], []).get('abortPrevious');
      options.disableConcurrentBuilds = abort && reader.boolean(abort, 'abortPrevious') ? 'abortPrevious' : 'wait';
      break;
    }
    case 'buildDiscarder':
      readDiscarder(option, options, reader);
      break;
    case 'skipDefaultCheckout': {
      const value = reader.args(option, ['value'], [], 'value').get('value');
      options.skipDefaultCheckout = value === undefined || reader.boolean(value, 'skipDefaultCheckout');
      break;
    }
    case 'timestamps':
    case 'parallelsAlwaysFailFast':
    case 'disableRestartFromStage':
    case 'skipStagesAfterUnstable':
      reader.args(option, [], []);
      options[option.name] = true;
      break;
  }
}

function readDiscarder(option: RawCall, options: MutableOptions, reader: Reader): void {
  const value = option.args[0]?.value;
  if (value?.kind !== 'call' || value.name !== 'logRotator') {
    reader.problems.add(
      value ?? option,
      'buildDiscarder wants logRotator(…)',
      "write buildDiscarder(logRotator(numToKeepStr: '10'))",
    );
    return;
  }
  const known = ['numToKeepStr', 'daysToKeepStr', 'artifactNumToKeepStr', 'artifactDaysToKeepStr'];
  const args = reader.args(value, known, []);
  if (args.size === 0)
    reader.problems.add(value, 'logRotator says nothing of what to keep', "write logRotator(numToKeepStr: '10')");
  const count = (key: string): number | undefined => {
    const found = args.get(key);
    if (!found) return undefined;
    const text = reader.literal(found, key);
    if (!/^\d*$/.test(text))
      reader.problems.add(found, `${key} must be a number in quotes, got "${text}"`, "write '10'");
    return text === '' ? undefined : Number(text);
  };
  options.buildsToKeep = count('numToKeepStr');
  options.daysToKeep = count('daysToKeepStr');
  options.artifactBuildsToKeep = count('artifactNumToKeepStr');
  options.artifactDaysToKeep = count('artifactDaysToKeepStr');
}
