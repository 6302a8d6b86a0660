import { EmbeddedActionsParser, type IToken, type TokenType } from 'chevrotain';
import { positionOf } from './prescan.ts';
import { ProblemList } from './problem.ts';
import type { RawArgument, RawAssignment, RawBlock, RawCall, RawStatement, RawValue } from './raw-tree.ts';
import { readReference, readString } from './text.ts';
import * as t from './tokens.ts';

/**
 * The grammar of a declarative Jenkinsfile, as a part of Groovy's: statements are calls with arguments and a block, or
 * assignments.
 *
 * ```
 * file       = statements
 * statements = { end } { statement ( end { end } | before "}" or the file's end ) }
 * statement  = name [ "=" value | [ "(" [ arguments ] ")" | arguments ] [ block ] ]
 * block      = "{" statements "}"
 * arguments  = argument { "," argument }
 * argument   = [ ( name | string ) ":" ] value
 * value      = term { "+" term }
 * term       = string | number | true | false | null | list | map | name { "." name } | name "(" [ arguments ] ")"
 * ```
 */
class JenkinsfileParser extends EmbeddedActionsParser {
  problems = new ProblemList();

  readonly file: () => RawStatement[];
  readonly #statements: () => RawStatement[];
  readonly #statement: () => RawStatement;
  readonly #block: () => RawBlock;
  readonly #arguments: () => RawArgument[];
  readonly #argument: () => RawArgument;
  readonly #value: () => RawValue;
  readonly #term: () => RawValue;
  readonly #string: () => RawValue;
  readonly #name: () => RawValue;
  readonly #brackets: () => RawValue;

