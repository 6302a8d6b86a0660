import { quote } from '@kind-e2e/telemetry';
import { FUNCTIONS, type FunctionContext } from './functions.ts';
import {
  type BlockNode,
  type Command,
  type Operand,
  type ParsedTemplate,
  type Pipeline,
  type Place,
  parseTemplate,
  type TemplateNode,
} from './parse.ts';
import {
  ArgumentError,
  GoDuration,
  GoTime,
  isTrue,
  printValue,
  TemplateError,
  type TemplateValue,
  typeName,
} from './values.ts';

/** No template may write more than this, however it loops. */
const MAX_OUTPUT = 4 * 1024 * 1024;
const MAX_STEPS = 1_000_000;

export type { FunctionContext };

/** A Go template over the labels of a line. Parsing throws TemplateError, and so does execution. */
export class GoTemplate {
  readonly #template: ParsedTemplate;

  constructor(source: string, name: string) {
    this.#template = parseTemplate(source, name, (word) => Object.hasOwn(FUNCTIONS, word));
  }

  /** Of a template that is one field and nothing else: the label, which may then be copied (simpleKey of pkg/logql/log/fmt.go). */
  get simpleField(): string | undefined {
    const [node, ...more] = this.#template.nodes;
    if (more.length > 0 || node?.kind !== 'action') return undefined;
    const [command, ...piped] = node.pipeline.commands;
    const [operand, ...args] = command?.operands ?? [];
    return piped.length === 0 && args.length === 0 && operand?.kind === 'field' && operand.path.length === 1
      ? operand.path[0]
      : undefined;
  }

  execute(labels: ReadonlyMap<string, string>, context: FunctionContext): string {
    return new Execution(this.#template, labels, context).run();
  }
}

/** The fields that a template names, those of its named templates not (listNodeFields of pkg/logql/log/fmt.go). */
export function fieldsOfTemplate(source: string, name: string): readonly string[] {
  const template = parseTemplate(source, name, (word) => Object.hasOwn(FUNCTIONS, word));
  return [...new Set(fieldsOfNodes(template.nodes))];
}

function* fieldsOfNodes(nodes: readonly TemplateNode[]): Generator<string> {
  for (const node of nodes) {
    if (node.kind === 'action') yield* fieldsOfPipeline(node.pipeline);
    else if (node.kind === 'if' || node.kind === 'with' || node.kind === 'range') {
      yield* fieldsOfPipeline(node.pipeline);
      yield* fieldsOfNodes(node.body);
      yield* fieldsOfNodes(node.otherwise);
    }
  }
}

function* fieldsOfPipeline({ commands }: Pipeline): Generator<string> {
  for (const { operands } of commands)
    for (const operand of operands) {
      if (operand.kind === 'field') yield* operand.path;
      else if (operand.kind === 'pipeline' && operand.path.length === 0) yield* fieldsOfPipeline(operand.pipeline);
    }
}

class LoopControl extends Error {
  readonly kind: 'break' | 'continue';

  constructor(kind: 'break' | 'continue') {
    super(kind);
    this.kind = kind;
  }
}

/** A pipeline as it prints. */
function placeOf({ commands }: Pipeline): Place {
  return { position: commands[0]?.position ?? 0, text: commands.map(({ text }) => text).join(' | ') };
}

class Execution {
  readonly #template: ParsedTemplate;
  readonly #context: FunctionContext;
  readonly #root: ReadonlyMap<string, TemplateValue>;
  #variables: [string, TemplateValue][];
  #out = '';
  #steps = 0;
  #depth = 0;

  constructor(template: ParsedTemplate, labels: ReadonlyMap<string, string>, context: FunctionContext) {
    this.#template = template;
    this.#context = context;
    this.#root = labels;
    this.#variables = [['$', labels]];
  }

  run(): string {
    this.#nodes(this.#template.nodes, this.#root);
    return this.#out;
  }

  /** text/template's errorf: the place is that of a node, its column the bytes before it in its line. */
  #fail({ position, text }: Place, reason: string): never {
    const { name, source } = this.#template;
    const before = Buffer.from(source).subarray(0, position).toString();
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    const location = `${name}:${before.split('\n').length}:${column}`;
    throw new TemplateError(`template: ${location}: executing "${name}" at <${text}>: ${reason}`);
  }

