const NEEDS_WORK = /%|\\|\/\.|\/\//;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/**
 * Istio's default path normalisation, BASE: RFC 3986 dot segments and unreserved escapes, `\` as `/`. Without it a path
 * could slip past a policy that is written for its normal form. Undefined: the path climbs above the root or hides one.
 */
export function normalizePath(whole: string): string | undefined {
  if (whole.includes('#')) return undefined;
  const question = whole.indexOf('?');
  const path = question < 0 ? whole : whole.slice(0, question);
  if (!NEEDS_WORK.test(path)) return whole;
  const query = question < 0 ? '' : whole.slice(question);
  const plain = path.replaceAll('\\', '/').replace(/%([0-9a-fA-F]{2})/g, (sequence, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(char) ? char : sequence.toUpperCase();
  });
  if (/%00/.test(plain)) return undefined;
  if (!/\/\.{1,2}(?:\/|$)/.test(plain)) return plain + query;
  const out: string[] = [];
  const segments = plain.split('/');
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] as string;
    const last = i === segments.length - 1;
    if (segment === '.') {
      if (last) out.push('');
    } else if (segment === '..') {
      if (out.length === 0) return undefined;
      out.pop();
      if (last) out.push('');
    } else out.push(segment);
  }
  return `/${out.join('/')}${query}`;
}
