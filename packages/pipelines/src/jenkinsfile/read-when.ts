import type { Condition, When } from './ast.ts';
import { instead } from './nearest.ts';
import type { RawBlock, RawCall } from './raw-tree.ts';
import type { Reader } from './reader.ts';

const CONDITIONS = ['branch', 'environment', 'equals', 'triggeredBy', 'isRestartedRun', 'not', 'allOf', 'anyOf'];
const FLAGS = ['beforeAgent', 'beforeInput'];

/** Conditions of Jenkins that need what a lab has not. */
const REFUSED: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  changeRequest: ['there are no change requests here', "write branch '…'"],
  changeset: ['changesets are not looked at here', "write branch '…'"],
  changelog: ['changelogs are not looked at here', "write branch '…'"],
  buildingTag: ['tags are not built here', "write branch '…'"],
  tag: ['tags are not built here', "write branch '…'"],
  beforeOptions: ['beforeOptions is not done here', 'take it out'],
};

export function readWhen(call: RawCall, reader: Reader): When | undefined {
  const block = reader.block(call, "when { branch 'main' }");
  if (!block) return undefined;
  const flags = new Set<string>();
  const rest = {
    ...block,
    statements: block.statements.filter((statement) => {
      if (statement.kind !== 'call' || !FLAGS.includes(statement.name)) return true;
      const value = reader.args(statement, ['value'], ['value'], 'value').get('value');
      if (value && reader.boolean(value, statement.name)) flags.add(statement.name);
      return false;
    }),
  };
  const conditions = readConditions(rest, reader, 'when');
  if (rest.statements.length === 0)
    reader.problems.add(block, 'when holds no condition', `write one of: ${CONDITIONS.join(', ')}`);
  const [first] = conditions;
  return {
    beforeAgent: flags.has('beforeAgent'),
    beforeInput: flags.has('beforeInput'),
    condition: conditions.length === 1 && first ? first : { kind: 'allOf', conditions },
  };
}

function readConditions(block: RawBlock, reader: Reader, owner: string): readonly Condition[] {
  return reader.calls(block, owner).flatMap((call) => readCondition(call, reader) ?? []);
}

function readCondition(call: RawCall, reader: Reader): Condition | undefined {
  const refused = REFUSED[call.name];
  if (refused) {
    reader.problems.add(call, ...refused);
    return undefined;
  }
  switch (call.name) {
    case 'branch': {
      const args = reader.args(call, ['pattern', 'comparator'], ['pattern'], 'pattern');
      const pattern = args.get('pattern');
      const comparator = args.get('comparator');
      return {
        kind: 'branch',
        pattern: pattern ? reader.text(pattern, 'pattern of branch') : [''],
        comparator: comparator ? reader.oneOf(comparator, 'comparator', ['GLOB', 'REGEXP', 'EQUALS']) : 'GLOB',
      };
    }
    case 'environment': {
      const args = reader.args(call, ['name', 'value', 'ignoreCase'], ['name', 'value']);
      const name = args.get('name');
      const value = args.get('value');
      const ignoreCase = args.get('ignoreCase');
      return {
        kind: 'environment',
        name: name ? reader.variableName(name, 'name of environment') : '',
        value: value ? reader.text(value, 'value of environment') : [''],
        ignoreCase: ignoreCase !== undefined && reader.boolean(ignoreCase, 'ignoreCase'),
      };
    }
    case 'equals': {
      const args = reader.args(call, ['expected', 'actual'], ['expected', 'actual']);
      const expected = args.get('expected');
      const actual = args.get('actual');
      return {
        kind: 'equals',
        expected: expected ? reader.text(expected, 'expected') : [''],
        actual: actual ? reader.text(actual, 'actual') : [''],
      };
    }
    case 'triggeredBy': {
      const cause = reader.args(call, ['cause'], ['cause'], 'cause').get('cause');
      const known = ['UserIdCause', 'TimerTrigger', 'SCMTrigger'];
      return { kind: 'triggeredBy', cause: cause ? reader.oneOf(cause, 'cause', known) : '' };
    }
    case 'isRestartedRun':
      reader.args(call, [], []);
      return { kind: 'isRestartedRun' };
    case 'not':
    case 'allOf':
    case 'anyOf': {
      const block = reader.block(call, `${call.name} { … }`);
      if (!block) return undefined;
      const conditions = readConditions(block, reader, call.name);
      if (call.name !== 'not') {
        if (block.statements.length === 0)
          reader.problems.add(block, `${call.name} holds no condition`, `write one of: ${CONDITIONS.join(', ')}`);
        return { kind: call.name, conditions };
      }
      const [first] = conditions;
      if (block.statements.length !== 1)
        reader.problems.add(
          block,
          `not wants one condition, got ${block.statements.length}`,
          'write not { allOf { … } } or not { anyOf { … } }',
        );
      return first && { kind: 'not', condition: first };
    }
    default:
      reader.problems.add(call, `unknown condition "${call.name}" in when`, instead(call.name, CONDITIONS));
      return undefined;
  }
}
