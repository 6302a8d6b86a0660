import { lexTemplate, type Piece, type TemplateToken } from './lex.ts';
import { TemplateError, type TemplateValue } from './values.ts';

/** Where something stands in a template and how it prints (parse.Node's Position and String). */
export interface Place {
  readonly position: number;
  readonly text: string;
}

export type Operand = Place &
  (
    | { readonly kind: 'constant'; readonly value: TemplateValue }
    | { readonly kind: 'dot' }
    | { readonly kind: 'field'; readonly path: readonly string[] }
    | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
    | { readonly kind: 'function'; readonly name: string }
    | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] }
  );

/** A function with its arguments, or one operand. */
export interface Command extends Place {
  readonly operands: readonly Operand[];
}

export interface Pipeline {
  readonly variables: readonly string[];
  /** `=` rather than `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

export interface BlockNode {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | BlockNode
  | { readonly kind: 'break' | 'continue' }
  | {
      readonly kind: 'template';
      readonly name: string;
      readonly pipeline: Pipeline | undefined;
      readonly position: number;
    };

export interface ParsedTemplate {
  readonly name: string;
  readonly source: string;
  readonly nodes: readonly TemplateNode[];
  readonly defined: ReadonlyMap<string, readonly TemplateNode[]>;
}

/** Parses a Go text/template. Throws TemplateError: `template: line:1: unclosed action`. */
export function parseTemplate(source: string, name: string, isFunction: (name: string) => boolean): ParsedTemplate {
  return { source, ...new TemplateParser(lexTemplate(source, name), name, isFunction).parse() };
}

class TemplateParser {
  readonly #pieces: readonly Piece[];
  readonly #name: string;
  readonly #isFunction: (name: string) => boolean;
  readonly #defined = new Map<string, readonly TemplateNode[]>();
  #at = 0;
  #line = 1;
  #loops = 0;
  #depth = 0;
  #variables: string[] = ['$'];

  constructor(pieces: readonly Piece[], name: string, isFunction: (name: string) => boolean) {
    this.#pieces = pieces;
    this.#name = name;
    this.#isFunction = isFunction;
  }

  parse(): Omit<ParsedTemplate, 'source'> {
    const { nodes, end } = this.#list();
    if (end !== '') this.#fail(`unexpected {{${end}}}`);
    return { name: this.#name, nodes, defined: this.#defined };
  }

  #fail(reason: string): never {
    throw new TemplateError(`template: ${this.#name}:${this.#line}: ${reason}`);
  }

