import {
  type Agent,
  type EnvironmentEntry,
  type Input,
  type Options,
  type Parameter,
  POST_CONDITIONS,
  type PostCondition,
  type PostName,
  type Trigger,
} from './ast.ts';
import { parseCron } from './cron.ts';
import { instead } from './nearest.ts';
import type { RawCall, RawValue } from './raw-tree.ts';
import { atLeastOne, readSteps } from './read-steps.ts';
import { describeKind, type Reader } from './reader.ts';
import { TIME_UNITS } from './step-table.ts';

const AGENTS = ['any', 'none', 'label'];

export function readAgent(call: RawCall, reader: Reader): Agent {
  const [first] = call.args;
  if (call.block) {
    const inner = reader.calls(call.block, 'agent');
    for (const one of inner) {
      if (one.name === 'label') {
        const value = reader.args(one, ['label'], ['label'], 'label').get('label');
        return { kind: 'label', label: value === undefined ? [''] : reader.text(value, 'label') };
      }
      if (one.name === 'any' || one.name === 'none')
        reader.problems.add(one, `agent { ${one.name} } is not an agent`, `write agent ${one.name}`);
      else if (['docker', 'dockerfile', 'kubernetes', 'node'].includes(one.name))
        reader.problems.add(one, `an agent by ${one.name} is not made here`, 'write agent any or agent { label "…" }');
      else reader.problems.add(one, `unknown agent "${one.name}"`, instead(one.name, AGENTS));
    }
    if (inner.length === 0) reader.problems.add(call.block, 'agent holds nothing', 'write agent any');
    return { kind: 'any' };
  }
  if (first?.value.kind === 'path' && (first.value.path === 'any' || first.value.path === 'none'))
    return { kind: first.value.path };
  const got = first === undefined ? 'nothing' : describeKind(first.value);
  const label = first?.value.kind === 'text' ? ` or agent { label '…' }` : '';
  reader.problems.add(
    first ?? call,
    `agent cannot be ${got}`,
    `write agent any, agent none${label || " or agent { label '…' }"}`,
  );
  return { kind: 'any' };
}

export function readEnvironment(call: RawCall, reader: Reader): readonly EnvironmentEntry[] {
  const block = reader.block(call, "environment { NAME = '…' }");
  const entries: EnvironmentEntry[] = [];
  for (const statement of block?.statements ?? []) {
    const { line, column } = statement;
    if (statement.kind === 'call') {
      reader.problems.add(
        statement,
        `environment wants NAME = value, got ${statement.name}`,
        `write ${statement.name} = '…'`,
      );
    } else if (statement.value.kind === 'call') {
      const { value } = statement;
      if (value.name !== 'credentials') {
        reader.problems.add(
          value,
          `${value.name}(…) cannot be a variable's value`,
          "write credentials('…') or a string",
        );
        continue;
      }
      const id = reader.args(value, ['id'], ['id'], 'id').get('id');
      if (id)
        entries.push({ name: statement.name, value: { kind: 'credentials', id: reader.text(id, 'id') }, line, column });
    } else {
      const text = reader.text(statement.value, `the variable ${statement.name}`);
      entries.push({ name: statement.name, value: { kind: 'text', text }, line, column });
    }
  }
  return entries;
}

type MutableOptions = { -readonly [K in keyof Options]: Options[K] };

export const NO_OPTIONS: Options = {
  timeoutMs: undefined,
  retry: undefined,
  timestamps: false,
  disableConcurrentBuilds: undefined,
  buildsToKeep: undefined,
  daysToKeep: undefined,
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
];

