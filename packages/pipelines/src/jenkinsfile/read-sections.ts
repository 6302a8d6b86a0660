import {
  type EnvironmentEntry,
  type Input,
  type Parameter,
  POST_CONDITIONS,
  type PostCondition,
  type PostName,
  type Trigger,
} from './ast.ts';
import { parseCron } from './cron.ts';
import { instead } from './nearest.ts';
import type { RawCall, RawValue } from './raw-tree.ts';
import { readSteps } from './read-steps.ts';
import { describeKind, type Reader } from './reader.ts';

export function readEnvironment(call: RawCall, reader: Reader): readonly EnvironmentEntry[] {
  const block = reader.block(call, "environment { NAME = '…' }");
  if (block?.statements.length === 0)
    reader.problems.add(block, 'environment holds no variable', "write NAME = '…', or take environment out");
  const entries: EnvironmentEntry[] = [];
  for (const statement of block?.statements ?? []) {
    const { line, column } = statement;
    if (statement.kind === 'call') {
      reader.problems.add(
        statement,
        `environment wants NAME = value, got ${statement.name}`,
        `write ${statement.name} = '…'`,
      );
      continue;
    }
    const first = entries.find((entry) => entry.name === statement.name);
    if (first)
      reader.problems.add(
        statement,
        `the variable ${statement.name} is there twice, first on line ${first.line}`,
        'keep one of them',
      );
    if (!/^[A-Za-z_]\w*$/.test(statement.name))
      reader.problems.add(
        statement,
        `"${statement.name}" is not a name of a variable`,
        'use letters, digits and _, no digit first',
      );
    const value = readEnvironmentValue(statement.name, statement.value, reader);
    if (value) entries.push({ name: statement.name, value, line, column });
  }
  return entries;
}

function readEnvironmentValue(name: string, value: RawValue, reader: Reader): EnvironmentEntry['value'] | undefined {
  if (value.kind === 'text') return { kind: 'text', text: value.text };
  if (value.kind === 'number' || value.kind === 'boolean') return { kind: 'text', text: [String(value.value)] };
  if (value.kind === 'call' && value.name === 'credentials') {
    const id = reader.args(value, ['id'], ['id'], 'id').get('id');
    return id && { kind: 'credentials', id: reader.text(id, 'id') };
  }
  if (value.kind === 'call')
    reader.problems.add(
      value,
      `${value.name}(…) cannot be a variable's value`,
      value.name === 'sh' ? 'compute it in the sh step that uses it' : "write credentials('…') or a string",
    );
  // As Jenkins: "Environment variable values must either be strings or function calls."
  else
    reader.problems.add(
      value,
      `the variable ${name} must be a string or credentials(…), got ${describeKind(value)}`,
      value.kind === 'path' ? `write "\${${value.path}}"` : "write it in quotes: '…'",
    );
  return undefined;
}

const PARAMETERS = ['string', 'booleanParam', 'choice', 'text', 'password'] as const;

/** Parameters of Jenkins that have no meaning here, and why. */
const REFUSED_PARAMETERS: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  file: ['a parameter of the type file is not taken here', 'put the file into the repository'],
  base64File: ['base64File needs the File Parameters plugin', "write text(name: '…')"],
  run: ['a parameter of the type run is not taken here', "write string(name: '…') for the build's number"],
  credentials: ['a parameter of the type credentials is not taken here', "write credentials('…') in environment"],
  gitParameter: ['gitParameter needs the Git Parameter plugin', "write string(name: '…') for the branch"],
  extendedChoice: ['extendedChoice needs a plugin', "write choice(name: '…', choices: ['…'])"],
  activeChoice: ['activeChoice runs Groovy code, which is not run here', "write choice(name: '…', choices: ['…'])"],
};

