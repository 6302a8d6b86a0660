/**
 * What the lines of a chunk have in common. A word with a digit in it varies; what stands between such words is the
 * line's shape. Lines of one shape differ only in these words.
 */
export interface ShapedLines {
  /** The shape of each line. */
  readonly shapeOf: Uint16Array;
  /** A line of each shape; -1 for the shape of lines that have none of their own. */
  readonly examples: readonly number[];
  /** Start and end of the varying words of all lines, one after the other. */
  readonly marks: Uint32Array;
  /** Where the marks of line i begin; those of the next line begin where they end. */
  readonly firstMark: Uint32Array;
}

/** Shapes of a chunk; lines beyond are kept whole. */
const MAX_SHAPES = 256;
/** Words of a line that may vary; a line with more is kept whole. */
const MAX_WORDS = 64;
const MAX_LINE_BYTES = 16 * 1024;
const RECENT_SHAPES = 4;
/** The example of lines that are kept whole. */
export const WHOLE = -1;

const BETWEEN = 0;
const LETTER = 1;
const DIGIT = 2;
const CLASSES = new Uint8Array(256);
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.:+-') CLASSES[char.charCodeAt(0)] = LETTER;
for (const char of '0123456789') CLASSES[char.charCodeAt(0)] = DIGIT;

export function isWordByte(byte: number): boolean {
  return CLASSES[byte] !== BETWEEN;
}

const HASH_SEED = 0x811c9dc5;
const HASH_PRIME = 0x01000193;
const WORD_MARK = 0x100;

export function shapeLines(text: Uint8Array, ends: Uint32Array): ShapedLines {
  const shaper = new LineShaper(text, ends);
  for (let line = 0; line < ends.length; line++) shaper.shape(line);
  return shaper;
}

class LineShaper implements ShapedLines {
  readonly shapeOf: Uint16Array;
  readonly firstMark: Uint32Array;
  readonly examples: number[] = [];
  marks: Uint32Array;
  readonly #text: Uint8Array;
  readonly #ends: Uint32Array;
  readonly #byHash = new Map<number, number[]>();
  /** The shapes of the last lines: most lines have one of them. */
  readonly #recent: number[] = [];
  #whole: number | undefined;
  #marked = 0;

  constructor(text: Uint8Array, ends: Uint32Array) {
    this.#text = text;
    this.#ends = ends;
    this.shapeOf = new Uint16Array(ends.length);
    this.firstMark = new Uint32Array(ends.length + 1);
    this.marks = new Uint32Array(Math.max(1024, ends.length * 16));
  }

  shape(line: number): void {
    const start = line === 0 ? 0 : (this.#ends[line - 1] ?? 0);
    const end = this.#ends[line] ?? 0;
    if (this.#marked + MAX_WORDS * 2 + 2 > this.marks.length) {
      const larger = new Uint32Array(this.marks.length * 2);
      larger.set(this.marks);
      this.marks = larger;
    }
    const shape = this.#recentShape(start, end) ?? this.#shapeByHash(line, start, end) ?? this.#wholeShape();
    this.shapeOf[line] = shape;
    this.firstMark[line + 1] = this.#marked;
  }

  #recentShape(start: number, end: number): number | undefined {
    const recent = this.#recent;
    for (let i = 0; i < recent.length; i++) {
      const shape = recent[i] ?? 0;
      if (!this.#fits(shape, start, end)) continue;
      if (i > 0) {
        recent.splice(i, 1);
        recent.unshift(shape);
      }
      return shape;
    }
    return undefined;
  }

  /** Whether the line has the texts of the shape with words between them; marks the words. */
  #fits(shape: number, start: number, end: number): boolean {
    const text = this.#text;
    const { marks } = this;
    const example = this.examples[shape] ?? 0;
    let model = example === 0 ? 0 : (this.#ends[example - 1] ?? 0);
    const modelEnd = this.#ends[example] ?? 0;
    let modelMark = this.firstMark[example] ?? 0;
    const lastMark = this.firstMark[example + 1] ?? 0;
    let at = start;
    let marked = this.#marked;
    for (;;) {
      const until = modelMark === lastMark ? modelEnd : (marks[modelMark] ?? 0);
      if (at + until - model > end) return false;
      for (; model < until; model++, at++) if (text[model] !== text[at]) return false;
      if (modelMark === lastMark) {
        if (at !== end) return false;
        this.#marked = marked;
        return true;
      }
      marks[marked] = at;
      while (at < end && CLASSES[text[at] ?? 0] !== BETWEEN) at++;
      marks[marked + 1] = at;
      marked += 2;
      model = marks[modelMark + 1] ?? 0;
      modelMark += 2;
    }
  }

  #shapeByHash(line: number, start: number, end: number): number | undefined {
    if (end - start > MAX_LINE_BYTES) return undefined;
    const first = this.#marked;
    const hash = this.#markWords(start, end);
    if (hash === undefined) return undefined;
    const candidates = this.#byHash.get(hash);
    const words = this.#marked;
    this.#marked = first;
    for (const candidate of candidates ?? [])
      if (this.#fits(candidate, start, end)) {
        this.#remember(candidate);
        return candidate;
      }
    if (this.examples.length >= MAX_SHAPES) return undefined;
    this.#marked = words;
    const shape = this.examples.length;
    this.examples.push(line);
    if (candidates) candidates.push(shape);
    else this.#byHash.set(hash, [shape]);
    this.#remember(shape);
    return shape;
  }

  #remember(shape: number): void {
    this.#recent.unshift(shape);
    if (this.#recent.length > RECENT_SHAPES) this.#recent.pop();
  }

  /** Marks the words with a digit and gives a hash of the rest; undefined where there are too many. */
  #markWords(start: number, end: number): number | undefined {
    const text = this.#text;
    const { marks } = this;
    let marked = this.#marked;
    const most = marked + MAX_WORDS * 2;
    let hash = HASH_SEED;
    let wordHash = hash;
    let wordStart = -1;
    let hasDigit = false;
    for (let at = start; at <= end; at++) {
      const byte = at === end ? 0 : (text[at] ?? 0);
      const kind = at === end ? BETWEEN : CLASSES[byte];
      if (kind === BETWEEN) {
        if (wordStart >= 0 && hasDigit) {
          if (marked === most) return undefined;
          marks[marked] = wordStart;
          marks[marked + 1] = at;
          marked += 2;
          hash = Math.imul(wordHash ^ WORD_MARK, HASH_PRIME);
        }
        wordStart = -1;
        hasDigit = false;
      } else {
        if (wordStart < 0) {
          wordStart = at;
          wordHash = hash;
        }
        if (kind === DIGIT) hasDigit = true;
      }
      hash = Math.imul(hash ^ byte, HASH_PRIME);
    }
    this.#marked = marked;
    return hash;
  }

  #wholeShape(): number {
    if (this.#whole === undefined) {
      this.#whole = this.examples.length;
      this.examples.push(WHOLE);
    }
    return this.#whole;
  }
}
