import { CHANGE_REQUEST_VARIABLES, COMPARATORS, type Comparator, type Condition, type When } from './ast.ts';
import { javaRegex } from './java-regex.ts';
import { instead } from './nearest.ts';
import type { RawBlock, RawCall, RawValue } from './raw-tree.ts';
import type { Reader } from './reader.ts';
import { literalOf, type Text } from './text.ts';

const CONDITIONS = [
  'branch',
  'buildingTag',
  'changelog',
  'changeset',
  'changeRequest',
  'environment',
  'equals',
  'tag',
  'triggeredBy',
  'isRestartedRun',
  'not',
  'allOf',
  'anyOf',
];
/** Options are entered after the condition was looked at, so that `beforeOptions` holds always. */
const FLAGS = ['beforeAgent', 'beforeInput', 'beforeOptions'];

/** Causes of builds that Jenkins and its usual plugins have. */
const CAUSES = [
  'UserIdCause',
  'TimerTrigger',
  'SCMTrigger',
  'UpstreamCause',
  'BuildUpstreamCause',
  'RemoteCause',
  'BranchIndexingCause',
  'BranchEventCause',
  'ReplayCause',
  'RestartDeclarativePipelineCause',
];

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
  switch (call.name) {
    case 'branch':
    case 'tag': {
      const args = reader.args(call, ['pattern', 'comparator'], ['pattern'], 'pattern');
      return { kind: call.name, ...readPattern(args, call.name, reader) };
    }
    case 'buildingTag':
      reader.args(call, [], []);
      return { kind: 'buildingTag' };
    case 'changelog': {
      const args = reader.args(call, ['pattern'], ['pattern'], 'pattern');
      return { kind: 'changelog', pattern: readPattern(args, 'changelog', reader, 'REGEXP').pattern };
    }
    case 'changeset': {
      const args = reader.args(call, ['pattern', 'comparator', 'caseSensitive'], ['pattern'], 'pattern');
      const caseSensitive = args.get('caseSensitive');
      return {
        kind: 'changeset',
        ...readPattern(args, 'changeset', reader),
        caseSensitive: caseSensitive !== undefined && reader.boolean(caseSensitive, 'caseSensitive'),
      };
    }
    case 'changeRequest':
      return readChangeRequest(call, reader);
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
      const args = reader.args(call, ['cause', 'detail'], ['cause'], 'cause');
      const cause = args.get('cause');
      const detail = args.get('detail');
      return {
        kind: 'triggeredBy',
        cause: cause ? reader.oneOf(cause, 'cause', CAUSES) : '',
        detail: detail && reader.literal(detail, 'detail of triggeredBy'),
      };
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

function readPattern(
  args: ReadonlyMap<string, RawValue>,
  owner: string,
  reader: Reader,
  fallback: Comparator = 'GLOB',
): { readonly pattern: Text; readonly comparator: Comparator } {
  const value = args.get('pattern');
  const given = args.get('comparator');
  const comparator = given ? reader.oneOf(given, `comparator of ${owner}`, COMPARATORS) : fallback;
  const pattern = value ? reader.text(value, `pattern of ${owner}`) : [''];
  if (value && comparator === 'REGEXP') checkExpression(value, pattern, reader);
  return { pattern, comparator };
}

function checkExpression(value: RawValue, pattern: Text, reader: Reader): void {
  const literal = literalOf(pattern);
  if (literal === undefined) return;
  try {
    javaRegex(literal);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /, '') : String(error);
    reader.problems.add(value, `"${literal}" is not a valid regular expression: ${why}`, 'mend the expression');
  }
}

function readChangeRequest(call: RawCall, reader: Reader): Condition {
  const names = Object.keys(CHANGE_REQUEST_VARIABLES) as (keyof typeof CHANGE_REQUEST_VARIABLES)[];
  const args = reader.args(call, [...names, 'comparator'], []);
  const comparator = args.get('comparator');
  const wanted = names.flatMap((name) => {
    const value = args.get(name);
    if (!value) return [];
    return [{ variable: CHANGE_REQUEST_VARIABLES[name], pattern: reader.text(value, `${name} of changeRequest`) }];
  });
  return {
    kind: 'changeRequest',
    wanted,
    comparator: comparator ? reader.oneOf(comparator, 'comparator of changeRequest', COMPARATORS) : 'EQUALS',
  };
}