  /** Nodes up to `else` or `end`, which is named by its word; '' at the end of the template. */
  #list(): { nodes: TemplateNode[]; end: string; rest: readonly TemplateToken[] } {
    if (++this.#depth > 100) this.#fail('too many nested blocks');
    const nodes: TemplateNode[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) {
        this.#depth--;
        return { nodes, end: '', rest: [] };
      }
      this.#line = piece.line;
      if (piece.kind === 'text') {
        nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const [first, ...rest] = piece.tokens;
      const word = first?.kind === 'word' ? first.text : '';
      switch (word) {
        case 'end':
        case 'else':
          this.#depth--;
          return { nodes, end: word, rest };
        case 'if':
        case 'with':
        case 'range':
          nodes.push(this.#block(word, rest));
          break;
        case 'break':
        case 'continue':
          if (this.#loops === 0) this.#fail(`{{${word}}} outside {{range}}`);
          nodes.push({ kind: word });
          break;
        case 'define':
        case 'block':
          this.#define(word, rest, nodes);
          break;
        case 'template': {
          const [called, ...argument] = rest;
          if (called?.kind !== 'constant' || typeof called.value !== 'string')
            return this.#fail('unexpected token in template clause');
          nodes.push({
            kind: 'template',
            name: called.value,
            position: called.position,
            pipeline: argument.length === 0 ? undefined : this.#pipeline(argument, 'template clause'),
          });
          break;
        }
        default:
          nodes.push({ kind: 'action', pipeline: this.#pipeline(piece.tokens, 'command') });
      }
    }
  }

  #define(word: 'define' | 'block', rest: readonly TemplateToken[], nodes: TemplateNode[]): void {
    const [called, ...argument] = rest;
    if (called?.kind !== 'constant' || typeof called.value !== 'string')
      this.#fail(`unexpected token in ${word} clause`);
    const outer = this.#variables;
    const pipeline = word === 'block' ? this.#pipeline(argument, 'block clause') : undefined;
    this.#variables = ['$'];
    const { nodes: body, end } = this.#list();
    this.#variables = outer;
    if (end !== 'end') this.#fail('unexpected EOF');
    this.#defined.set(String(called.value), body);
    if (word === 'block')
      nodes.push({ kind: 'template', name: String(called.value), pipeline, position: called.position });
  }

  #block(kind: 'if' | 'with' | 'range', tokens: readonly TemplateToken[]): TemplateNode {
    const scope = this.#variables.length;
    const pipeline = this.#pipeline(tokens, kind);
    if (kind === 'range') this.#loops++;
    const body = this.#list();
    if (kind === 'range') this.#loops--;
    let otherwise: readonly TemplateNode[] = [];
    if (body.end === '') this.#fail('unexpected EOF');
    if (body.end === 'else') {
      const [first, ...rest] = body.rest;
      if (first?.kind === 'word' && (first.text === 'if' || first.text === 'with') && first.text === kind) {
        otherwise = [this.#block(first.text, rest)];
      } else {
        if (first !== undefined) this.#fail(`unexpected ${JSON.stringify(first.text)} in else`);
        const other = this.#list();
        if (other.end !== 'end') this.#fail(other.end === '' ? 'unexpected EOF' : 'expected end; found {{else}}');
        otherwise = other.nodes;
      }
    }
    this.#variables.length = scope;
    return { kind, pipeline, body: body.nodes, otherwise };
  }

  #pipeline(tokens: readonly TemplateToken[], context: string): Pipeline {
    const variables: string[] = [];
    let at = 0;
    let assigns = false;
    const isSymbol = (index: number, symbol: string): boolean => {
      const token = tokens[index];
      return token?.kind === 'symbol' && token.text === symbol;
    };
    const first = tokens[0];
    if (first?.kind === 'variable') {
      const second = tokens[2];
      if (isSymbol(1, ':=') || isSymbol(1, '=')) {
        variables.push(first.name);
        assigns = isSymbol(1, '=');
        at = 2;
      } else if (context === 'range' && isSymbol(1, ',') && second?.kind === 'variable') {
        variables.push(first.name, second.name);
        assigns = isSymbol(3, '=');
        at = 4;
      }
    }
    for (const variable of variables) {
      if (assigns && !this.#variables.includes(variable)) this.#fail(`undefined variable ${JSON.stringify(variable)}`);
    }
    const parsed = this.#commands(tokens.slice(at), context);
    if (parsed.rest.length > 0) this.#fail(`unexpected ${JSON.stringify(parsed.rest[0]?.text ?? '')} in ${context}`);
    if (!assigns) this.#variables.push(...variables);
    return { variables, assigns, commands: parsed.commands };
  }

  /** Commands up to a closing parenthesis or the end. */
  #commands(
    tokens: readonly TemplateToken[],
    context: string,
  ): { commands: Command[]; rest: readonly TemplateToken[] } {
    const commands: Command[] = [];
    let rest = tokens;
    if (rest.length === 0) this.#fail(`missing value for ${context}`);
    for (;;) {
      const parsed = this.#command(rest, context);
      if (parsed.command.operands.length === 0)
        this.#fail(commands.length === 0 ? `missing value for ${context}` : 'missing value for command');
      const [head] = parsed.command.operands;
      if (commands.length > 0 && head?.kind === 'constant')
        this.#fail(`non executable command in pipeline stage ${commands.length + 1}`);
      commands.push(parsed.command);
      rest = parsed.rest;
      if (rest[0]?.kind !== 'symbol' || rest[0].text !== '|') return { commands, rest };
      rest = rest.slice(1);
    }
  }

  #command(tokens: readonly TemplateToken[], context: string): { command: Command; rest: readonly TemplateToken[] } {
    const operands: Operand[] = [];
    let rest = tokens;
    for (;;) {
      const [token, ...after] = rest;
      if (token === undefined || (token.kind === 'symbol' && (token.text === '|' || token.text === ')')))
        return {
          command: {
            operands,
            position: operands[0]?.position ?? 0,
            text: operands.map((operand) => operand.text).join(' '),
          },
          rest,
        };
      rest = after;
      const { position, text } = token;
      switch (token.kind) {
        case 'constant':
          operands.push({ kind: 'constant', value: token.value, position, text });
          break;
        case 'dot':
          operands.push({ kind: 'dot', position, text });
          break;
        case 'field':
          operands.push({ kind: 'field', path: token.path, position, text });
          break;
        case 'variable':
          if (!this.#variables.includes(token.name)) this.#fail(`undefined variable ${JSON.stringify(token.name)}`);
          operands.push({ kind: 'variable', name: token.name, path: token.path, position, text });
          break;
        case 'word':
          if (!this.#isFunction(token.text)) this.#fail(`function ${JSON.stringify(token.text)} not defined`);
          operands.push({ kind: 'function', name: token.text, position, text });
          break;
        case 'symbol': {
          if (token.text !== '(')
            this.#fail(`unexpected ${JSON.stringify(token.text)} in ${context === 'command' ? 'operand' : context}`);
          const inner = this.#commands(rest, 'parenthesized pipeline');
          const [close, ...more] = inner.rest;
          if (close === undefined || close.text !== ')') this.#fail('unclosed left paren');
          rest = more;
          const next = rest[0];
          const path = next?.kind === 'field' ? next.path : [];
          if (next?.kind === 'field') rest = rest.slice(1);
          const inside = inner.commands.map((command) => command.text).join(' | ');
          operands.push({
            kind: 'pipeline',
            pipeline: { variables: [], assigns: false, commands: inner.commands },
            path,
            position: inner.commands[0]?.position ?? position,
            text: `(${inside})${next?.kind === 'field' ? next.text : ''}`,
          });
        }
      }
    }
  }
}
