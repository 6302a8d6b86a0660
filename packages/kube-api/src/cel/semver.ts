/** Versions as Kubernetes' CEL reads them (semver.org 2.0.0). */
export interface Semver {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly pre: readonly string[];
}

const STRICT = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/** `normalize` takes a `v` in front, one or two numbers and zeros in front. Gives the problem of what is no version. */
export function parseSemver(source: string, normalize: boolean): Semver | string {
  let text = source;
  if (normalize) {
    const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/.exec(text);
    if (match)
      text =
        [match[1], match[2] ?? '0', match[3] ?? '0'].map((part) => BigInt(part ?? '0')).join('.') + (match[4] ?? '');
  }
  const match = STRICT.exec(text);
  if (!match)
    return text.split('.').length < 3
      ? 'No Major.Minor.Patch elements found'
      : `Invalid character(s) found in version ${JSON.stringify(source)}`;
  return {
    major: BigInt(match[1] ?? '0'),
    minor: BigInt(match[2] ?? '0'),
    patch: BigInt(match[3] ?? '0'),
    pre: match[4] === undefined ? [] : match[4].split('.'),
  };
}

export function isSemver(source: string, normalize: boolean): boolean {
  return typeof parseSemver(source, normalize) !== 'string';
}

export function compareSemver(left: Semver, right: Semver): number {
  for (const part of ['major', 'minor', 'patch'] as const)
    if (left[part] !== right[part]) return left[part] < right[part] ? -1 : 1;
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  for (const [index, one] of left.pre.entries()) {
    const other = right.pre[index];
    if (other === undefined) return 1;
    if (one === other) continue;
    const numbers = [one, other].map((part) => /^\d+$/.test(part));
    if (numbers[0] && numbers[1]) return BigInt(one) < BigInt(other) ? -1 : 1;
    if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return left.pre.length - right.pre.length;
}
