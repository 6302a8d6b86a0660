import type { Axis, ExcludeAxis, Pipeline, Stage, StageBody } from './ast.ts';
import type { RawBlock, RawCall, RawStatement } from './raw-tree.ts';
import { readAgent } from './read-agent.ts';
import { NO_OPTIONS, readOptions } from './read-options.ts';
import { readEnvironment, readInput, readParameters, readPost, readTriggers } from './read-sections.ts';
import { readSteps } from './read-steps.ts';
import { readWhen } from './read-when.ts';
import type { Reader } from './reader.ts';

const PIPELINE = ['agent', 'environment', 'options', 'parameters', 'triggers', 'stages', 'post', 'tools', 'libraries'];
const STAGE = [
  'agent',
  'when',
  'environment',
  'options',
  'input',
  'post',
  'steps',
  'stages',
  'parallel',
  'matrix',
  'failFast',
  'tools',
];
const BODIES = ['steps', 'stages', 'parallel', 'matrix'] as const;

/** Gives the statements of a file their meaning. */
export function readPipeline(statements: readonly RawStatement[], reader: Reader): Pipeline | undefined {
  const { problems } = reader;
  const [first] = statements;
  if (first === undefined) {
    problems.add({ line: 1, column: 1 }, 'the file is empty', 'write pipeline { agent any … }');
    return undefined;
  }
  const pipeline = statements.find((statement) => statement.kind === 'call' && statement.name === 'pipeline');
  for (const other of statements) {
    if (other === pipeline) continue;
    if (other.kind === 'call' && (other.name === 'node' || other.name === 'stage') && !pipeline)
      problems.add(
        other,
        'this is a scripted pipeline, whose Groovy code is not run here',
        'write pipeline { agent any … }',
      );
    else
      problems.add(
        other,
        `${other.name} stands outside of pipeline`,
        'a file holds one pipeline { … } and nothing else',
      );
  }
  if (pipeline?.kind !== 'call') return undefined;
  const block = reader.block(pipeline, 'pipeline { agent any … }');
  if (!block) return undefined;
  reader.noArguments(pipeline, 'pipeline { … }');
  const sections = reader.sections(block, 'pipeline', PIPELINE);
  refuseTools(sections, reader);
  const agent = sections.get('agent');
  if (!agent)
    problems.add(pipeline, 'pipeline has no agent', 'write agent any, or agent none with an agent in each stage');
  const stages = sections.get('stages');
  if (!stages) problems.add(pipeline, 'pipeline has no stages', 'write stages { stage("…") { steps { … } } }');
  const result: Pipeline = {
    agent: agent ? readAgent(agent, reader) : { kind: 'any' },
    ...directives(sections, reader, 'pipeline'),
    parameters: optional(sections.get('parameters'), (call) => readParameters(call, reader)) ?? [],
    triggers: optional(sections.get('triggers'), (call) => readTriggers(call, reader)) ?? [],
    stages: stages ? readStages(stages, reader) : [],
    line: pipeline.line,
    column: pipeline.column,
  };
  if (result.agent.kind === 'none') checkAgents(result.stages, reader);
  checkNesting(result.stages, undefined, reader);
  return result;
}

function optional<T>(call: RawCall | undefined, read: (call: RawCall) => T): T | undefined {
  return call === undefined ? undefined : read(call);
}

function refuseTools(sections: ReadonlyMap<string, RawCall>, reader: Reader): void {
  const tools = sections.get('tools');
  if (tools)
    reader.problems.add(
      tools,
      'tools installs programs, which is not done here',
      'install them on the agents, and set PATH in environment { … } where needed',
    );
  const libraries = sections.get('libraries');
  if (libraries)
    reader.problems.add(libraries, 'shared libraries hold Groovy code, which is not run here', 'take libraries out');
}

function directives(sections: ReadonlyMap<string, RawCall>, reader: Reader, where: 'pipeline' | 'stage') {
  return {
    environment: optional(sections.get('environment'), (call) => readEnvironment(call, reader)) ?? [],
    options: optional(sections.get('options'), (call) => readOptions(call, reader, where)) ?? NO_OPTIONS,
    post: optional(sections.get('post'), (call) => readPost(call, reader)) ?? [],
  };
}

function readStages(call: RawCall, reader: Reader): readonly Stage[] {
  reader.noArguments(call, `${call.name} { … }`);
  const block = reader.block(call, `${call.name} { stage("…") { … } }`);
  return block ? readStageList(block, call.name, reader) : [];
}

