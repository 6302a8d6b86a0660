/** Label selectors in text and as objects (apimachinery `labels`, `metav1.LabelSelectorAsSelector`). */
import { fieldErrorText, goQuote, unsupportedValue } from '../errors/field-error.ts';
import { isLabelValue, isQualifiedName } from '../validation/names.ts';

export type SelectorOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

/** All requirements must hold; none matches everything. */
export type LabelSelector = readonly LabelRequirement[];

/** metav1.LabelSelector. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The text is no selector; the message is apimachinery's. */
export class SelectorSyntaxError extends Error {
  override readonly name = 'SelectorSyntaxError';
}

interface Token {
  readonly kind: string;
  readonly text: string;
}

const SYMBOLS = ['!=', '==', '=', '!', '(', ')', ',', '<', '>'] as const;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/[ \t\r\n]/.test(char)) {
      at += 1;
      continue;
    }
    const symbol = SYMBOLS.find((entry) => text.startsWith(entry, at));
    if (symbol !== undefined) {
      tokens.push({ kind: symbol, text: symbol });
      at += symbol.length;
      continue;
    }
    const start = at;
    while (at < text.length && !/[ \t\r\n=!(),<>]/.test(text.charAt(at))) at += 1;
    const word = text.slice(start, at);
    tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

/** Parses `a=b,c in (d,e),!f`; throws `SelectorSyntaxError` with the real server's words. */
export function parseLabelSelector(text: string): LabelSelector {
  const parser = new Parser(tokenize(text));
  const requirements = parser.parse();
  return requirements.toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  #peek(asValues: boolean): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '' };
    return asValues && (token.kind === 'in' || token.kind === 'notin') ? { ...token, kind: 'identifier' } : token;
  }

  #next(asValues: boolean): Token {
    const token = this.#peek(asValues);
    if (this.#at < this.#tokens.length - 1) this.#at += 1;
    return token;
  }

  parse(): LabelRequirement[] {
    const out: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek(true);
      if (token.kind === 'identifier' || token.kind === '!') {
        out.push(this.#requirement());
        const after = this.#next(true);
        if (after.kind === 'end') return out;
        if (after.kind !== ',')
          throw new SelectorSyntaxError(`found '${after.text}', expected: ',' or 'end of string'`);
        const following = this.#peek(true);
        if (following.kind !== 'identifier' && following.kind !== '!')
          throw new SelectorSyntaxError(`found '${following.text}', expected: identifier after ','`);
      } else if (token.kind === 'end') return out;
      else throw new SelectorSyntaxError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    }
  }

  #requirement(): LabelRequirement {
    let negated = false;
    let token = this.#next(true);
    if (token.kind === '!') {
      negated = true;
      token = this.#next(true);
    }
    if (token.kind !== 'identifier') throw wrap(new SelectorSyntaxError(`found '${token.text}', expected: identifier`));
    const key = token.text;
    const keyProblems = isQualifiedName(key);
    if (keyProblems.length > 0)
      throw wrap(new SelectorSyntaxError(`key: Invalid value: ${goQuote(key)}: ${keyProblems.join('; ')}`));
    const after = this.#peek(true);
    if (after.kind === 'end' || after.kind === ',') return requirement(key, negated ? '!' : 'exists', []);
    if (negated) return requirement(key, '!', []);
    const operator = this.#next(false);
    switch (operator.kind) {
      case 'in':
      case 'notin':
        return requirement(key, operator.kind, this.#values());
      case '=':
      case '==':
      case '!=':
      case '<':
      case '>': {
        const value = this.#exactValue();
        if (operator.kind === '<') return requirement(key, 'lt', [value]);
        return requirement(key, operator.kind === '>' ? 'gt' : operator.kind, [value]);
      }
    }
    throw wrap(new SelectorSyntaxError(`found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`));
  }

  #values(): string[] {
    const open = this.#next(true);
    if (open.kind !== '(') throw wrap(new SelectorSyntaxError(`found '${open.text}' expected: '('`));
    const values: string[] = [];
    let token = this.#peek(true);
    if (token.kind === ')') {
      this.#next(true);
      return [''];
    }
    if (token.kind !== 'identifier' && token.kind !== ',')
      throw wrap(new SelectorSyntaxError(`found '${token.text}', expected: ',', ')' or identifier`));
    for (;;) {
      token = this.#next(true);
      if (token.kind === 'identifier') {
        values.push(token.text);
        const after = this.#peek(true);
        if (after.kind !== ',' && after.kind !== ')')
          throw wrap(new SelectorSyntaxError(`found '${after.text}', expected: ',' or ')'`));
      } else if (token.kind === ',') {
        if (values.length === 0) values.push('');
        const after = this.#peek(true);
        if (after.kind === ')') values.push('');
        else if (after.kind === ',') {
          this.#next(true);
          values.push('');
        }
      } else if (token.kind === ')') return [...new Set(values)].sort();
      else throw wrap(new SelectorSyntaxError(`found '${token.text}', expected: ',', or identifier`));
    }
  }

  #exactValue(): string {
    const token = this.#peek(true);
    if (token.kind === 'end' || token.kind === ',') return '';
    this.#next(true);
    if (token.kind !== 'identifier') throw wrap(new SelectorSyntaxError(`found '${token.text}', expected: identifier`));
    return token.text;
  }
}

