export interface Candidate {
  group: string;
  label: string;
  detail?: string;
}

/** A trace id in what was typed or pasted: 16 or 32 hexadecimal digits, also inside a log line. */
export function traceIdIn(text: string): string | undefined {
  return (/\b([0-9a-f]{32})\b/i.exec(text) ?? /\b([0-9a-f]{16})\b/i.exec(text))?.[1]?.toLowerCase();
}

function score(label: string, words: readonly string[]): number {
  const lower = label.toLowerCase();
  let total = 0;
  for (const word of words) {
    const at = lower.indexOf(word);
    if (at < 0) return -1;
    total += at === 0 ? 3 : /[\s\-./:]/.test(lower[at - 1] ?? '') ? 2 : 1;
  }
  return total;
}

/** Those that hold every word typed, best first; groups stay together in the order of their best entry. */
export function rankCandidates<T extends Candidate>(candidates: readonly T[], text: string): T[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...candidates];
  const scored = candidates
    .map((candidate) => ({ candidate, value: score(`${candidate.label} ${candidate.detail ?? ''}`, words) }))
    .filter((entry) => entry.value >= 0)
    .sort((a, b) => b.value - a.value);
  const groups = [...new Set(scored.map((entry) => entry.candidate.group))];
  return groups.flatMap((group) =>
    scored.filter((entry) => entry.candidate.group === group).map((entry) => entry.candidate),
  );
}
