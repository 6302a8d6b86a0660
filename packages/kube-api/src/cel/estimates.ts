/** Ranges of sizes and costs (cel-go `checker/cost.go`): unsigned 64-bit numbers that stop at the largest. */

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** `math.MaxUint64`, near enough: where it comes up, all that is said is that something is far too much. */
export const LARGEST = 2 ** 64;

export const UNKNOWN: Range = { min: 0, max: LARGEST };
export const NOTHING: Range = { min: 0, max: 0 };

const capped = (value: number): number => Math.min(value, LARGEST);

export function fixed(value: number): Range {
  return { min: value, max: value };
}

export function plus(...ranges: readonly Range[]): Range {
  return {
    min: capped(ranges.reduce((sum, { min }) => sum + min, 0)),
    max: capped(ranges.reduce((sum, { max }) => sum + max, 0)),
  };
}

export function times(left: Range, right: Range): Range {
  return { min: capped(left.min * right.min), max: capped(left.max * right.max) };
}

/** Rounded up, as `MultiplyByCostFactor` does. */
export function scaled({ min, max }: Range, factor: number): Range {
  return { min: capped(Math.ceil(min * factor)), max: capped(Math.ceil(max * factor)) };
}

export function union(left: Range, right: Range): Range {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}

/** Of the keys (or indices) and values of a list or map that an expression makes. */
export interface EntrySizes {
  readonly isList: boolean;
  readonly key: Range;
  readonly value: Range;
}

export function unionOfEntries(left: EntrySizes | undefined, right: EntrySizes | undefined): EntrySizes | undefined {
  if (left === undefined || right === undefined) return undefined;
  return { isList: left.isList, key: union(left.key, right.key), value: union(left.value, right.value) };
}
