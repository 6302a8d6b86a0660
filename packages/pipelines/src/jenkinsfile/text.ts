import type { Position, ProblemList } from './problem.ts';

/** A value that is only known when the build runs: `env.X`, `params.X`, `currentBuild.result`, or `X`, a variable. */
export interface Reference extends Position {
  readonly scope: 'env' | 'params' | 'currentBuild';
  readonly name: string;
}

/** A string of a Jenkinsfile: literal parts and references. */
export type Text = readonly (string | Reference)[];

/** What `currentBuild` tells (workflow-support's RunWrapper, the parts that a string can show). */
export const BUILD_FIELDS = [
  'result',
  'currentResult',
  'number',
  'displayName',
  'fullDisplayName',
  'projectName',
  'duration',
  'durationString',
] as const;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
const PATH = /^(?:(env|params|currentBuild)\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*(['"])([\w-]+)\3\s*\])|([A-Za-z_]\w*))$/;
const BARE = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*/;

/** Reads a string literal with its quotes. Groovy's rules: no interpolation in single quotes, `\$` is a plain dollar. */
export function readString(image: string, at: Position, problems: ProblemList): Text {
  const quote = /^('''|"""|'|"|\$\/|\/)/.exec(image)?.[0] ?? "'";
  const body = image.slice(quote.length, -quote.length);
  const place = placeIn(image, at, quote.length);
  if (quote === '/') return readParts(body, { isSlashy: true, escape: /\\\//g, unescape: () => '/' }, place, problems);
  if (quote === '$/')
    return readParts(body, { isSlashy: true, escape: /\$([$/])/g, unescape: (_, what) => what }, place, problems);
  const quoted = quotedStyle(problems);
  if (!quote.startsWith("'")) return readParts(body, quoted, place, problems);
  return [unescaped(body, quoted, place)];
}

/** How a kind of string writes what it could not hold otherwise. */
interface Style {
  /** A dollar sign alone is one, a backslash too. */
  readonly isSlashy: boolean;
  readonly escape: RegExp;
  readonly unescape: (whole: string, what: string, at: () => Position) => string;
}

type Place = (offset: number) => Position;

function placeIn(image: string, at: Position, skip: number): Place {
  return (offset) => {
    const before = image.slice(0, offset + skip);
    const lines = before.split('\n');
    if (lines.length === 1) return { line: at.line, column: at.column + before.length };
    return { line: at.line + lines.length - 1, column: (lines.at(-1)?.length ?? 0) + 1 };
  };
}

function unescaped(body: string, style: Style, place: Place): string {
  return body.replace(style.escape, (whole, what: string, offset: number) =>
    style.unescape(whole, what, () => place(offset)),
  );
}

/** Groovy's escapes: `\n`, `\u00e9`, octal ones, a backslash before the line's end. */
function quotedStyle(problems: ProblemList): Style {
  return {
    isSlashy: false,
    escape: /\\(\r?\n|u+[0-9a-fA-F]{4}|[0-3]?[0-7]{1,2}|[\s\S])/g,
    unescape: (whole, what, at) => {
      if (what.endsWith('\n')) return '';
      if (what.startsWith('u') && what.length >= 5) return String.fromCharCode(Number.parseInt(what.slice(-4), 16));
      if (/^[0-7]+$/.test(what)) return String.fromCharCode(Number.parseInt(what, 8));
      if (ESCAPES[what] !== undefined) return ESCAPES[what];
      if ('\\\'"$'.includes(what)) return what;
      problems.add(at(), `unknown escape ${whole} in a string`, `write \\${whole} for a backslash`);
      return whole;
    },
  };
}

function readParts(body: string, style: Style, place: Place, problems: ProblemList): Text {
  const parts: (string | Reference)[] = [];
  let literal = '';
  let literalStart = 0;
  const flush = (): void => {
    const from = literalStart;
    if (literal !== '') parts.push(unescaped(literal, style, (offset) => place(from + offset)));
    literal = '';
  };
  for (let at = 0; at < body.length; ) {
    const char = body[at] ?? '';
    if (char === '\\' || (style.isSlashy && char === '$' && '$/'.includes(body[at + 1] ?? ' '))) {
      if (literal === '') literalStart = at;
      literal += body.slice(at, at + 2);
      at += 2;
    } else if (char === '$' && body[at + 1] === '{') {
      flush();
      const end = closingBrace(body, at + 2);
      parts.push(readReference(body.slice(at + 2, end), place(at), problems));
      at = end + 1;
    } else if (char === '$' && BARE.test(body.slice(at + 1))) {
      flush();
      const found = BARE.exec(body.slice(at + 1))?.[0] ?? '';
      parts.push(readReference(found, place(at), problems));
      at += found.length + 1;
    } else {
      if (char === '$' && !style.isSlashy)
        problems.add(place(at), 'a dollar sign alone in a double-quoted string', 'write \\$, or use single quotes');
      if (literal === '') literalStart = at;
      literal += char;
      at++;
    }
  }
  flush();
  return parts;
}

function closingBrace(body: string, from: number): number {
  let depth = 1;
  for (let at = from; at < body.length; at++) {
    if (body[at] === '{') depth++;
    if (body[at] === '}' && --depth === 0) return at;
  }
  return body.length;
}

/** Reads what stands between the braces of `${…}`, or a dotted name. */
export function readReference(expression: string, at: Position, problems: ProblemList): Reference {
  const found = PATH.exec(expression.trim());
  if (!found) {
    problems.add(
      at,
      `\${${expression.trim()}} is a Groovy expression`,
      'write ${env.NAME}, ${params.NAME}, ${NAME} or ${currentBuild.currentResult}, or compute it in sh',
    );
    return { scope: 'env', name: '', ...at };
  }
  const [, scope, dotted, , quoted, bare] = found;
  const name = dotted ?? quoted ?? bare ?? '';
  if (scope === 'currentBuild' && !(BUILD_FIELDS as readonly string[]).includes(name))
    problems.add(at, `currentBuild.${name} is not known here`, `write one of: ${BUILD_FIELDS.join(', ')}`);
  if (bare === 'env' || bare === 'params' || bare === 'currentBuild')
    problems.add(at, `${bare} needs a name`, `write \${${bare}.NAME}`);
  return { scope: (scope ?? 'env') as Reference['scope'], name, line: at.line, column: at.column };
}

/** The string, where it holds no reference. */
export function literalOf(text: Text): string | undefined {
  return text.every((part) => typeof part === 'string') ? text.join('') : undefined;
}

/** The string as it was meant to be read, with references in their braces. */
export function describeText(text: Text): string {
  return text
    .map((part) =>
      typeof part === 'string' ? part : `\${${part.scope === 'env' ? '' : `${part.scope}.`}${part.name}}`,
    )
    .join('');
}
