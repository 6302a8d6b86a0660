import type { StreamResult } from '@kind-e2e/logql';

const MAX_PATTERNS = 300;
const MAX_TOKENS = 80;

/**
 * Lines by their shape: what varies (numbers, ids, quoted texts) becomes `<_>`, after which lines that differ in few
 * words are one pattern; the idea is that of Loki's pattern ingester (Drain), the answer's form is Loki's.
 */
export function findPatterns(
  streams: readonly StreamResult[],
  stepSeconds: number,
): { pattern: string; samples: [number, number][] }[] {
  const clusters = new Map<string, { tokens: string[]; counts: Map<number, number> }[]>();
  for (const { entries } of streams)
    for (const { line, timestampNs } of entries) {
      const tokens = tokensOf(line);
      const key = `${tokens.length}\0${tokens[0] ?? ''}`;
      const time = Math.floor(Number(timestampNs / 1_000_000_000n) / stepSeconds) * stepSeconds;
      const group = clusters.get(key) ?? [];
      clusters.set(key, group);
      let cluster = group.find((candidate) => isSimilar(candidate.tokens, tokens));
      if (cluster) cluster.tokens = cluster.tokens.map((token, i) => (token === tokens[i] ? token : '<_>'));
      else {
        cluster = { tokens, counts: new Map() };
        group.push(cluster);
      }
      cluster.counts.set(time, (cluster.counts.get(time) ?? 0) + 1);
    }
  return [...clusters.values()]
    .flat()
    .map(({ tokens, counts }) => ({
      pattern: tokens.join(' ').replace(/<_>(?: <_>)+/g, '<_>'),
      samples: [...counts].sort((a, b) => a[0] - b[0]),
    }))
    .sort((a, b) => total(b.samples) - total(a.samples))
    .slice(0, MAX_PATTERNS);
}

function total(samples: readonly (readonly [number, number])[]): number {
  return samples.reduce((sum, [, count]) => sum + count, 0);
}

function tokensOf(line: string): string[] {
  return line
    .slice(0, 4096)
    .replace(/"(?:[^"\\]|\\.)*"/g, '"<_>"')
    .split(/\s+/, MAX_TOKENS)
    .map((token) => (/\d/.test(token) ? token.replace(/[0-9a-fA-F-]*\d[0-9a-zA-Z.:,_-]*/g, '<_>') : token));
}

function isSimilar(a: readonly string[], b: readonly string[]): boolean {
  let same = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i] || a[i] === '<_>') same++;
  return same / Math.max(1, a.length) >= 0.6;
}
