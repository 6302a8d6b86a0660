import { type ByteAutomaton, DEAD } from '@kind-e2e/telemetry';
import { type ByteSet, bytesOf } from './shape-index.ts';

const known = new WeakMap<ByteAutomaton, AutomatonTables>();

/** What follows from an automaton and is used for many chunks. */
export class AutomatonTables {
  readonly #automaton: ByteAutomaton;
  readonly #settled = new Map<string, Uint8Array>();
  #pairs: Uint16Array | undefined;

  private constructor(automaton: ByteAutomaton) {
    this.#automaton = automaton;
  }

  static of(automaton: ByteAutomaton): AutomatonTables {
    let tables = known.get(automaton);
    if (tables === undefined) {
      tables = new AutomatonTables(automaton);
      known.set(automaton, tables);
    }
    return tables;
  }

  /** 1 for each state that words of these bytes cannot lead out of. */
  settled(set: ByteSet): Uint8Array {
    const key = Buffer.from(set.buffer, set.byteOffset, set.length).toString('latin1');
    let settled = this.#settled.get(key);
    if (settled === undefined) {
      const { next, acceptsAtEnd } = this.#automaton;
      const bytes = bytesOf(set);
      settled = Uint8Array.from(acceptsAtEnd, (_accepts, state) =>
        bytes.every((byte) => next[(state << 8) | byte] === state) ? 1 : 0,
      );
      this.#settled.set(key, settled);
    }
    return settled;
  }

  /** The automaton over bytes that stand for two hexadecimal digits each. */
  pairs(): Uint16Array {
    if (this.#pairs === undefined) {
      const { next } = this.#automaton;
      const digits = Buffer.from('0123456789abcdef');
      this.#pairs = Uint16Array.from(next, (_to, at) => {
        const middle = next[(at & ~0xff) | (digits[(at >>> 4) & 15] ?? 0)] ?? DEAD;
        return next[(middle << 8) | (digits[at & 15] ?? 0)] ?? DEAD;
      });
    }
    return this.#pairs;
  }
}