function readStageList(block: RawBlock, owner: string, reader: Reader): readonly Stage[] {
  const stages: Stage[] = [];
  for (const call of reader.calls(block, owner)) {
    if (call.name !== 'stage') {
      reader.problems.add(
        call,
        `${owner} holds only stages, got "${call.name}"`,
        `write stage("…") { steps { ${call.name} … } }`,
      );
      continue;
    }
    const stage = readStage(call, reader);
    if (stage && stage.name !== '' && stages.some((other) => other.name === stage.name))
      reader.problems.add(call, `the stage "${stage.name}" is there twice`, 'give each its own name');
    if (stage) stages.push(stage);
  }
  if (block.statements.length === 0)
    reader.problems.add(block, `${owner} holds no stage`, 'write stage("…") { steps { … } }');
  return stages;
}

function readStage(call: RawCall, reader: Reader): Stage | undefined {
  const nameValue = reader.args(call, ['name'], ['name'], 'name').get('name');
  const name = nameValue ? reader.literal(nameValue, "a stage's name") : '';
  const block = reader.block(call, `stage("${name}") { steps { … } }`);
  if (!block) return undefined;
  const owner = `the stage "${name}"`;
  const sections = reader.sections(block, owner, STAGE);
  refuseTools(sections, reader);
  const failFast = sections.get('failFast');
  const failFastValue = failFast && reader.args(failFast, ['value'], ['value'], 'value').get('value');
  const body = readBody(call, owner, sections, reader);
  if (failFast && body && body.kind !== 'parallel' && body.kind !== 'matrix')
    reader.problems.add(failFast, 'failFast belongs to a stage with parallel or matrix', 'take it out');
  return {
    name,
    agent: optional(sections.get('agent'), (one) => readAgent(one, reader)),
    when: optional(sections.get('when'), (one) => readWhen(one, reader)),
    input: optional(sections.get('input'), (one) => readInput(one, reader)),
    failFast: failFastValue !== undefined && reader.boolean(failFastValue, 'failFast'),
    ...directives(sections, reader, 'stage'),
    body: body ?? { kind: 'steps', steps: [] },
    line: call.line,
    column: call.column,
  };
}

function readBody(
  call: RawCall,
  owner: string,
  sections: ReadonlyMap<string, RawCall>,
  reader: Reader,
): StageBody | undefined {
  const bodies = BODIES.filter((body) => sections.has(body));
  const [kind, second] = bodies;
  if (kind === undefined) {
    reader.problems.add(
      call,
      `${owner} does nothing`,
      'write steps { … }, stages { … }, parallel { … } or matrix { … } in it',
    );
    return undefined;
  }
  const section = sections.get(kind);
  const extra = second && sections.get(second);
  if (extra)
    reader.problems.add(
      extra,
      `${owner} has both ${kind} and ${second}`,
      'keep one; put the other into a stage of its own',
    );
  if (!section) return undefined;
  switch (kind) {
    case 'steps': {
      reader.noArguments(section, 'steps { … }');
      const block = reader.block(section, 'steps { … }');
      return { kind, steps: block ? readSteps(block, reader, 'steps') : [] };
    }
    case 'stages':
    case 'parallel':
      return { kind, stages: readStages(section, reader) };
    case 'matrix':
      return readMatrix(section, reader);
  }
}

const MATRIX = ['axes', 'excludes', 'agent', 'when', 'input', 'options', 'environment', 'post', 'stages', 'tools'];

function readMatrix(call: RawCall, reader: Reader): StageBody | undefined {
  const block = reader.block(call, 'matrix { axes { … } stages { … } }');
  if (!block) return undefined;
  const sections = reader.sections(block, 'matrix', MATRIX);
  refuseTools(sections, reader);
  const axesCall = sections.get('axes');
  const stages = sections.get('stages');
  if (!axesCall) reader.problems.add(call, 'matrix has no axes', "write axes { axis { name '…'; values '…', '…' } }");
  if (!stages) reader.problems.add(call, 'matrix has no stages', 'write stages { stage("…") { … } }');
  const axes = axesCall ? readAxes(axesCall, reader) : [];
  for (const [index, { name }] of axes.entries())
    if (axesCall && name !== '' && axes.slice(0, index).some((other) => other.name === name))
      reader.problems.add(axesCall, `the axis ${name} is there twice`, 'give each its own name');
  return {
    kind: 'matrix',
    axes,
    excludes: optional(sections.get('excludes'), (one) => readExcludes(one, axes, reader)) ?? [],
    agent: optional(sections.get('agent'), (one) => readAgent(one, reader)),
    when: optional(sections.get('when'), (one) => readWhen(one, reader)),
    input: optional(sections.get('input'), (one) => readInput(one, reader)),
    ...directives(sections, reader, 'stage'),
    stages: stages ? readStages(stages, reader) : [],
  };
}