  constructor() {
    super(t.ALL_TOKENS, { recoveryEnabled: false, maxLookahead: 2 });

    this.file = this.RULE('file', () => this.SUBRULE(this.#statements));

    this.#statements = this.RULE('statements', () => {
      const found: RawStatement[] = [];
      this.MANY(() => this.SUBRULE(this.#end));
      this.MANY1(() => {
        found.push(this.SUBRULE(this.#statement));
        this.MANY2(() => this.SUBRULE1(this.#end));
      });
      return found;
    });

    this.#statement = this.RULE('statement', (): RawStatement => {
      const name = this.CONSUME(t.Identifier);
      const at = positionOf(name);
      return this.OR([
        {
          ALT: (): RawAssignment => {
            this.CONSUME(t.Assign);
            return { kind: 'assignment', name: name.image, value: this.SUBRULE(this.#value), ...at };
          },
        },
        {
          ALT: (): RawCall => {
            let args: readonly RawArgument[] = [];
            let block: RawBlock | undefined;
            let isPlainName = true;
            this.OPTION(() => {
              isPlainName = false;
              args = this.OR1([
                {
                  ALT: () => {
                    let inner: RawArgument[] = [];
                    this.CONSUME(t.LeftParen);
                    this.OPTION1(() => {
                      inner = this.SUBRULE(this.#arguments);
                    });
                    this.CONSUME(t.RightParen);
                    return inner;
                  },
                },
                { ALT: () => this.SUBRULE1(this.#arguments) },
              ]);
            });
            this.OPTION2(() => {
              isPlainName = false;
              block = this.SUBRULE(this.#block);
            });
            return { kind: 'call', name: name.image, args, block, isPlainName, ...at };
          },
        },
      ]);
    });

    this.#block = this.RULE('block', () => {
      const open = this.CONSUME(t.LeftBrace);
      const statements = this.SUBRULE(this.#statements);
      this.CONSUME(t.RightBrace);
      return { statements, ...positionOf(open) };
    });

    this.#arguments = this.RULE('arguments', () => {
      const found = [this.SUBRULE(this.#argument)];
      this.MANY(() => {
        this.CONSUME(t.Comma);
        found.push(this.SUBRULE1(this.#argument));
      });
      return found;
    });

    this.#argument = this.RULE('argument', (): RawArgument => {
      let name: string | undefined;
      let at: { line: number; column: number } | undefined;
      this.OPTION(() => {
        const token = this.OR([
          { ALT: () => this.CONSUME(t.Identifier) },
          { ALT: () => this.CONSUME(t.Single) },
          { ALT: () => this.CONSUME(t.Double) },
        ]);
        this.CONSUME(t.Colon);
        this.ACTION(() => {
          name = token.image.replace(/^['"]|['"]$/g, '');
          at = positionOf(token);
        });
      });
      const value = this.SUBRULE(this.#value);
      return this.ACTION(() => ({ name, value, line: at?.line ?? value.line, column: at?.column ?? value.column }));
    });

    this.#value = this.RULE('value', (): RawValue => {
      let value = this.SUBRULE(this.#term);
      this.MANY(() => {
        const plus = this.CONSUME(t.Plus);
        const other = this.SUBRULE1(this.#term);
        value = this.ACTION(() => this.#joined(value, other, plus));
      });
      return value;
    });

    this.#term = this.RULE('term', () =>
      this.OR([
        { ALT: () => this.SUBRULE(this.#string) },
        { ALT: () => number(this.CONSUME(t.NumberLiteral)) },
        { ALT: () => boolean(this.CONSUME(t.True), true) },
        { ALT: () => boolean(this.CONSUME(t.False), false) },
        { ALT: () => ({ kind: 'null' as const, ...positionOf(this.CONSUME(t.Null)) }) },
        { ALT: () => this.SUBRULE(this.#brackets) },
        { ALT: () => this.SUBRULE(this.#name) },
      ]),
    );

    this.#string = this.RULE('string', (): RawValue => {
      const token = this.OR([
        { ALT: () => this.CONSUME(t.LongSingle) },
        { ALT: () => this.CONSUME(t.LongDouble) },
        { ALT: () => this.CONSUME(t.Single) },
        { ALT: () => this.CONSUME(t.Double) },
        { ALT: () => this.CONSUME(t.Slashy) },
        { ALT: () => this.CONSUME(t.DollarSlashy) },
      ]);
      return this.ACTION(() => {
        const at = positionOf(token);
        return { kind: 'text' as const, text: readString(token.image, at, this.problems), ...at };
      }) as RawValue;
    });

    this.#name = this.RULE('name', (): RawValue => {
      const first = this.CONSUME(t.Identifier);
      const at = positionOf(first);
      let path = first.image;
      let args: RawArgument[] | undefined;
      this.MANY(() => {
        this.CONSUME(t.Dot);
        path += `.${this.CONSUME1(t.Identifier).image}`;
      });
      this.OPTION(() => {
        this.CONSUME(t.LeftParen);
        args = [];
        this.OPTION1(() => {
          args = this.SUBRULE(this.#arguments);
        });
        this.CONSUME(t.RightParen);
      });
      if (args === undefined) return { kind: 'path', path, ...at };
      return { kind: 'call', name: path, args, block: undefined, isPlainName: false, ...at };
    });

    this.#brackets = this.RULE('brackets', (): RawValue => {
      const open = this.CONSUME(t.LeftBracket);
      let found: RawArgument[] = [];
      this.OPTION(() =>
        this.OR([
          { ALT: () => this.CONSUME(t.Colon) },
          {
            ALT: () => {
              found = this.SUBRULE(this.#arguments);
            },
          },
        ]),
      );
      this.CONSUME(t.RightBracket);
      return this.ACTION(() => {
        const at = positionOf(open);
        if (found.some((entry) => entry.name !== undefined)) return { kind: 'map' as const, entries: found, ...at };
        return { kind: 'list' as const, items: found.map((entry) => entry.value), ...at };
      }) as RawValue;
    });

    this.performSelfAnalysis();
  }

  readonly #end = this.RULE('end', () => {
    this.OR([{ ALT: () => this.CONSUME(t.Newline) }, { ALT: () => this.CONSUME(t.Semicolon) }]);
  });

  #joined(a: RawValue, b: RawValue, plus: IToken): RawValue {
    const left = this.#textOf(a);
    const right = this.#textOf(b);
    if (left && right) return { kind: 'text', text: [...left, ...right], line: a.line, column: a.column };
    this.problems.add(positionOf(plus), 'only strings can be joined with +', 'write one string with ${…} in it');
    return a;
  }

  #textOf(value: RawValue): (RawValue & { kind: 'text' })['text'] | undefined {
    if (value.kind === 'text') return value.text;
    if (value.kind === 'number' || value.kind === 'boolean') return [String(value.value)];
    if (value.kind === 'path') return [readReference(value.path, value, this.problems)];
    return undefined;
  }
}

function number(token: IToken): RawValue {
  return { kind: 'number', value: Number(token.image), ...positionOf(token) };
}

function boolean(token: IToken, value: boolean): RawValue {
  return { kind: 'boolean', value, ...positionOf(token) };
}

let shared: JenkinsfileParser | undefined;

/** The statements of the file; what is wrong goes to the list. */
export function parseStatements(tokens: IToken[], problems: ProblemList): readonly RawStatement[] {
  shared ??= new JenkinsfileParser();
  const parser = shared;
  parser.problems = problems;
  parser.input = tokens;
  const statements = parser.file();
  const [error] = parser.errors;
  if (!error) return statements;
  const { token } = error;
  const last = tokens.at(-1);
  const isEnd = Number.isNaN(token.startOffset);
  const at = isEnd && last ? { line: last.endLine ?? 1, column: (last.endColumn ?? 0) + 1 } : positionOf(token);
  const index = isEnd ? tokens.length : tokens.indexOf(token);
  const before = tokens[index - 1];
  if (token.tokenType === t.Colon && before?.tokenType === t.Identifier) {
    const message = `expected a comma before the argument "${before.image}"`;
    problems.add(positionOf(before), message, `write , ${before.image}: …`);
    return [];
  }
  const own = describeCommon(tokens, index);
  if (own) problems.add(positionOf(own.token), own.message, own.remedy);
  else problems.add(at, ...describeUnexpected(isEnd ? undefined : token, before));
  return [];
}

/** Groovy that people write in steps, and what a declarative file has in its place. */
function describeCommon(
  tokens: readonly IToken[],
  index: number,
): { token: IToken; message: string; remedy: string } | undefined {
  const token = tokens[index];
  const before = tokens[index - 1];
  const name = tokens[index + 1];
  if (!token || !before) return undefined;
  const isAssignment = tokens[index + 2]?.tokenType === t.Assign;
  if (token.tokenType === t.Dot && isAssignment && before.image === 'env')
    return {
      token: before,
      message: `env.${name?.image} = … is Groovy code`,
      remedy: `write environment { ${name?.image} = '…' } in the pipeline or the stage`,
    };
  if (token.tokenType === t.Dot && isAssignment && before.image === 'currentBuild')
    return {
      token: before,
      message: `currentBuild.${name?.image} = … is Groovy code`,
      remedy: name?.image === 'result' ? "write unstable('…'), error('…') or catchError(…) { … }" : 'take it out',
    };
  if (token.tokenType === t.LeftBrace && [t.Colon, t.Comma, t.LeftParen].includes(before.tokenType))
    return {
      token,
      message: 'a closure as an argument is Groovy code',
      remedy: 'write the block behind the name: name(…) { … }, or for branches stage("…") { parallel { stage … } }',
    };
  if (token.tokenType === t.Dot && name?.tokenType === t.Identifier && tokens[index + 2]?.tokenType === t.LeftParen)
    return {
      token: before,
      message: `${describe(before)}.${name.image}(…) calls a method of an object, which is Groovy code`,
      remedy: 'write a step, or compute it in sh',
    };
  return undefined;
}

function describeUnexpected(token: IToken | undefined, before: IToken | undefined): [message: string, remedy: string] {
  const after = before === undefined || before.tokenType === t.Newline ? '' : ` after ${describe(before)}`;
  if (token === undefined) return ['the file ends in the middle of a statement', 'finish it'];
  if (token.tokenType === t.Newline)
    return [`expected a value${after}, got the end of the line`, 'finish the statement'];
  if (token.tokenType === t.LeftBrace)
    return [`a block cannot stand${after}`, 'give it to a step or section: name { … }'];
  if (token.tokenType === t.Operator || token.tokenType === t.Dot || token.tokenType === t.Plus)
    return [`${token.image} is a Groovy expression`, 'write a step, or compute it in sh'];
  if (
    isValue(token.tokenType) &&
    before !== undefined &&
    (isValue(before.tokenType) || before.tokenType === t.RightParen)
  )
    return [
      `expected a comma or the end of the line${after}, got ${describe(token)}`,
      'put a comma or a new line between them',
    ];
  if (token.tokenType === t.Comma) return [`a comma cannot stand${after}`, 'take it out, or add what it should follow'];
  if ([t.RightParen, t.RightBracket, t.RightBrace].includes(token.tokenType))
    return [`expected a value${after}, got ${token.image}`, 'add the value'];
  return [`unexpected ${describe(token)}${after}`, 'every line must begin with the name of a section or step'];
}

function isValue(type: TokenType): boolean {
  return t.STRING_TOKENS.has(type) || [t.Identifier, t.NumberLiteral, t.True, t.False].includes(type);
}

function describe(token: IToken): string {
  const image = token.image.length > 30 ? `${token.image.slice(0, 27)}...` : token.image;
  return t.STRING_TOKENS.has(token.tokenType) ? `the string ${image}` : `"${image}"`;
}
