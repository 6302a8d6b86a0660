export interface NumberToken {
  readonly kind: 'number' | 'duration' | 'error';
  /** Where the lexer stands after it; of an error, what it had read until then. */
  readonly end: number;
}

const DECIMAL = '0123456789';
const HEXADECIMAL = `${DECIMAL}abcdefABCDEF`;

/**
 * Reads the number or duration that begins at a place, as `lexNumberOrDuration` and `scanNumber` of Prometheus'
 * promql/parser/lex.go do: how far they come decides what their errors show.
 */
export function readNumberOrDuration(query: string, start: number): NumberToken {
  let at = start;
  const is = (set: string): boolean => at < query.length && set.includes(query.charAt(at));
  const accept = (set: string): boolean => {
    if (!is(set)) return false;
    at += 1;
    return true;
  };
  const acceptAll = (set: string): void => {
    while (accept(set));
  };
  const isWord = (): boolean => at < query.length && /\w/.test(query.charAt(at));

  const scanNumber = (): boolean => {
    let digits = DECIMAL;
    if (accept('0') && accept('xX')) {
      accept('_');
      digits = HEXADECIMAL;
    }
    accept('.');
    accept(digits);
    let point = false;
    let exponent = false;
    while (is(`${digits}._eE`)) {
      if (is('.')) {
        at += 1;
        if (point || accept('_.') || digits === HEXADECIMAL) return false;
        point = true;
      } else if (is('eE')) {
        at += 1;
        if (exponent) return false;
        exponent = true;
        accept('+-');
        if (accept('._eE') || at >= query.length) return false;
      } else if (accept('_')) {
        if (accept('._eE') || at >= query.length) return false;
      } else acceptAll(digits);
    }
    return at > start && !isWord();
  };

  const acceptDuration = (): boolean => {
    if (!accept('smhdwy')) return false;
    accept('s');
    while (accept(DECIMAL)) {
      acceptAll(DECIMAL);
      if (!accept('smhdw')) return false;
      accept('s');
    }
    if (!isWord()) return true;
    at += 1;
    return false;
  };

  if (scanNumber()) return { kind: 'number', end: at };
  return { kind: acceptDuration() ? 'duration' : 'error', end: at };
}
