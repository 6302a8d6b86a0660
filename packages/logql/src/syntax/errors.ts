import { LogqlError } from '../results.ts';

/** `parse error at line 1, col 9: …` of Loki (logqlmodel.ParseError); without a place `parse error : …`. */
export class LogqlSyntaxError extends LogqlError {
  readonly reason: string;

  constructor(reason: string, place?: { readonly line: number; readonly column: number }) {
    super(
      'bad_request',
      place === undefined
        ? `parse error : ${reason}`
        : `parse error at line ${place.line}, col ${place.column}: ${reason}`,
    );
    this.reason = reason;
  }
}

export function placeOf(query: string, at: number): { readonly line: number; readonly column: number } {
  const before = query.slice(0, at);
  const lastLine = before.slice(before.lastIndexOf('\n') + 1);
  return { line: before.split('\n').length, column: [...lastLine].length + 1 };
}
