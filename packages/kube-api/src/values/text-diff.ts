/** Unified diffs of two texts with three lines around each change (apimachinery `util/diff`), without file names. */
const CONTEXT = 3;

interface Edit {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/** Longest common subsequence over what differs; both texts are a few hundred lines. */
function edits(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end += 1;
  const left = before.slice(start, before.length - end);
  const right = after.slice(start, after.length - end);
  const table: number[][] = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--) {
      const row = table[i];
      const next = table[i + 1];
      if (row === undefined || next === undefined) continue;
      row[j] = left[i] === right[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
    }
  const out: Edit[] = before.slice(0, start).map((line) => ({ sign: ' ', line }));
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      out.push({ sign: ' ', line: left[i] ?? '' });
      i += 1;
      j += 1;
    } else if (i < left.length && (j >= right.length || (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))) {
      out.push({ sign: '-', line: left[i] ?? '' });
      i += 1;
    } else {
      out.push({ sign: '+', line: right[j] ?? '' });
      j += 1;
    }
  }
  for (const line of before.slice(before.length - end)) out.push({ sign: ' ', line });
  return out;
}

/** `@@ -1,3 +1,4 @@` hunks; '' for equal texts. */
export function unifiedDiff(before: string, after: string): string {
  const all = edits(before.split('\n'), after.split('\n'));
  let out = '';
  let at = 0;
  while (at < all.length) {
    while (at < all.length && all[at]?.sign === ' ') at += 1;
    if (at >= all.length) break;
    const from = Math.max(0, at - CONTEXT);
    let to = at;
    let quiet = 0;
    while (to < all.length && quiet <= 2 * CONTEXT) {
      quiet = all[to]?.sign === ' ' ? quiet + 1 : 0;
      to += 1;
    }
    to = Math.min(all.length, to - Math.max(0, quiet - CONTEXT));
    const hunk = all.slice(from, to);
    const leftStart = all.slice(0, from).filter((edit) => edit.sign !== '+').length + 1;
    const rightStart = all.slice(0, from).filter((edit) => edit.sign !== '-').length + 1;
    const leftCount = hunk.filter((edit) => edit.sign !== '+').length;
    const rightCount = hunk.filter((edit) => edit.sign !== '-').length;
    out += `@@ -${leftStart},${leftCount} +${rightStart},${rightCount} @@\n`;
    for (const edit of hunk) out += `${edit.sign}${edit.line}\n`;
    at = to;
  }
  return out;
}