  #write(text: string): void {
    this.#out += text;
    if (this.#out.length > MAX_OUTPUT) throw new TemplateError('template output is too long');
  }

  #nodes(nodes: readonly TemplateNode[], dot: TemplateValue): void {
    for (const node of nodes) {
      if (++this.#steps > MAX_STEPS) throw new TemplateError('template takes too many steps');
      switch (node.kind) {
        case 'text':
          this.#write(node.text);
          break;
        case 'action': {
          const value = this.#pipeline(node.pipeline, dot);
          if (node.pipeline.variables.length === 0) this.#write(printValue(value));
          break;
        }
        case 'if':
        case 'with': {
          const scope = this.#variables.length;
          const value = this.#pipeline(node.pipeline, dot);
          if (isTrue(value)) this.#nodes(node.body, node.kind === 'with' ? value : dot);
          else this.#nodes(node.otherwise, dot);
          this.#variables.length = scope;
          break;
        }
        case 'range':
          this.#range(node, dot);
          break;
        case 'break':
        case 'continue':
          throw new LoopControl(node.kind);
        case 'template':
          this.#call(node, dot);
      }
    }
  }

  #call(node: Extract<TemplateNode, { kind: 'template' }>, dot: TemplateValue): void {
    const body = this.#template.defined.get(node.name);
    const place = { position: node.position, text: `{{template ${quote(node.name)}}}` };
    if (body === undefined) this.#fail(place, `template ${quote(node.name)} not defined`);
    if (++this.#depth > 100) this.#fail(place, 'exceeded maximum template depth (100)');
    const outer = this.#variables;
    const value = node.pipeline === undefined ? null : this.#pipeline(node.pipeline, dot);
    this.#variables = [['$', value]];
    this.#nodes(body, value);
    this.#variables = outer;
    this.#depth--;
  }