function wrap(error: SelectorSyntaxError): SelectorSyntaxError {
  return new SelectorSyntaxError(`unable to parse requirement: ${error.message}`);
}

/** `labels.NewRequirement`: checks the values. */
function requirement(key: string, operator: SelectorOperator, values: readonly string[]): LabelRequirement {
  if (operator === 'gt' || operator === 'lt') {
    if (!/^[+-]?\d+$/.test(values[0] ?? ''))
      throw wrap(
        new SelectorSyntaxError(
          `values[0]: Invalid value: ${goQuote(values[0] ?? '')}: for 'Gt', 'Lt' operators, the value must be an integer`,
        ),
      );
  }
  for (const [index, value] of values.entries()) {
    const problems = isLabelValue(value);
    if (problems.length > 0)
      throw wrap(
        new SelectorSyntaxError(`values[${index}][${key}]: Invalid value: ${goQuote(value)}: ${problems.join('; ')}`),
      );
  }
  return { key, operator, values };
}

/** metav1.LabelSelectorAsSelector: `undefined` (no selector) matches nothing, `{}` everything. Throws for bad operators. */
export function labelSelectorOf(object: LabelSelectorObject | undefined | null): LabelSelector | undefined {
  if (object === undefined || object === null) return undefined;
  const out: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(object.matchLabels ?? {}))
    out.push({ key, operator: '=', values: [value] });
  for (const expression of object.matchExpressions ?? []) {
    const values = expression.values ?? [];
    switch (expression.operator) {
      case 'In':
        out.push({ key: expression.key, operator: 'in', values });
        break;
      case 'NotIn':
        out.push({ key: expression.key, operator: 'notin', values });
        break;
      case 'Exists':
        out.push({ key: expression.key, operator: 'exists', values: [] });
        break;
      case 'DoesNotExist':
        out.push({ key: expression.key, operator: '!', values: [] });
        break;
      default:
        throw new SelectorSyntaxError(
          fieldErrorText(unsupportedValue('operator', expression.operator, ['DoesNotExist', 'Exists', 'In', 'NotIn'])),
        );
    }
  }
  return out.toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
}

export function matchesLabels(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined) return false;
  const own = labels ?? {};
  return selector.every((entry) => {
    const value = Object.hasOwn(own, entry.key) ? own[entry.key] : undefined;
    switch (entry.operator) {
      case 'in':
      case '=':
      case '==':
        return value !== undefined && entry.values.includes(value);
      case 'notin':
      case '!=':
        return value === undefined || !entry.values.includes(value);
      case 'exists':
        return value !== undefined;
      case '!':
        return value === undefined;
      case 'gt':
        return value !== undefined && /^[+-]?\d+$/.test(value) && BigInt(value) > BigInt(entry.values[0] ?? '0');
      case 'lt':
        return value !== undefined && /^[+-]?\d+$/.test(value) && BigInt(value) < BigInt(entry.values[0] ?? '0');
    }
    return false;
  });
}

/** `a=b,c in (d,e)`, as `Selector.String` prints it. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector
    .map(({ key, operator, values }) => {
      const sorted = [...values].sort();
      switch (operator) {
        case 'exists':
          return key;
        case '!':
          return `!${key}`;
        case 'in':
          return `${key} in (${sorted.join(',')})`;
        case 'notin':
          return `${key} notin (${sorted.join(',')})`;
        case 'gt':
          return `${key}>${sorted.join(',')}`;
        case 'lt':
          return `${key}<${sorted.join(',')}`;
        case '=':
        case '==':
        case '!=':
          return `${key}${operator}${sorted.join(',')}`;
      }
      return '';
    })
    .join(',');
}

/** metav1.FormatLabelSelector: `<none>` for empty ones, used by tables. */
export function formatLabelSelectorObject(object: LabelSelectorObject | undefined | null): string {
  let selector: LabelSelector | undefined;
  try {
    selector = labelSelectorOf(object);
  } catch {
    return '<error>';
  }
  if (selector === undefined) return '<none>';
  const text = formatLabelSelector(selector);
  return text === '' ? '<none>' : text;
}
