/** The order of merged lists (`normalizeElementOrder`): the patch's order for its elements, the live one for the rest. */
import { isRecord, jsonEquals } from '../values/json.ts';

function indexIn(list: readonly unknown[], element: unknown, mergeKey: string): number {
  return list.findIndex((entry) => {
    if (mergeKey === '') return jsonEquals(entry, element);
    return isRecord(entry) && isRecord(element) && jsonEquals(entry[mergeKey], element[mergeKey]);
  });
}

/** The elements that `order` names, and those it does not. */
export function partition(
  list: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
): { listed: unknown[]; others: unknown[] } {
  const listed: unknown[] = [];
  const others: unknown[] = [];
  for (const entry of list) (indexIn(order, entry, mergeKey) >= 0 ? listed : others).push(entry);
  return { listed, others };
}

function sortedBy(list: readonly unknown[], order: readonly unknown[], mergeKey: string): unknown[] {
  return list.toSorted((left, right) => {
    const leftAt = indexIn(order, left, mergeKey);
    const rightAt = indexIn(order, right, mergeKey);
    return leftAt >= 0 && rightAt >= 0 ? leftAt - rightAt : 0;
  });
}

/** Interleaves both, keeping each one's order; where the live list knows both elements it decides. */
export function mergedInOrder(
  listed: readonly unknown[],
  others: readonly unknown[],
  patchOrder: readonly unknown[],
  liveOrder: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const right = sortedBy(listed, patchOrder, mergeKey);
  const left = sortedBy(others, liveOrder, mergeKey);
  const out: unknown[] = [];
  let atLeft = 0;
  let atRight = 0;
  while (atLeft < left.length || atRight < right.length) {
    if (atLeft >= left.length) out.push(right[atRight++]);
    else if (atRight >= right.length) out.push(left[atLeft++]);
    else {
      const leftLive = indexIn(liveOrder, left[atLeft], mergeKey);
      const rightLive = indexIn(liveOrder, right[atRight], mergeKey);
      if (leftLive >= 0 && rightLive >= 0 && leftLive < rightLive) out.push(left[atLeft++]);
      else out.push(right[atRight++]);
    }
  }
  return out;
}