export function readParameters(call: RawCall, reader: Reader): readonly Parameter[] {
  const block = reader.block(call, "parameters { string(name: '…', defaultValue: '…') }");
  const parameters: Parameter[] = [];
  if (block?.statements.length === 0)
    reader.problems.add(block, 'parameters cannot be empty', "write string(name: '…'), or take parameters out");
  for (const one of block ? reader.calls(block, 'parameters') : []) {
    const kind = PARAMETERS.find((candidate) => candidate === one.name);
    const refused = REFUSED_PARAMETERS[one.name];
    if (refused) {
      reader.problems.add(one, ...refused);
      continue;
    }
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
      trim: args.has('trim') && reader.boolean(args.get('trim') as RawValue, 'trim'),
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

const TRIGGERS = ['cron', 'pollSCM', 'upstream'] as const;
const THRESHOLDS = ['SUCCESS', 'UNSTABLE', 'FAILURE'] as const;

/** Triggers of plugins, which need what calls from outside. */
const REFUSED_TRIGGERS = [
  'githubPush',
  'gitlab',
  'bitbucketPush',
  'GenericTrigger',
  'parameterizedCron',
  'issueCommentTrigger',
  'dockerHubTrigger',
];

export function readTriggers(call: RawCall, reader: Reader): readonly Trigger[] {
  const block = reader.block(call, "triggers { cron('H 4 * * *') }");
  const triggers: Trigger[] = [];
  if (block?.statements.length === 0)
    reader.problems.add(block, 'triggers cannot be empty', "write cron('@daily'), or take triggers out");
  for (const one of block ? reader.calls(block, 'triggers') : []) {
    const kind = TRIGGERS.find((candidate) => candidate === one.name);
    if (REFUSED_TRIGGERS.includes(one.name))
      reader.problems.add(one, `the trigger ${one.name} needs a plugin`, "write pollSCM('H/5 * * * *')");
    else if (kind === undefined) reader.problems.add(one, `unknown trigger "${one.name}"`, instead(one.name, TRIGGERS));
    else if (triggers.some((other) => other.kind === kind))
      reader.problems.add(
        one,
        `the trigger ${kind} is there twice`,
        kind === 'upstream' ? "name the jobs in one: 'a, b'" : 'write both lines into one',
      );
    else {
      const trigger = kind === 'upstream' ? readUpstream(one, reader) : readSchedule(one, kind, reader);
      if (trigger) triggers.push(trigger);
    }
  }
  return triggers;
}

function readSchedule(call: RawCall, kind: 'cron' | 'pollSCM', reader: Reader): Trigger | undefined {
  const args = reader.args(call, ['spec'], ['spec'], 'spec');
  const value = args.get('spec');
  if (!value) return undefined;
  const spec = reader.literal(value, `spec of ${kind}`);
  const wrong = parseCron(spec, '').problem;
  if (wrong !== undefined) reader.problems.add(value, wrong, "write five fields: '*/5 * * * *', or '@daily'");
  return { kind, spec };
}

function readUpstream(call: RawCall, reader: Reader): Trigger {
  const args = reader.args(call, ['upstreamProjects', 'threshold'], ['upstreamProjects'], 'upstreamProjects');
  const projects = args.get('upstreamProjects');
  const threshold = args.get('threshold');
  const jobs = projects ? reader.literal(projects, 'upstreamProjects').split(',') : [];
  return {
    kind: 'upstream',
    jobs: jobs.map((job) => job.trim()).filter((job) => job !== ''),
    threshold: threshold ? readThreshold(threshold, reader) : 'SUCCESS',
  };
}

/** `hudson.model.Result.SUCCESS`, as the snippet generator writes it, or its name as a string. */
function readThreshold(value: RawValue, reader: Reader): (typeof THRESHOLDS)[number] {
  if (value.kind !== 'path') return reader.oneOf(value, 'threshold', THRESHOLDS);
  const found = THRESHOLDS.find((result) => value.path === `hudson.model.Result.${result}` || value.path === result);
  if (found) return found;
  reader.problems.add(value, `threshold cannot be ${value.path}`, `write hudson.model.Result.SUCCESS`);
  return 'SUCCESS';
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

const INPUT_SETTINGS = ['message', 'ok', 'id', 'submitter', 'submitterParameter', 'parameters'];

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
    submitterParameter: literal('submitterParameter'),
    parameters,
  };
}
