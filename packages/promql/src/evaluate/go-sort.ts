/**
 * Go's sort.Sort (pattern-defeating quicksort; sort/zsortinterface.go), which is not stable: where series have equal
 * values, their order in an answer of `sort` or `topk` is this algorithm's doing. After Orson Peters' pdqsort, with Go's
 * choices of pivots and thresholds. It is right for comparisons that contradict themselves, as those with NaN do.
 */
export function goSort<T>(items: T[], less: (a: T, b: T) => boolean): void {
  new PatternDefeatingSort(items, less).sort();
}

const INSERTION_LENGTH = 12;
const SHORTEST_NINTHER = 50;
const MAX_SWAPS = 4 * 3;

type Hint = 'unknown' | 'increasing' | 'decreasing';

class PatternDefeatingSort<T> {
  readonly #items: T[];
  readonly #less: (a: T, b: T) => boolean;
  #swapsOfPivot = 0;

  constructor(items: T[], less: (a: T, b: T) => boolean) {
    this.#items = items;
    this.#less = less;
  }

  sort(): void {
    const n = this.#items.length;
    this.#quick(0, n, n === 0 ? 0 : Math.floor(Math.log2(n)) + 1);
  }

  #isLess(a: number, b: number): boolean {
    return this.#less(this.#items[a] as T, this.#items[b] as T);
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    const kept = items[a] as T;
    items[a] = items[b] as T;
    items[b] = kept;
  }

  #quick(from: number, to: number, badPartitions: number): void {
    let a = from;
    let b = to;
    let limit = badPartitions;
    let wasBalanced = true;
    let wasPartitioned = true;
    for (;;) {
      const length = b - a;
      if (length <= INSERTION_LENGTH) {
        this.#insertion(a, b);
        return;
      }
      if (limit === 0) {
        this.#heap(a, b);
        return;
      }
      if (!wasBalanced) {
        this.#breakPatterns(a, b);
        limit--;
      }
      let [pivot, hint] = this.#choosePivot(a, b);
      if (hint === 'decreasing') {
        this.#reverse(a, b);
        pivot = b - 1 - (pivot - a);
        hint = 'increasing';
      }
      if (wasBalanced && wasPartitioned && hint === 'increasing' && this.#partialInsertion(a, b)) return;
      if (a > 0 && !this.#isLess(a - 1, pivot)) {
        a = this.#partitionEqual(a, b, pivot);
        continue;
      }
      const [middle, alreadyPartitioned] = this.#partition(a, b, pivot);
      wasPartitioned = alreadyPartitioned;
      const left = middle - a;
      const right = b - middle;
      const balance = Math.floor(length / 8);
      if (left < right) {
        wasBalanced = left >= balance;
        this.#quick(a, middle, limit);
        a = middle + 1;
      } else {
        wasBalanced = right >= balance;
        this.#quick(middle + 1, b, limit);
        b = middle;
      }
    }
  }

  #insertion(a: number, b: number): void {
    for (let i = a + 1; i < b; i++) for (let j = i; j > a && this.#isLess(j, j - 1); j--) this.#swap(j, j - 1);
  }

  #heap(a: number, b: number): void {
    const length = b - a;
    for (let i = Math.floor((length - 1) / 2); i >= 0; i--) this.#siftDown(i, length, a);
    for (let i = length - 1; i >= 0; i--) {
      this.#swap(a, a + i);
      this.#siftDown(0, i, a);
    }
  }

  #siftDown(low: number, high: number, first: number): void {
    for (let root = low; ; ) {
      let child = 2 * root + 1;
      if (child >= high) return;
      if (child + 1 < high && this.#isLess(first + child, first + child + 1)) child++;
      if (!this.#isLess(first + root, first + child)) return;
      this.#swap(first + root, first + child);
      root = child;
    }
  }

  #partition(a: number, b: number, pivot: number): [middle: number, alreadyPartitioned: boolean] {
    this.#swap(a, pivot);
    let i = a + 1;
    let j = b - 1;
    while (i <= j && this.#isLess(i, a)) i++;
    while (i <= j && !this.#isLess(j, a)) j--;
    if (i > j) {
      this.#swap(j, a);
      return [j, true];
    }
    this.#swap(i++, j--);
    for (;;) {
      while (i <= j && this.#isLess(i, a)) i++;
      while (i <= j && !this.#isLess(j, a)) j--;
      if (i > j) break;
      this.#swap(i++, j--);
    }
    this.#swap(j, a);
    return [j, false];
  }

  /** Those equal to the pivot to the left of those greater. */
  #partitionEqual(a: number, b: number, pivot: number): number {
    this.#swap(a, pivot);
    let i = a + 1;
    let j = b - 1;
    for (;;) {
      while (i <= j && !this.#isLess(a, i)) i++;
      while (i <= j && this.#isLess(a, j)) j--;
      if (i > j) return i;
      this.#swap(i++, j--);
    }
  }

  /** True where a few moves were enough to sort it. */
  #partialInsertion(a: number, b: number): boolean {
    const steps = 5;
    const shortestShifting = 50;
    let i = a + 1;
    for (let step = 0; step < steps; step++) {
      while (i < b && !this.#isLess(i, i - 1)) i++;
      if (i === b) return true;
      if (b - a < shortestShifting) return false;
      this.#swap(i, i - 1);
      if (i - a >= 2) for (let j = i - 1; j >= 1 && this.#isLess(j, j - 1); j--) this.#swap(j, j - 1);
      if (b - i >= 2) for (let j = i + 1; j < b && this.#isLess(j, j - 1); j++) this.#swap(j, j - 1);
    }
    return false;
  }

  /** Scatters some elements by an xorshift of the length. */
  #breakPatterns(a: number, b: number): void {
    const length = b - a;
    if (length < 8) return;
    let random = BigInt(length);
    const modulus = 2 ** (Math.floor(Math.log2(length)) + 1);
    const middle = a + Math.floor(length / 4) * 2 - 1;
    for (let i = 0; i < 3; i++) {
      random = BigInt.asUintN(64, random ^ (random << 13n));
      random ^= random >> 7n;
      random = BigInt.asUintN(64, random ^ (random << 17n));
      let other = Number(BigInt.asUintN(32, random)) & (modulus - 1);
      if (other >= length) other -= length;
      this.#swap(middle + i, a + other);
    }
  }

  #choosePivot(a: number, b: number): [pivot: number, hint: Hint] {
    const length = b - a;
    this.#swapsOfPivot = 0;
    let i = a + Math.floor(length / 4);
    let j = a + Math.floor(length / 4) * 2;
    let k = a + Math.floor(length / 4) * 3;
    if (length >= 8) {
      if (length >= SHORTEST_NINTHER) {
        i = this.#median(i - 1, i, i + 1);
        j = this.#median(j - 1, j, j + 1);
        k = this.#median(k - 1, k, k + 1);
      }
      j = this.#median(i, j, k);
    }
    if (this.#swapsOfPivot === 0) return [j, 'increasing'];
    return [j, this.#swapsOfPivot === MAX_SWAPS ? 'decreasing' : 'unknown'];
  }

  #median(first: number, second: number, third: number): number {
    let [a, b, c] = [first, second, third];
    const order = (left: number, right: number): [number, number] => {
      if (!this.#isLess(right, left)) return [left, right];
      this.#swapsOfPivot++;
      return [right, left];
    };
    [a, b] = order(a, b);
    [b, c] = order(b, c);
    [a, b] = order(a, b);
    return b;
  }

  #reverse(a: number, b: number): void {
    for (let i = a, j = b - 1; i < j; i++, j--) this.#swap(i, j);
  }
}
