/** An RE2 expression in the words of JavaScript's RegExp, with what is needed to say how long a match can take. */
export interface Translation {
  /** For `new RegExp(source, flags)`; always with the flag `u`. */
  readonly source: string;
  readonly flags: string;
  /** How often the input's length can multiply the steps of a backtracking match that starts anywhere. */
  readonly degree: number;
  /** An upper bound on the choices that do not depend on the input's length. */
  readonly choices: number;
  readonly groupNames: readonly (string | undefined)[];
}

const PERL_CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: '0-9A-Za-z_',
  s: '\\t\\n\\f\\r ',
};
const CONTROL_ESCAPES: Readonly<Record<string, string>> = {
  n: '\\n',
  t: '\\t',
  r: '\\r',
  f: '\\f',
  v: '\\v',
  a: '\\x07',
};
const QUANTIFIER = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/;
const MAX_CHOICES = 64;

function literal(char: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

interface Group {
  /** Nothing in it can match in two ways or repeat, so that repeating the group stays linear. */
  simple: boolean;
}

/**
 * Translates, or gives undefined where the expression uses what has no safe counterpart (flags inside, Unicode classes,
 * repeated groups that are themselves ambiguous). The expression must have passed RE2's own parser before.
 */
export function translate(expression: string, dotAll: boolean): Translation | undefined {
  let rest = expression;
  let flags = 'u';
  let dot = dotAll ? '[^]' : '[^\\n]';
  const head = /^\(\?([is]+)\)/.exec(rest);
  if (head !== null) {
    if (head[1]?.includes('i')) flags = 'iu';
    if (head[1]?.includes('s')) dot = '[^]';
    rest = rest.slice(head[0].length);
  }
  const groups: Group[] = [{ simple: true }];
  const groupNames: (string | undefined)[] = [];
  let closed: Group | undefined;
  let out = '';
  let degree = rest.startsWith('^') && !rest.includes('|') ? 0 : 1;
  let choices = 1;
  let i = 0;
  const top = (): Group => groups.at(-1) ?? { simple: false };
  while (i < rest.length) {
    const char = String.fromCodePoint(rest.codePointAt(i) ?? 0);
    const quantifier = '*+?{'.includes(char) ? QUANTIFIER.exec(rest.slice(i)) : null;
    if (quantifier !== null) {
      const unbounded = char === '*' || char === '+' || (quantifier[2] === ',' && quantifier[3] === '');
      const low = Number(quantifier[1] ?? 0);
      const high = char === '?' ? 1 : quantifier[2] === '' ? low : Number(quantifier[3] || low);
      if (closed !== undefined && !closed.simple && char !== '?' && high !== 1) return undefined;
      if (unbounded) degree += 1;
      else choices *= char === '?' ? 2 : Math.max(1, high - low + 1);
      top().simple = false;
      out += quantifier[0];
      i += quantifier[0].length;
      closed = undefined;
      if (/^[*+?{]/.test(rest.slice(i)) && QUANTIFIER.test(rest.slice(i))) return undefined;
      continue;
    }
    closed = undefined;
    i += char.length;
    switch (char) {
      case '(': {
        const open = /^\?(?::|P?<(\w+)>)/.exec(rest.slice(i));
        if (open === null && rest[i] === '?') return undefined;
        if (open !== null) i += open[0].length;
        if (open === null || open[1] !== undefined) {
          groupNames.push(open?.[1]);
          out += '(';
        } else out += '(?:';
        groups.push({ simple: true });
        break;
      }
      case ')': {
        closed = groups.pop();
        if (closed !== undefined && !closed.simple) top().simple = false;
        out += ')';
        break;
      }
      case '|':
        top().simple = false;
        choices *= 2;
        out += '|';
        break;
      case '.':
        out += dot;
        break;
      case '^':
      case '$':
        out += char;
        break;
      case '\\': {
        const escaped = rest[i] ?? '';
        i += 1;
        const text = translateEscape(escaped);
        if (text === undefined) return undefined;
        out += text;
        break;
      }
      case '[': {
        const parsed = translateClass(rest, i);
        if (parsed === undefined) return undefined;
        out += parsed.text;
        i = parsed.end;
        break;
      }
      default:
        out += literal(char);
    }
    if (choices > MAX_CHOICES) return undefined;
  }
  return choices > MAX_CHOICES ? undefined : { source: out, flags, degree, choices, groupNames };
}

function translateEscape(escaped: string): string | undefined {
  if (escaped in PERL_CLASSES) return `[${PERL_CLASSES[escaped]}]`;
  const lower = escaped.toLowerCase();
  if (lower in PERL_CLASSES) return `[^${PERL_CLASSES[lower]}]`;
  if (escaped in CONTROL_ESCAPES) return CONTROL_ESCAPES[escaped];
  if (escaped === 'A') return '^';
  if (escaped === 'z') return '$';
  if (/[\w]/.test(escaped) || escaped === '' || escaped > '\x7f') return undefined;
  return literal(escaped);
}

function translateClass(rest: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let i = start;
  let text = '[';
  if (rest[i] === '^') {
    text += '^';
    i += 1;
  }
  let first = true;
  for (;;) {
    const char = String.fromCodePoint(rest.codePointAt(i) ?? 0);
    if (i >= rest.length) return undefined;
    i += char.length;
    if (char === ']' && !first) return { text: `${text}]`, end: i };
    first = false;
    if (char === '[' && rest[i] === ':') return undefined;
    if (char === '\\') {
      const escaped = rest[i] ?? '';
      i += 1;
      if (escaped in PERL_CLASSES) text += PERL_CLASSES[escaped];
      else if (escaped in CONTROL_ESCAPES) text += CONTROL_ESCAPES[escaped];
      else if (/\w/.test(escaped) || escaped === '' || escaped > '\x7f') return undefined;
      else text += `\\x${escaped.charCodeAt(0).toString(16).padStart(2, '0')}`;
    } else if (char === '-') {
      const edge = text === '[' || text === '[^' || rest[i] === ']';
      text += edge ? '\\-' : '-';
    } else text += /[[\]^\\]/.test(char) ? `\\${char}` : char;
  }
}
