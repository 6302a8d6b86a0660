import type { IToken } from 'chevrotain';
import type { Position, ProblemList } from './problem.ts';
import * as t from './tokens.ts';

const CLOSES: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);
const CLOSERS = new Set(CLOSES.values());

/** Deeper files would overflow the stack of what reads them. */
const MAX_DEPTH = 200;

/** Groovy that a declarative file may not hold, and what to write in its place. */
const GROOVY: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  def: ['def is Groovy code', 'put values into environment { NAME = "…" }'],
  if: ['if is Groovy code', 'write when { … } in the stage, or test in sh'],
  else: ['else is Groovy code', 'write a second stage with when { not { … } }'],
  for: ['for is Groovy code', 'write matrix { axes { … } }, or loop in sh'],
  while: ['while is Groovy code', 'write retry(n) { … }, or loop in sh'],
  try: ['try is Groovy code', 'write catchError { … } or post { failure { … } }'],
  switch: ['switch is Groovy code', 'write stages with when { … }'],
  import: ['import is Groovy code', 'take it out: only the steps of the declarative syntax are known'],
  return: ['return is Groovy code', 'write error("…") to end the build, or when { … } to leave a stage out'],
};

/** Blocks whose content is Groovy: refused whatever stands in them. */
const GROOVY_BLOCKS: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  script: [
    'script blocks hold Groovy code, which is not run here',
    'write the steps straight into steps { … }, with when, matrix or sh for what needs logic',
  ],
  expression: [
    'expression conditions hold Groovy code, which is not run here',
    'write environment name: "NAME", value: "…", or branch "…"',
  ],
};

/**
 * Finds what the grammar could only call a wrong token: brackets without their other half, Groovy code. Where it finds
 * something the grammar need not be asked.
 */
export function prescan(tokens: readonly IToken[], problems: ProblemList): void {
  const open: { token: IToken; owner: string }[] = [];
  let refusedDepth: number | undefined;
  for (const [index, token] of tokens.entries()) {
    const at = positionOf(token);
    const before = previous(tokens, index);
    if (CLOSES.has(token.image) && isBracket(token)) {
      open.push({ token, owner: before?.image ?? '' });
      if (open.length > MAX_DEPTH) {
        problems.add(at, `more than ${MAX_DEPTH} blocks and brackets in one another`, 'nest less deeply');
        return;
      }
    } else if (CLOSERS.has(token.image) && isBracket(token)) {
      const last = open.pop();
      if (last === undefined) {
        problems.add(at, `${token.image} closes nothing`, 'take it out, or open the block that it closes');
        return;
      }
      const wanted = CLOSES.get(last.token.image);
      if (wanted !== token.image) {
        problems.add(
          at,
          `expected ${wanted} for the ${last.token.image} of line ${last.token.startLine}, got ${token.image}`,
          `write ${wanted}`,
        );
        return;
      }
      if (refusedDepth === open.length) refusedDepth = undefined;
    } else if (token.tokenType === t.Identifier && refusedDepth === undefined) {
      const next = following(tokens, index);
      const isStart =
        before === undefined || [t.Newline, t.Semicolon, t.LeftBrace, t.RightBrace].includes(before.tokenType);
      const block = GROOVY_BLOCKS[token.image];
      if (block && next?.tokenType === t.LeftBrace) {
        problems.add(at, ...block);
        refusedDepth = open.length;
      }
      const groovy = GROOVY[token.image];
      if (groovy && isStart && next?.tokenType !== t.Colon && next?.tokenType !== t.Assign) {
        problems.add(at, ...groovy);
        refusedDepth = Math.max(0, open.length - 1);
      }
    } else if (token.image === '@' && refusedDepth === undefined && open.length === 0) {
      problems.add(at, 'annotations such as @Library are Groovy code', 'take it out: shared libraries are not loaded');
      return;
    }
  }
  const last = open.at(-1);
  if (last) {
    const what = last.token.image === '{' && /^\w+$/.test(last.owner) ? ` of ${last.owner}` : '';
    problems.add(
      positionOf(last.token),
      `${last.token.image}${what} is never closed`,
      `add ${CLOSES.get(last.token.image)}`,
    );
  }
}

export function positionOf(token: IToken): Position {
  return { line: token.startLine ?? 1, column: token.startColumn ?? 1 };
}

function isBracket(token: IToken): boolean {
  return !t.STRING_TOKENS.has(token.tokenType);
}

function previous(tokens: readonly IToken[], index: number): IToken | undefined {
  return tokens[index - 1];
}

function following(tokens: readonly IToken[], index: number): IToken | undefined {
  let at = index + 1;
  while (tokens[at]?.tokenType === t.Newline) at++;
  return tokens[at];
}

/** Drops line ends that end nothing (inside () and [], after `{` and `,`, before `{`, doubled) and a list's last comma. */
export function significant(tokens: readonly IToken[]): IToken[] {
  const kept: IToken[] = [];
  const open: string[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.tokenType === t.Newline) {
      const last = kept.at(-1);
      const inner = open.at(-1);
      if (inner === '(' || inner === '[' || last === undefined) continue;
      if ([t.Newline, t.Semicolon, t.LeftBrace, t.Comma, t.Plus, t.Assign].includes(last.tokenType)) continue;
      if (following(tokens, index)?.tokenType === t.LeftBrace) continue;
    } else if (token.tokenType === t.Comma && following(tokens, index)?.tokenType === t.RightBracket) {
      continue;
    } else if (isBracket(token)) {
      if (CLOSES.has(token.image)) open.push(token.image);
      else if (CLOSERS.has(token.image)) open.pop();
    }
    kept.push(token);
  }
  return kept;
}