export function readOptions(call: RawCall, reader: Reader, where: 'pipeline' | 'stage'): Options {
  const options: MutableOptions = { ...NO_OPTIONS };
  const block = reader.block(call, 'options { timestamps() }');
  const known = where === 'pipeline' ? PIPELINE_OPTIONS : STAGE_OPTIONS;
  for (const option of block ? reader.calls(block, 'options') : []) {
    reader.noBlock(option);
    if (!known.includes(option.name)) {
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
  for (const key of ['artifactNumToKeepStr', 'artifactDaysToKeepStr']) {
    const found = args.get(key);
    if (found)
      reader.problems.add(found, `${key} is not done here: artifacts live as long as their build`, 'take it out');
  }
}

const PARAMETERS = ['string', 'booleanParam', 'choice', 'text', 'password'] as const;

export function readParameters(call: RawCall, reader: Reader): readonly Parameter[] {
  const block = reader.block(call, "parameters { string(name: '…', defaultValue: '…') }");
  const parameters: Parameter[] = [];
  for (const one of block ? reader.calls(block, 'parameters') : []) {
    const kind = PARAMETERS.find((candidate) => candidate === one.name);
    if (kind === undefined) {
      reader.problems.add(one, `unknown parameter type "${one.name}"`, instead(one.name, PARAMETERS));
      continue;
    }
    const own = kind === 'choice' ? ['choices'] : ['defaultValue', ...(kind === 'string' ? ['trim'] : [])];
    const args = reader.args(one, ['name', 'description', ...own], ['name', ...(kind === 'choice' ? own : [])]);
    const name = args.get('name');
    const text = (value: RawValue | undefined, what: string): string => (value ? reader.literal(value, what) : '');
    const parameterName = name ? reader.variableName(name, 'name of a parameter') : '';
    if (parameters.some((other) => other.name === parameterName))
      reader.problems.add(one, `the parameter ${parameterName} is there twice`, 'give each its own name');
    const fallback = args.get('defaultValue');
    const choices = kind === 'choice' ? readChoices(args.get('choices'), reader) : [];
    const defaultValue =
      kind === 'booleanParam'
        ? String(fallback !== undefined && reader.boolean(fallback, 'defaultValue of booleanParam'))
        : kind === 'choice'
          ? (choices[0] ?? '')
          : text(fallback, `defaultValue of ${kind}`);
    parameters.push({
      kind,
      name: parameterName,
      description: text(args.get('description'), 'description'),
      defaultValue,
      choices,
    });
  }
  return parameters;
}

function readChoices(value: RawValue | undefined, reader: Reader): readonly string[] {
  if (value === undefined) return [];
  if (value.kind === 'text') return reader.literal(value, 'choices').split('\n');
  if (value.kind !== 'list') {
    reader.problems.add(value, `choices must be a list, got ${describeKind(value)}`, "write ['…', '…']");
    return [];
  }
  if (value.items.length === 0) reader.problems.add(value, 'choices is empty', 'name at least one');
  return value.items.map((item) => reader.literal(item, 'a choice'));
}

export function readTriggers(call: RawCall, reader: Reader): readonly Trigger[] {
  const block = reader.block(call, "triggers { cron('H 4 * * *') }");
  const triggers: Trigger[] = [];
  for (const one of block ? reader.calls(block, 'triggers') : []) {
    if (one.name !== 'cron' && one.name !== 'pollSCM') {
      reader.problems.add(one, `unknown trigger "${one.name}"`, instead(one.name, ['cron', 'pollSCM']));
      continue;
    }
    const value = reader.args(one, ['spec'], ['spec'], 'spec').get('spec');
    if (!value) continue;
    const spec = reader.literal(value, `spec of ${one.name}`);
    const wrong = parseCron(spec, '').problem;
    if (wrong !== undefined) reader.problems.add(value, wrong, "write five fields: '*/5 * * * *', or '@daily'");
    triggers.push({ kind: one.name, spec });
  }
  return triggers;
}

export function readPost(call: RawCall, reader: Reader): readonly PostCondition[] {
  const block = reader.block(call, 'post { always { … } }');
  if (!block) return [];
  const found = reader.sections(block, 'post', POST_CONDITIONS);
  if (block.statements.length === 0) reader.problems.add(block, 'post holds no condition', 'write always { … }');
  return POST_CONDITIONS.flatMap((condition: PostName) => {
    const one = found.get(condition);
    const inner = one && reader.block(one, `${condition} { … }`);
    return inner ? [{ condition, steps: readSteps(inner, reader, condition) }] : [];
  });
}

const INPUT_SETTINGS = ['message', 'ok', 'id', 'submitter', 'parameters'];

export function readInput(call: RawCall, reader: Reader): Input {
  const settings = new Map<string, RawValue>();
  let parameters: readonly Parameter[] = [];
  const block = reader.block(call, "input { message '…' }");
  if (block) {
    for (const [name, one] of reader.sections(block, 'input', INPUT_SETTINGS)) {
      if (name === 'parameters') parameters = readParameters(one, reader);
      else {
        const value = reader.args(one, [name], [name], name).get(name);
        if (value) settings.set(name, value);
      }
    }
    if (!settings.has('message')) reader.problems.add(call, 'input needs a message', "write input { message '…' }");
  }
  const literal = (name: string): string | undefined => {
    const value = settings.get(name);
    return value && reader.literal(value, `${name} of input`);
  };
  const message = settings.get('message');
  return {
    message: message ? reader.text(message, 'message of input') : [''],
    ok: literal('ok') ?? 'Proceed',
    id: literal('id'),
    submitter: literal('submitter'),
    parameters,
  };
}