function readAxes(call: RawCall, reader: Reader): readonly ExcludeAxis[] {
  const block = reader.block(call, "axes { axis { name '…'; values '…' } }");
  const axes = (block ? reader.calls(block, call.name) : []).flatMap((one) => {
    if (one.name === 'axis') return readAxis(one, call.name === 'exclude', reader) ?? [];
    reader.problems.add(one, `${call.name} holds only axis, got "${one.name}"`, "write axis { name '…'; values '…' }");
    return [];
  });
  if (block && block.statements.length === 0)
    reader.problems.add(block, `${call.name} holds no axis`, "write axis { name '…'; values '…' }");
  return axes;
}

function readAxis(call: RawCall, isExclude: boolean, reader: Reader): ExcludeAxis | undefined {
  const block = reader.block(call, "axis { name '…'; values '…' }");
  if (!block) return undefined;
  const sections = reader.sections(block, 'axis', isExclude ? ['name', 'values', 'notValues'] : ['name', 'values']);
  const nameCall = sections.get('name');
  const valuesCall = sections.get('values') ?? sections.get('notValues');
  if (!nameCall) reader.problems.add(call, 'axis has no name', "write name 'PLATFORM'");
  if (!valuesCall) reader.problems.add(call, 'axis has no values', "write values '…', '…'");
  const name = nameCall && reader.args(nameCall, ['name'], ['name'], 'name').get('name');
  const values = (valuesCall?.args ?? []).map((argument) => reader.literal(argument.value, 'a value of axis'));
  if (valuesCall && values.length === 0) reader.problems.add(valuesCall, 'axis has no values', "write values '…', '…'");
  return {
    name: name ? reader.variableName(name, 'name of axis') : '',
    values,
    isNot: !sections.has('values'),
  };
}

function readExcludes(call: RawCall, axes: readonly Axis[], reader: Reader): readonly (readonly ExcludeAxis[])[] {
  const block = reader.block(call, 'excludes { exclude { axis { … } } }');
  return (block ? reader.calls(block, 'excludes') : []).flatMap((one) => {
    if (one.name !== 'exclude') {
      reader.problems.add(one, `excludes holds only exclude, got "${one.name}"`, 'write exclude { axis { … } }');
      return [];
    }
    const excluded = readAxes(one, reader);
    for (const { name, values } of excluded) {
      const axis = axes.find((candidate) => candidate.name === name);
      if (!axis && name !== '')
        reader.problems.add(
          one,
          `exclude names the axis ${name}, which matrix has not`,
          `write one of: ${axes.map((a) => a.name).join(', ')}`,
        );
      for (const value of values)
        if (axis && !axis.values.includes(value))
          reader.problems.add(
            one,
            `exclude names ${value}, which the axis ${name} has not`,
            `write one of: ${axis.values.join(', ')}`,
          );
    }
    return [excluded];
  });
}

/** Branches stand in outermost stages only, and have agents of their own (ModelValidatorImpl of the plugin). */
function checkNesting(stages: readonly Stage[], within: 'parallel' | 'matrix' | undefined, reader: Reader): void {
  for (const stage of stages) {
    const { body } = stage;
    if (body.kind === 'steps') continue;
    const isBranching = body.kind === 'parallel' || body.kind === 'matrix';
    if (isBranching && within !== undefined)
      reader.problems.add(
        stage,
        `the stage "${stage.name}" with its ${body.kind} stands in another ${within}`,
        `move it out of that ${within}, or write stages { … } in it`,
      );
    if (isBranching && stage.agent !== undefined)
      reader.problems.add(
        stage,
        `agent is not allowed in the stage "${stage.name}", as it contains parallel stages`,
        body.kind === 'matrix' ? 'write agent in matrix' : 'write agent in each of these',
      );
    checkNesting(body.stages, isBranching ? body.kind : within, reader);
  }
}

/** With `agent none`, steps need an agent of their stage or of one around it. */
function checkAgents(stages: readonly Stage[], reader: Reader): void {
  for (const stage of stages) {
    if (stage.agent && stage.agent.kind !== 'none') continue;
    const { body } = stage;
    if (body.kind === 'steps') {
      if (body.steps.some((step) => NEEDS_AGENT.has(step.name)))
        reader.problems.add(
          stage,
          `the stage "${stage.name}" has no agent to run on`,
          'write agent any in it or in the pipeline',
        );
    } else if (body.kind !== 'matrix' || !body.agent || body.agent.kind === 'none') checkAgents(body.stages, reader);
  }
}

const NEEDS_AGENT: ReadonlySet<string> = new Set([
  'sh',
  'dir',
  'stash',
  'unstash',
  'archiveArtifacts',
  'junit',
  'checkout',
  'git',
  'deleteDir',
  'cleanWs',
  'writeFile',
  'readFile',
]);
