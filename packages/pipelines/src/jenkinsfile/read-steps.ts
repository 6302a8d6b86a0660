import type { Binding, Step, StepValue } from './ast.ts';
import { nearest } from './nearest.ts';
import type { RawBlock, RawCall, RawValue } from './raw-tree.ts';
import { describeKind, type Reader } from './reader.ts';
import {
  type ArgumentType,
  REFUSED_STEPS,
  STEP_NAMES,
  STEPS,
  type StepDefinition,
  type StepName,
} from './step-table.ts';

export function readSteps(block: RawBlock, reader: Reader, owner: string): readonly Step[] {
  const steps = reader.calls(block, owner).flatMap((call) => readStep(call, reader) ?? []);
  if (block.statements.length === 0)
    reader.problems.add(block, `${owner} holds no step`, "write at least one, such as echo 'done'");
  return steps;
}

function readStep(call: RawCall, reader: Reader): Step | undefined {
  const name = STEP_NAMES.find((candidate) => candidate === call.name);
  if (name === undefined) {
    refuse(call, reader);
    return undefined;
  }
  const definition: StepDefinition = STEPS[name];
  if (definition.hasBlock) {
    if (!call.block)
      reader.problems.add(
        call,
        `${name} needs a block of steps`,
        `write ${name}${call.args.length > 0 ? '(…)' : ''} { … }`,
      );
  } else reader.noBlock(call);
  const args = readArguments(call, name, definition, reader);
  const block = definition.hasBlock && call.block ? readSteps(call.block, reader, name) : [];
  return { name, args, block, line: call.line, column: call.column };
}

function refuse(call: RawCall, reader: Reader): void {
  const refused = REFUSED_STEPS[call.name];
  if (refused) {
    reader.problems.add(call, ...refused);
    return;
  }
  const near = nearest(call.name, STEP_NAMES);
  reader.problems.add(
    call,
    `unknown step "${call.name}"`,
    near === undefined ? `write one of: ${STEP_NAMES.join(', ')}` : `write ${near}`,
  );
}

function readArguments(
  call: RawCall,
  name: StepName,
  definition: StepDefinition,
  reader: Reader,
): Readonly<Record<string, StepValue>> {
  const known = Object.keys(definition.args);
  if (name === 'sh') refuseReturns(call, reader);
  const [first] = call.args;
  if (name === 'checkout' && first) return readCheckout(call, first.value, reader);
  const needed = known.filter((key) => definition.args[key]?.required);
  const usable = name === 'sh' ? { ...call, args: call.args.filter(({ name: key }) => !isReturn(key)) } : call;
  const found = reader.args(usable, known, needed, definition.main);
  const args: Record<string, StepValue> = {};
  for (const [key, value] of found) {
    const type = definition.args[key]?.type;
    if (type !== undefined) args[key] = readArgument(value, type, `${key} of ${name}`, reader);
  }
  if ((name === 'retry' || name === 'timeout') && typeof args[definition.main ?? ''] === 'number')
    atLeastOne(found.get(definition.main ?? ''), `${definition.main} of ${name}`, reader);
  return args;
}

export function atLeastOne(value: RawValue | undefined, what: string, reader: Reader): void {
  if (value?.kind === 'number' && value.value <= 0)
    reader.problems.add(value, `${what} must be above 0, got ${value.value}`, 'write 1 or more');
}

const isReturn = (key: string | undefined): boolean => key === 'returnStdout' || key === 'returnStatus';

/** Their value could only be used in Groovy code. */
function refuseReturns(call: RawCall, reader: Reader): void {
  for (const argument of call.args)
    if (isReturn(argument.name) && !(argument.value.kind === 'boolean' && !argument.value.value))
      reader.problems.add(
        argument,
        `${argument.name} gives a value to Groovy code, which is not run here`,
        'use the value inside the sh script, or write it to a file',
      );
}

function readCheckout(call: RawCall, value: RawValue, reader: Reader): Readonly<Record<string, StepValue>> {
  reader.args(call, ['scm'], ['scm'], 'scm');
  if (!(value.kind === 'path' && value.path === 'scm'))
    reader.problems.add(
      value,
      `checkout takes scm, the job's own repository, got ${describeKind(value)}`,
      "write checkout scm, or git url: '…', branch: '…'",
    );
  return { scm: ['scm'] };
}