  #range(node: BlockNode, dot: TemplateValue): void {
    const scope = this.#variables.length;
    const { variables, assigns } = node.pipeline;
    const value = this.#pipeline({ ...node.pipeline, variables: [] }, dot);
    const items = this.#items(value, node.pipeline);
    if (items.length === 0) this.#nodes(node.otherwise, dot);
    for (const [key, item] of items) {
      const inner = this.#variables.length;
      const bind = (name: string | undefined, bound: TemplateValue): void => {
        if (name === undefined) return;
        if (assigns) this.#assign(name, bound);
        else this.#variables.push([name, bound]);
      };
      if (variables.length === 2) bind(variables[0], key);
      bind(variables.at(-1), item);
      try {
        this.#nodes(node.body, item);
      } catch (error) {
        if (!(error instanceof LoopControl)) throw error;
        if (error.kind === 'break') break;
      } finally {
        this.#variables.length = inner;
      }
    }
    this.#variables.length = scope;
  }

  #items(value: TemplateValue, pipeline: Pipeline): [TemplateValue, TemplateValue][] {
    if (Array.isArray(value)) return value.map((item: TemplateValue, i) => [BigInt(i), item]);
    if (value instanceof Map)
      return [...value.entries()].sort(([a], [b]) => (a < b ? -1 : 1)) as [TemplateValue, TemplateValue][];
    if (typeof value === 'bigint')
      return Array.from({ length: Math.max(0, Math.min(Number(value), MAX_STEPS)) }, (_, i) => [BigInt(i), BigInt(i)]);
    if (value === null) return [];
    return this.#fail(placeOf(pipeline), `range can't iterate over ${printValue(value)}`);
  }

  #assign(name: string, value: TemplateValue): void {
    for (let i = this.#variables.length - 1; i >= 0; i--) {
      const variable = this.#variables[i];
      if (variable?.[0] === name) {
        variable[1] = value;
        return;
      }
    }
  }

  #pipeline(pipeline: Pipeline, dot: TemplateValue): TemplateValue {
    let value: TemplateValue = null;
    let first = true;
    for (const command of pipeline.commands) {
      value = this.#command(command, dot, first ? undefined : value);
      first = false;
    }
    for (const name of pipeline.variables) {
      if (pipeline.assigns) this.#assign(name, value);
      else this.#variables.push([name, value]);
    }
    return value;
  }

  #command(command: Command, dot: TemplateValue, piped: TemplateValue | undefined): TemplateValue {
    const [head, ...args] = command.operands;
    if (head === undefined) return null;
    if (head.kind === 'function') return this.#invoke(head, command, args, dot, piped);
    if (args.length > 0 || piped !== undefined) this.#fail(head, `can't give argument to non-function ${head.text}`);
    return this.#operand(head, dot);
  }

  #invoke(
    head: Operand & { readonly kind: 'function' },
    command: Place,
    args: readonly Operand[],
    dot: TemplateValue,
    piped: TemplateValue | undefined,
  ): TemplateValue {
    const { name } = head;
    if (name === 'and' || name === 'or') {
      let value: TemplateValue = null;
      for (const arg of args) {
        value = this.#operand(arg, dot);
        if (isTrue(value) === (name === 'or')) return value;
      }
      return piped ?? value;
    }
    const fn = FUNCTIONS[name];
    if (fn === undefined) return this.#fail(head, `"${name}" is not a defined function`);
    const { least, most } = fn;
    const given = args.length + (piped === undefined ? 0 : 1);
    if (given < least || given > most)
      this.#fail(
        head,
        `wrong number of args for ${name}: want ${most === Number.POSITIVE_INFINITY ? 'at least ' : ''}${least} got ${given}`,
      );
    const values = args.map((arg) => this.#operand(arg, dot));
    if (piped !== undefined) values.push(piped);
    try {
      return fn.call(values, this.#context);
    } catch (error) {
      if (error instanceof ArgumentError) {
        const arg = args[values.indexOf(error.value)];
        if (arg?.kind === 'constant') {
          const expected = error.expected === 'int' ? 'integer' : error.expected;
          const given = expected === 'time.Time' ? `can't handle ${arg.text} for arg of type time.Time` : '';
          this.#fail(arg, given || `expected ${expected}; found ${arg.text}`);
        }
        return this.#fail(arg ?? args.at(-1) ?? head, error.message);
      }
      if (!(error instanceof TemplateError)) throw error;
      return this.#fail(command, `error calling ${name}: ${error.message}`);
    }
  }

  #operand(operand: Operand, dot: TemplateValue): TemplateValue {
    switch (operand.kind) {
      case 'constant':
        return operand.value;
      case 'dot':
        return dot;
      case 'field':
        return this.#field(dot, operand.path, operand);
      case 'variable': {
        const found = this.#variables.findLast(([name]) => name === operand.name);
        return this.#field(found?.[1] ?? null, operand.path, operand);
      }
      case 'function':
        return this.#invoke(operand, operand, [], dot, undefined);
      case 'pipeline':
        return this.#field(this.#pipeline(operand.pipeline, dot), operand.path, operand);
    }
  }

  #field(value: TemplateValue, path: readonly string[], place: Place): TemplateValue {
    let current = value;
    for (const name of path) {
      if (current instanceof Map) current = current.get(name) ?? (current === this.#root ? '' : null);
      else if (current instanceof GoTime || current instanceof GoDuration)
        current =
          timeMethod(current, name) ?? this.#fail(place, `can't evaluate field ${name} in type ${typeName(current)}`);
      else if (current === null) this.#fail(place, `nil pointer evaluating interface {}.${name}`);
      else this.#fail(place, `can't evaluate field ${name} in type ${typeName(current)}`);
    }
    return current;
  }
}

/** The methods without arguments that templates use on times. */
function timeMethod(value: GoTime | GoDuration, name: string): TemplateValue | undefined {
  if (value instanceof GoDuration) {
    if (name === 'Seconds') return Number(value.ns) / 1e9;
    if (name === 'Milliseconds') return value.ns / 1_000_000n;
    if (name === 'Minutes') return Number(value.ns) / 60e9;
    if (name === 'Hours') return Number(value.ns) / 3600e9;
    return name === 'Nanoseconds' ? value.ns : undefined;
  }
  const date = new Date(Number(value.ns / 1_000_000n));
  switch (name) {
    case 'Unix':
      return value.ns / 1_000_000_000n;
    case 'UnixMilli':
      return value.ns / 1_000_000n;
    case 'UnixNano':
      return value.ns;
    case 'Year':
      return BigInt(date.getUTCFullYear());
    case 'Day':
      return BigInt(date.getUTCDate());
    case 'Hour':
      return BigInt(date.getUTCHours());
    case 'Minute':
      return BigInt(date.getUTCMinutes());
    case 'Second':
      return BigInt(date.getUTCSeconds());
    case 'UTC':
      return value;
    default:
      return undefined;
  }
}
