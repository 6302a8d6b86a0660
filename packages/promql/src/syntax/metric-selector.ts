import type { VectorSelector } from './ast.ts';
import { PromqlSyntaxError } from './errors.ts';
import { parseExpr } from './parse.ts';
import { describeToken, tokenize } from './tokens.ts';

/** What a metric's name may be outside of braces. */
const NAME_KINDS: ReadonlySet<string> = new Set([
  'identifier',
  'metric identifier',
  'aggregator',
  'keyword',
  'boundary',
]);

/**
 * A series selector alone, as `match[]` of the API takes it (promql/parser, ParseMetricSelector): one that matches
 * everything is allowed. Throws PromqlSyntaxError.
 */
export function parseMetricSelector(text: string): VectorSelector {
  const tokens = tokenize(text);
  let at = 0;
  const fail = (): never => {
    const token = tokens[at] ?? tokens.at(-1);
    if (token === undefined || text.trim() === '')
      throw new PromqlSyntaxError('unexpected end of input', text, undefined);
    throw new PromqlSyntaxError(
      token.kind === 'error' ? token.text : `unexpected ${describeToken(token)}`,
      text,
      token,
    );
  };
  if (NAME_KINDS.has(tokens[at]?.kind ?? '')) at++;
  else if (tokens[at]?.text !== '{' || tokens[at]?.kind !== 'punctuation') fail();
  if (tokens[at]?.text === '{' && tokens[at]?.kind === 'punctuation')
    while (at < tokens.length && !(tokens[at++]?.text === '}' && tokens[at - 1]?.kind === 'punctuation'));
  const end = tokens[at - 1]?.end ?? text.length;
  // Braces of which every matcher takes '' are no expression, so that a name makes it one, and is then taken off.
  const selector = text.slice(0, end);
  const parsed = parseBare(selector, text);
  if (tokens[at]?.kind !== 'end of input') fail();
  return parsed;
}

function parseBare(selector: string, text: string): VectorSelector {
  if (selector.trimStart().startsWith('{')) {
    const brace = selector.indexOf('{');
    const named = `${selector.slice(0, brace)}x${selector.slice(brace)}`;
    try {
      const expr = parseExpr(named);
      if (expr.kind === 'vector-selector')
        return { ...expr, name: '', matchers: expr.matchers.slice(0, -1), end: expr.end - 1 };
    } catch (error) {
      if (!(error instanceof PromqlSyntaxError)) throw error;
      // The name makes no difference to other mistakes than a second name, which are found again with their positions.
    }
  }
  const expr = parseExpr(selector);
  if (expr.kind !== 'vector-selector')
    throw new PromqlSyntaxError('unexpected end of input', text, { start: selector.length, end: selector.length });
  return expr;
}
