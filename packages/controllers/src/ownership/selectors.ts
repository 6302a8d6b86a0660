import { type LabelSelector, labelSelectorOf, matchesLabels } from '@kind-e2e/kube-api';

interface SelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** Cached objects are never changed, so a parsed selector is good as long as its object lives. */
const parsed = new WeakMap<object, LabelSelector>();

/** Whether the labels match: no selector matches nothing, `{}` matches everything; a bad selector matches nothing. */
export function selects(
  selector: SelectorObject | undefined | null,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (!selector) return false;
  let requirements = parsed.get(selector);
  if (!requirements) {
    try {
      requirements = labelSelectorOf(selector) ?? [];
    } catch {
      return false;
    }
    parsed.set(selector, requirements);
  }
  return matchesLabels(requirements, labels);
}

/** Whether all pairs of a plain map selector (`spec.selector` of Services) are among the labels; none matches nothing. */
export function selectsExactly(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (!selector) return false;
  const entries = Object.entries(selector);
  return entries.length > 0 && entries.every(([key, value]) => labels?.[key] === value);
}

export function isEmptySelector(selector: SelectorObject | undefined): boolean {
  return (
    selector !== undefined &&
    Object.keys(selector.matchLabels ?? {}).length === 0 &&
    (selector.matchExpressions ?? []).length === 0
  );
}
