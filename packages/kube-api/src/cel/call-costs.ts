/** What calls cost at worst (`apiserver/pkg/cel/library/cost.go`, cel-go `checker/cost.go`, `ext/sets.go`). */
import type { Overload } from './declarations.ts';
import { type EntrySizes, fixed, LARGEST, plus, type Range, scaled, times, UNKNOWN, union } from './estimates.ts';
import type { CelType } from './types.ts';

const TRAVERSAL = 0.1;
const REGEX_LENGTH = 0.25;
/** `MaxNameFormatRegexSize` */
const FORMAT_REGEX = 128;
const ONE = fixed(1);

/** One argument, or what a member function is called on. */
export interface Argument {
  readonly type: CelType;
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
  readonly literal: unknown;
  /** Of the items, where it is a list. */
  itemSize(): Range;
}

export interface CallCost {
  readonly cost: Range;
  readonly size?: Range;
  /** The cost holds that of the arguments already. */
  readonly withArguments?: boolean;
}

const sizeOf = (argument: Argument | undefined): Range => argument?.size ?? UNKNOWN;
const traversal = (argument: Argument | undefined): Range => scaled(sizeOf(argument), TRAVERSAL);

/** `CostEstimator.EstimateCallCost`; undefined where Kubernetes leaves it to CEL. */
export function libraryCost(
  name: string,
  overload: Overload,
  target: Argument | undefined,
  args: readonly Argument[],
): CallCost | undefined {
  const [first] = args;
  switch (name) {
    case 'isSorted':
    case 'sum':
    case 'max':
    case 'min':
    case 'indexOf':
    case 'lastIndexOf':
      return target && { cost: scanCost(target) };
    case 'url':
    case 'jsonpatch.escapeKey':
      return { cost: traversal(first), size: sizeOf(first) };
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
      return target && { cost: traversal(target), size: sizeOf(target) };
    case 'replace':
      return target && { cost: scaled(sizeOf(target), 2 * TRAVERSAL), size: replacedSize(target, args) };
    case 'split': {
      const count = args[1]?.literal;
      const max = typeof count === 'bigint' ? (count < 0n ? LARGEST : Number(count)) : sizeOf(target).max;
      return target && { cost: scaled(sizeOf(target), 2 * TRAVERSAL), size: { min: 0, max } };
    }
    case 'join':
      return target && joinCost(target, first);
    case 'find':
    case 'findAll':
      return target && { cost: regexCost(target, first), size: { min: 0, max: sizeOf(target).max } };
    case 'ip':
      return target && { cost: ONE };
    case 'masked':
    case 'prefixLength':
    case 'family':
    case 'isUnspecified':
    case 'isLoopback':
    case 'isLinkLocalMulticast':
    case 'isLinkLocalUnicast':
    case 'isGlobalUnicast':
      return { cost: ONE };
    case 'containsIP':
    case 'containsCIDR':
      return { cost: addressCost(name, overload, first) };
    case 'validate':
      return { cost: scaled(traversal(first), FORMAT_REGEX * REGEX_LENGTH) };
    case '_==_':
      return equalityCost(args);
    case 'sets.contains':
    case 'sets.intersects':
    case 'sets.equivalent':
      return {
        cost: plus(scaled(times(sizeOf(first), sizeOf(args[1])), name === 'sets.equivalent' ? 2 : 1), ONE),
      };
  }
  return undefined;
}

function scanCost(target: Argument): Range {
  const [element] = target.type.params;
  if (element === undefined) return traversal(target);
  const isText = element.kind === 'string' || element.kind === 'bytes';
  return times(sizeOf(target), isText ? plus(ONE, scaled(target.itemSize(), TRAVERSAL)) : ONE);
}

function replacedSize(target: Argument, [what, by]: readonly Argument[]): Range {
  const size = sizeOf(target);
  const old = sizeOf(what);
  const next = sizeOf(by);
  let most = { count: 0, kept: 0 };
  if (old.min === 0) most = { count: size.max + 1, kept: size.max };
  else if (next.max <= old.min) most = { count: 0, kept: size.max };
  else most = { count: Math.ceil(size.max / old.min), kept: 0 };
  let least = { count: 0, kept: 0 };
  if (old.max === 0) least = { count: size.min + 1, kept: size.min };
  else if (old.max <= next.min) least = { count: 0, kept: size.min };
  else least = { count: Math.ceil(size.min / old.max), kept: 0 };
  return plus(times({ min: least.count, max: most.count }, next), { min: least.kept, max: most.kept });
}

