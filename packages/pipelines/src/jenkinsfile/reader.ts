import { instead } from './nearest.ts';
import type { ProblemList } from './problem.ts';
import type { RawArgument, RawBlock, RawCall, RawValue } from './raw-tree.ts';
import { describeText, literalOf, readReference, type Text } from './text.ts';

const NAME = /^[A-Za-z_]\w*$/;
const VARIABLE = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

/** Reads arguments and blocks of the raw tree into typed values; what is wrong goes to the list. */
export class Reader {
  readonly problems: ProblemList;

  constructor(problems: ProblemList) {
    this.problems = problems;
  }

  /** The calls of a block; assignments are said to be wrong there. */
  calls(block: RawBlock, owner: string): readonly RawCall[] {
    return block.statements.flatMap((statement) => {
      if (statement.kind === 'call') return [statement];
      this.problems.add(
        statement,
        `an assignment cannot stand in ${owner}`,
        `write environment { ${statement.name} = … } in the pipeline or the stage`,
      );
      return [];
    });
  }

  /** The block of a section; a problem where there is none. */
  block(call: RawCall, example: string): RawBlock | undefined {
    if (call.block) return call.block;
    this.problems.add(call, `${call.name} needs a block`, `write ${example}`);
    return undefined;
  }

  noArguments(call: RawCall, example: string): void {
    const [first] = call.args;
    if (first) this.problems.add(first, `${call.name} takes no arguments`, `write ${example}`);
  }

  noBlock(call: RawCall): void {
    if (call.block) this.problems.add(call.block, `${call.name} takes no block`, 'take the block out');
  }

  /** Each section at most once, and only known ones. */
  sections(block: RawBlock, owner: string, known: readonly string[]): ReadonlyMap<string, RawCall> {
    const found = new Map<string, RawCall>();
    for (const call of this.calls(block, owner)) {
      const first = found.get(call.name);
      if (!known.includes(call.name))
        this.problems.add(call, `unknown section "${call.name}" in ${owner}`, instead(call.name, known));
      else if (first)
        this.problems.add(call, `${call.name} is in ${owner} twice, first on line ${first.line}`, 'keep one of them');
      else found.set(call.name, call);
    }
    return found;
  }

  text(value: RawValue, what: string): Text {
    switch (value.kind) {
      case 'text':
        return value.text;
      case 'number':
      case 'boolean':
        return [String(value.value)];
      case 'path':
        // env.X, or a variable by its usual spelling; other words were meant to be strings.
        if (value.path.includes('.') || VARIABLE.test(value.path))
          return [readReference(value.path, value, this.problems)];
        this.problems.add(
          value,
          `${what} must be a string, got the name ${value.path}`,
          `write '${value.path}', or "\${${value.path}}" for a variable`,
        );
        return [''];
      case 'list':
      case 'map':
      case 'null':
      case 'call':
        this.problems.add(value, `${what} must be a string, got ${describeKind(value)}`, "write it in quotes: '…'");
        return [''];
    }
  }

  literal(value: RawValue, what: string): string {
    const text = this.text(value, what);
    const literal = literalOf(text);
    if (literal !== undefined) return literal;
    this.problems.add(value, `${what} must be known before the build runs, got ${describeText(text)}`, 'write it out');
    return '';
  }

  number(value: RawValue, what: string): number {
    if (value.kind === 'number') return value.value;
    this.problems.add(value, `${what} must be a number, got ${describeKind(value)}`, 'write it without quotes: 5');
    return 1;
  }

  boolean(value: RawValue, what: string): boolean {
    if (value.kind === 'boolean') return value.value;
    this.problems.add(value, `${what} must be true or false, got ${describeKind(value)}`, 'write true or false');
    return false;
  }

  oneOf<T extends string>(value: RawValue, what: string, known: readonly T[]): T {
    const literal = this.literal(value, what);
    const found = known.find((candidate) => candidate === literal);
    if (found !== undefined) return found;
    this.problems.add(value, `${what} cannot be "${literal}"`, instead(literal, known));
    return known[0] as T;
  }

  variableName(value: RawValue, what: string): string {
    const name = this.literal(value, what);
    if (name !== '' && !NAME.test(name))
      this.problems.add(value, `"${name}" is not a name of a variable`, 'use letters, digits and _, no digit first');
    return name;
  }

  texts(value: RawValue, what: string): readonly Text[] {
    if (value.kind === 'list') return value.items.map((item) => this.text(item, what));
    this.problems.add(value, `${what} must be a list, got ${describeKind(value)}`, "write ['…', '…']");
    return [];
  }

  /** The arguments of a call by name: known ones only, the needed ones there; the unnamed one is `main`. */
  args(
    call: RawCall,
    known: readonly string[],
    needed: readonly string[],
    main?: string,
  ): ReadonlyMap<string, RawValue> {
    const found = new Map<string, RawValue>();
    const isMixed = call.args.some(({ name }) => name !== undefined) && call.args[0]?.name === undefined;
    if (isMixed && main !== undefined && known.length > 1)
      this.problems.add(
        call.args[0] ?? call,
        `${call.name} mixes arguments with and without names`,
        `write ${call.name} ${main}: …, and the others by their names`,
      );
    for (const [index, argument] of call.args.entries()) {
      const name = argument.name ?? (index === 0 ? main : undefined);
      if (name === undefined) this.#unexpected(call, argument, known, main);
      else if (!known.includes(name))
        this.problems.add(argument, `${call.name} has no argument "${name}"`, instead(name, known));
      else if (found.has(name))
        this.problems.add(argument, `the argument "${name}" of ${call.name} is given twice`, 'keep one of them');
      else found.set(name, argument.value);
    }
    const isMisnamed = call.args.some(({ name }) => name !== undefined && !known.includes(name));
    for (const name of needed)
      if (!found.has(name) && !isMisnamed)
        this.problems.add(
          call,
          `${call.name} needs ${name}`,
          `write ${call.name} ${name === main ? '' : `${name}: `}…`,
        );
    return found;
  }

  #unexpected(call: RawCall, argument: RawArgument, known: readonly string[], main: string | undefined): void {
    const what = describeKind(argument.value);
    if (known.length === 0) this.problems.add(argument, `${call.name} takes no arguments, got ${what}`, 'take it out');
    else
      this.problems.add(
        argument,
        `${call.name} got ${what} without a name${main === undefined ? '' : ` after its ${main}`}`,
        `name it: ${known.join(', ')}`,
      );
  }
}

export function describeKind(value: RawValue): string {
  switch (value.kind) {
    case 'text':
      return `the string "${describeText(value.text)}"`;
    case 'number':
    case 'boolean':
      return String(value.value);
    case 'null':
      return 'null';
    case 'list':
      return 'a list';
    case 'map':
      return 'a map';
    case 'path':
      return `the name ${value.path}`;
    case 'call':
      return `the call ${value.name}(…)`;
  }
}
