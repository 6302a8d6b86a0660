import type { LogSelection } from '@kind-e2e/telemetry';
import type { LogsFile } from './file.ts';
import { WantedText } from './gram-filter.ts';
import { WantedWords } from './word-filter.ts';

/** A string that lines must have, for the text and for both kinds of filters. */
interface Wanted {
  readonly bytes: Uint8Array;
  readonly text: WantedText;
  readonly words: WantedWords;
}

/** What a reader wants of a chunk, and what becomes of what cannot be read. */
export class WantedLines {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly #contains: readonly Wanted[];
  readonly #file: LogsFile;
  readonly #damaged: (error: unknown) => void;

  private constructor(
    startNs: bigint,
    endNs: bigint,
    contains: readonly Wanted[],
    file: LogsFile,
    damaged: (error: unknown) => void,
  ) {
    this.startNs = startNs;
    this.endNs = endNs;
    this.#contains = contains;
    this.#file = file;
    this.#damaged = damaged;
  }

  static of(
    { startNs, endNs, contains = [] }: Pick<LogSelection, 'startNs' | 'endNs' | 'contains'>,
    file: LogsFile,
    damaged: (error: unknown) => void,
  ): WantedLines {
    const wanted = contains.map((bytes) => ({ bytes, text: new WantedText(bytes), words: new WantedWords(bytes) }));
    return new WantedLines(startNs, endNs, wanted, file, damaged);
  }

  /** The same of a part of the range. */
  between(startNs: bigint, endNs: bigint): WantedLines {
    return new WantedLines(startNs, endNs, this.#contains, this.#file, this.#damaged);
  }

  /** False where the filter of a chunk that is kept by shapes says that no line has a wanted string. */
  mayBeIn(chunk: number): boolean {
    const filter = this.#contains.length > 0 ? this.#file.wordFilter(chunk) : undefined;
    return !filter || this.#contains.every(({ words }) => words.mayBeIn(filter));
  }

  /** The same of a chunk of an earlier version. */
  mayBeInText(chunk: number): boolean {
    const filter = this.#contains.length > 0 ? this.#file.gramFilter(chunk) : undefined;
    return !filter || this.#contains.every(({ text }) => text.mayBeIn(filter));
  }

  /** Whether all wanted strings are somewhere in the text. */
  areIn(text: Buffer): boolean {
    return this.#contains.every(({ bytes }) => text.indexOf(bytes) >= 0);
  }

  unlessDamaged<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#damaged(error);
      return undefined;
    }
  }
}