function joinCost(target: Argument, separator: Argument | undefined): CallCost {
  const list = sizeOf(target);
  let size = times(list, target.itemSize());
  if (separator !== undefined) {
    const between = { min: Math.max(list.min - 1, 0), max: Math.max(list.max - 1, 0) };
    size = plus(size, times(sizeOf(separator), between));
  }
  return { cost: scaled(size, TRAVERSAL), size };
}

function regexCost(text: Argument | undefined, pattern: Argument | undefined): Range {
  return times(scaled(plus(sizeOf(text), ONE), TRAVERSAL), scaled(sizeOf(pattern), REGEX_LENGTH));
}

function addressCost(name: string, overload: Overload, given: Argument | undefined): Range {
  const bytes: Range = { min: 4, max: 16 };
  const parts = [scaled(plus(bytes, bytes), TRAVERSAL)];
  if (name === 'containsCIDR') parts.push(scaled(bytes, TRAVERSAL), ONE);
  if (overload.args[0]?.kind === 'string') parts.push(traversal(given));
  return plus(...parts);
}

function equalityCost([left, right]: readonly Argument[]): CallCost | undefined {
  const kind = left?.type.kind ?? '';
  if (!kind.startsWith('kubernetes.') || kind !== right?.type.kind) return undefined;
  if (kind === 'kubernetes.URL') {
    const size = right.size === undefined ? 1 : right.size.max;
    return { cost: scaled({ min: 1, max: size }, TRAVERSAL) };
  }
  return { cost: kind === 'kubernetes.NamedFormat' ? scaled({ min: 1, max: 64 }, TRAVERSAL) : ONE };
}

const ORDER = new Set(['_<_', '_>_', '_<=_', '_>=_']);

/** `coster.functionCost` after the estimator's own. */
export function builtinCost(
  name: string,
  overload: Overload | undefined,
  target: Argument | undefined,
  args: readonly Argument[],
  costs: readonly Range[],
): CallCost {
  const [first, second] = args;
  const kind = overload?.args[0]?.kind;
  switch (name) {
    case 'format':
      if (target) return { cost: traversal(target) };
      break;
    case 'bytes':
      if (kind === 'string')
        return { cost: traversal(first), size: { min: sizeOf(first).min, max: capped(sizeOf(first).max * 4) } };
      break;
    case 'string':
      if (kind === 'bytes')
        return { cost: traversal(first), size: { min: Math.floor(sizeOf(first).min / 4), max: sizeOf(first).max } };
      break;
    case 'strings.quote':
      return {
        cost: traversal(first),
        size: { min: sizeOf(first).min + 2, max: capped(sizeOf(first).max * 2 + 2) },
      };
    case 'startsWith':
    case 'endsWith':
      return { cost: traversal(first) };
    case '@in':
      if (overload?.args[1]?.kind === 'list') return { cost: scaled(sizeOf(second), 1) };
      break;
    case 'matches':
      // The function `matches(a, b)` is not counted as one that is called on a string.
      if (target) return { cost: regexCost(target, first) };
      break;
    case 'contains':
      return { cost: times(traversal(target), traversal(first)) };
    case '_&&_':
    case '_||_':
      return { cost: { min: costs[0]?.min ?? 0, max: plus(...costs).max }, withArguments: true };
    case '_?_:_': {
      const [condition = fixed(0), yes = fixed(0), no = fixed(0)] = costs;
      return {
        cost: plus(condition, union(yes, no)),
        size: union(sizeOf(second), sizeOf(args[2])),
        withArguments: true,
      };
    }
    case '_+_': {
      if (kind !== 'string' && kind !== 'bytes' && kind !== 'list') break;
      const size = plus(sizeOf(first), sizeOf(second));
      return { cost: kind === 'list' ? ONE : scaled(size, TRAVERSAL), size };
    }
    case '_==_':
    case '_!=_':
      return { cost: comparison(first, second) };
  }
  if (ORDER.has(name) && (kind === 'string' || kind === 'bytes')) return { cost: comparison(first, second) };
  return { cost: ONE };
}

function comparison(left: Argument | undefined, right: Argument | undefined): Range {
  const max = Math.min(sizeOf(left).max, sizeOf(right).max);
  return scaled({ min: max > 0 ? 1 : 0, max }, TRAVERSAL);
}

function capped(value: number): number {
  return Math.min(value, LARGEST);
}
