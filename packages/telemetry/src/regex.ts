import { RE2JS } from 're2js';
import { type Translation, translate } from './regex-translate.ts';

/** One match: `groups[0]` is the whole; a group that took no part is undefined. */
export interface RegexMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

export interface RegexOptions {
  /** Whether `.` matches a line feed. Default false, as in Go's regexp; label matchers set it. */
  readonly dotAll?: boolean;
}

/** The text has the form of Go's: ``error parsing regexp: missing closing ): `(` ``. */
export class RegexSyntaxError extends Error {
  override readonly name = 'RegexSyntaxError';
}

/** Steps that V8's backtracking may take for each character before RE2's automaton is used in its place. */
const STEPS_PER_CHARACTER = 512;

/**
 * A regular expression with RE2's syntax, meaning (leftmost-first) and cost: time is linear in the input whatever the
 * expression is. V8's own engine does the work where a bound on its backtracking is known from the expression's shape
 * and the input's length; RE2's automaton (re2js) does it elsewhere.
 */
export class LinearRegex {
  readonly source: string;
  /** Names by group, the first at 0; undefined where a group has none. */
  readonly groupNames: readonly (string | undefined)[];
  readonly #re2: RE2JS;
  readonly #dotAll: boolean;
  readonly #translation: Translation | undefined;
  readonly #maxLength: number;
  #fullRe2: RE2JS | undefined;
  #search: RegExp | undefined;
  #full: RegExp | undefined;
  #searchAll: RegExp | undefined;

  constructor(source: string, options: RegexOptions = {}) {
    this.source = source;
    this.#dotAll = options.dotAll === true;
    this.#re2 = compileRe2(source, this.#dotAll);
    this.#translation = translate(source, this.#dotAll);
    const names: (string | undefined)[] = new Array(this.#re2.groupCount()).fill(undefined);
    for (const [name, index] of Object.entries(this.#re2.namedGroups())) names[Number(index) - 1] = name;
    this.groupNames = names;
    const { degree, choices } = this.#translation ?? { degree: 9, choices: 1 };
    this.#maxLength =
      this.#translation === undefined
        ? -1
        : degree <= 1
          ? Number.POSITIVE_INFINITY
          : (STEPS_PER_CHARACTER / choices) ** (1 / (degree - 1));
  }

  /** Whether it matches anywhere in the text. */
  test(text: string): boolean {
    if (this.#translation === undefined || text.length > this.#maxLength) return this.#re2.test(text);
    this.#search ??= new RegExp(this.#translation.source, this.#translation.flags);
    return this.#search.test(text);
  }

  /** Whether it matches the whole text. */
  testFull(text: string): boolean {
    if (this.#translation === undefined || text.length > this.#maxLength) {
      this.#fullRe2 ??= compileRe2(`^(?:${this.source})$`, this.#dotAll);
      return this.#fullRe2.test(text);
    }
    this.#full ??= new RegExp(`^(?:${this.#translation.source})$`, this.#translation.flags);
    return this.#full.test(text);
  }

  /** Whether it matches anywhere in UTF-8 text. */
  testBytes(text: Uint8Array): boolean {
    return this.#re2.test(text);
  }

  /** The leftmost match that begins at `from` or later. */
  find(text: string, from = 0): RegexMatch | undefined {
    if (this.#translation !== undefined && text.length <= this.#maxLength) {
      this.#searchAll ??= new RegExp(this.#translation.source, `${this.#translation.flags}g`);
      this.#searchAll.lastIndex = from;
      const match = this.#searchAll.exec(text);
      if (match === null) return undefined;
      return { start: match.index, end: match.index + match[0].length, groups: match };
    }
    const matcher = this.#re2.matcher(text);
    if (!matcher.find(from)) return undefined;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
    return { start: matcher.start(), end: matcher.end(), groups };
  }

  /** The match of the whole text, with its groups. */
  findFull(text: string): RegexMatch | undefined {
    if (this.#translation !== undefined && text.length <= this.#maxLength) {
      this.#full ??= new RegExp(`^(?:${this.#translation.source})$`, this.#translation.flags);
      const match = this.#full.exec(text);
      return match === null ? undefined : { start: 0, end: text.length, groups: match };
    }
    this.#fullRe2 ??= compileRe2(`^(?:${this.source})$`, this.#dotAll);
    const matcher = this.#fullRe2.matcher(text);
    if (!matcher.find()) return undefined;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
    return { start: 0, end: text.length, groups };
  }

  /** Every match replaced by what the function gives for it, as Go's `ReplaceAllStringFunc` finds them. */
  replaceAll(text: string, replacement: (match: RegexMatch) => string): string {
    let out = '';
    let copied = 0;
    let position = 0;
    let lastEnd = -1;
    while (position <= text.length) {
      const match = this.find(text, position);
      if (match === undefined) break;
      if (match.end > match.start || match.start !== lastEnd) {
        out += text.slice(copied, match.start) + replacement(match);
        copied = match.end;
        lastEnd = match.end;
      }
      if (match.end > match.start) position = match.end;
      else position = match.end + ((text.codePointAt(match.end) ?? 0) > 0xffff ? 2 : 1);
    }
    return out + text.slice(copied);
  }
}

function compileRe2(source: string, dotAll: boolean): RE2JS {
  try {
    return RE2JS.compile(source, dotAll ? RE2JS.DOTALL : 0);
  } catch (error) {
    if (dotAll) return compileRe2(source, false);
    throw new RegexSyntaxError(error instanceof Error ? error.message : String(error));
  }
}

const cache = new Map<string, LinearRegex>();
const CACHE_SIZE = 256;

/** Compiles, remembering the last few expressions. Throws RegexSyntaxError. */
export function compileRegex(source: string, options: RegexOptions = {}): LinearRegex {
  const key = (options.dotAll === true ? 's' : ' ') + source;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const regex = new LinearRegex(source, options);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(key, regex);
  return regex;
}

/**
 * Go's `Regexp.Expand`: `$1`, `$name`, `${name}` and `$$` in a template; an unknown name or a group that took no part
 * is empty, and `$name` takes the longest run of word characters.
 */
export function expandTemplate(template: string, regex: LinearRegex, match: RegexMatch): string {
  return template.replace(/\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (_, dollar, braced, bare) => {
    if (dollar !== undefined) return '$';
    const name: string = braced ?? bare;
    if (/^\d+$/.test(name)) return match.groups[Number(name)] ?? '';
    const index = regex.groupNames.indexOf(name);
    return index < 0 ? '' : (match.groups[index + 1] ?? '');
  });
}
