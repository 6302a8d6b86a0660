import type { Position } from './ast.ts';

const encoder = new TextEncoder();

/** `line:column` from 1, the column in bytes, as Prometheus' posrange.StartPosInput counts. */
export function describePosition(query: string, start: number): string {
  if (start > query.length) return 'invalid position';
  const before = query.slice(0, start);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return `${line}:${encoder.encode(before.slice(lineStart)).length + 1}`;
}

/** A query that does not parse or does not type; the message has the form `1:5: parse error: …`. */
export class PromqlSyntaxError extends Error {
  override readonly name = 'PromqlSyntaxError';
  /** The message without its position. */
  readonly reason: string;
  readonly position: Position | undefined;

  constructor(reason: string, query: string, position: Position | undefined) {
    const where = position === undefined ? 'unknown position' : describePosition(query, position.start);
    super(`${where}: parse error: ${reason}`);
    this.reason = reason;
    this.position = position;
  }
}