function readArgument(value: RawValue, type: ArgumentType, what: string, reader: Reader): StepValue {
  switch (type) {
    case 'text':
      return reader.text(value, what);
    case 'number':
      return reader.number(value, what);
    case 'boolean':
      return reader.boolean(value, what);
    case 'texts':
      return readOverrides(value, what, reader);
    case 'bindings':
      return readBindings(value, reader);
    default:
      return [reader.oneOf(value, what, type.oneOf)];
  }
}

/** `NAME=value`, as withEnv wants it. */
function readOverrides(value: RawValue, what: string, reader: Reader): StepValue {
  const texts = reader.texts(value, what);
  if (value.kind === 'list')
    for (const [index, text] of texts.entries()) {
      const [first = ''] = text;
      if (typeof first !== 'string' || !/^[A-Za-z_][\w+]*=/.test(first))
        reader.problems.add(value.items[index] ?? value, 'withEnv wants NAME=value', "write withEnv(['NAME=value'])");
    }
  return texts;
}

const BINDINGS: Readonly<Record<string, readonly string[]>> = {
  string: ['credentialsId', 'variable'],
  file: ['credentialsId', 'variable'],
  usernamePassword: ['credentialsId', 'usernameVariable', 'passwordVariable'],
  usernameColonPassword: ['credentialsId', 'variable'],
  sshUserPrivateKey: ['credentialsId', 'keyFileVariable', 'usernameVariable', 'passphraseVariable'],
};
const OPTIONAL_BINDINGS = new Set(['sshUserPrivateKey.usernameVariable', 'sshUserPrivateKey.passphraseVariable']);
const REFUSED_BINDINGS = ['zip', 'certificate', 'dockerCert', 'aws', 'azureServicePrincipal', 'vaultString'];

function readBindings(value: RawValue, reader: Reader): readonly Binding[] {
  if (value.kind !== 'list') {
    reader.problems.add(
      value,
      `withCredentials wants a list, got ${describeKind(value)}`,
      "write withCredentials([string(credentialsId: '…', variable: '…')])",
    );
    return [];
  }
  return value.items.flatMap((item): Binding[] => {
    const known = item.kind === 'call' ? BINDINGS[item.name] : undefined;
    if (item.kind === 'call' && REFUSED_BINDINGS.includes(item.name)) {
      reader.problems.add(item, `the binding ${item.name} is not taken here`, 'write string, file or usernamePassword');
      return [];
    }
    if (item.kind !== 'call' || known === undefined) {
      reader.problems.add(
        item,
        `unknown binding ${describeKind(item)}`,
        `write one of: ${Object.keys(BINDINGS).join(', ')}`,
      );
      return [];
    }
    const needed = known.filter((key) => !OPTIONAL_BINDINGS.has(`${item.name}.${key}`));
    const args = reader.args(item, known, needed);
    const nameOf = (key: string): string => {
      const found = args.get(key);
      return found === undefined ? '' : reader.variableName(found, `${key} of ${item.name}`);
    };
    const id = args.get('credentialsId');
    const credentialsId = id === undefined ? [] : reader.text(id, `credentialsId of ${item.name}`);
    if (item.name === 'usernamePassword')
      return [
        {
          kind: 'usernamePassword',
          credentialsId,
          usernameVariable: nameOf('usernameVariable'),
          passwordVariable: nameOf('passwordVariable'),
        },
      ];
    const maybe = (key: string): string | undefined => (args.has(key) ? nameOf(key) : undefined);
    if (item.name === 'sshUserPrivateKey')
      return [
        {
          kind: 'sshUserPrivateKey',
          credentialsId,
          keyFileVariable: nameOf('keyFileVariable'),
          usernameVariable: maybe('usernameVariable'),
          passphraseVariable: maybe('passphraseVariable'),
        },
      ];
    if (item.name === 'usernameColonPassword')
      return [{ kind: 'usernameColonPassword', credentialsId, variable: nameOf('variable') }];
    return [{ kind: item.name === 'file' ? 'file' : 'string', credentialsId, variable: nameOf('variable') }];
  });
}
