import type { LogExpr, Stage, Unwrap } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseSelector, parseStages, parseUnwrap } from './parse-pipeline.ts';

/** What a range aggregation counts: lines, perhaps their unwrapped label, over a range. */
export interface LogRange {
  readonly log: LogExpr;
  readonly unwrap: Unwrap | undefined;
  readonly rangeNs: bigint;
  readonly offsetNs: bigint;
}

interface Parts {
  matchers: LogExpr['matchers'];
  stages: Stage[];
  unwrap: Unwrap | undefined;
}

/**
 * The range stands after the selector, its stages or its unwrap, or before them; parentheses may be around what comes
 * before the range, or around the whole (logRangeExpr of pkg/logql/syntax/syntax.y).
 */
export function parseLogRange(cursor: Cursor, expecting: string): LogRange {
  return cursor.nested(() => {
    if (cursor.is('{')) return parseTail(cursor, parseParts(cursor), false);
    if (!cursor.accept('(')) cursor.unexpected(expecting);
    if (!cursor.is('{')) {
      const inner = parseLogRange(cursor, '{ or (');
      cursor.expect(')', ')');
      return inner;
    }
    const parts = parseParts(cursor);
    if (cursor.isKind('RANGE')) {
      const inner = parseTail(cursor, parts, false);
      cursor.expect(')', ')');
      return inner;
    }
    cursor.expect(')', parts.unwrap === undefined ? '' : 'RANGE or ) or |');
    if (!cursor.isKind('RANGE')) cursor.unexpected('RANGE');
    return parseTail(cursor, parts, true);
  });
}

function parseParts(cursor: Cursor): Parts {
  const matchers = parseSelector(cursor);
  const stages = parseStages(cursor, true);
  return { matchers, stages, unwrap: cursor.is('|') ? parseUnwrap(cursor) : undefined };
}

function parseTail(cursor: Cursor, parts: Parts, enclosed: boolean): LogRange {
  const { matchers, stages } = parts;
  if (!cursor.isKind('RANGE')) cursor.unexpected(parts.unwrap === undefined ? '' : 'RANGE or |');
  const rangeNs = cursor.take().amount ?? 0n;
  const offsetNs = cursor.accept('offset') ? (cursor.expectKind('DURATION', 'DURATION').amount ?? 0n) : 0n;
  const isBare = stages.length === 0 && parts.unwrap === undefined;
  let { unwrap } = parts;
  if (isBare && !enclosed) stages.push(...parseStages(cursor, true));
  if (isBare && cursor.is('|')) {
    if (!cursor.is('unwrap', 1)) {
      cursor.take();
      cursor.unexpected('unwrap');
    }
    unwrap = parseUnwrap(cursor);
  }
  return { log: { kind: 'log', matchers, stages }, unwrap, rangeNs, offsetNs };
}
