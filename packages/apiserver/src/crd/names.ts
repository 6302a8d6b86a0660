import type { CrdNames } from './crd-spec.ts';

/** Which names a CRD gets, and the last conflict that keeps it from the rest. */
export interface NameJudgement {
  readonly accepted: Readonly<Record<string, unknown>>;
  readonly conflict: { readonly reason: string; readonly message: string } | undefined;
}

/**
 * Names are accepted one by one; a conflict is told by its kind, the last one wins (apiextensions
 * `controller/status/naming_controller.go`). `taken` are the resource names and `kinds` the kinds of other CRDs.
 */
export function judgeNames(names: CrdNames, taken: ReadonlySet<string>, kinds: ReadonlySet<string>): NameJudgement {
  const accepted: Record<string, unknown> = {};
  let conflict: NameJudgement['conflict'];
  const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
  const judge = (field: string, reason: string, name: string, others: ReadonlySet<string>): void => {
    if (others.has(name)) conflict = { reason, message: inUse(name) };
    else accepted[field] = name;
  };
  judge('plural', 'PluralConflict', names.plural, taken);
  judge('singular', 'SingularConflict', names.singular, taken);
  const clashing = names.shortNames.filter((name) => taken.has(name));
  if (clashing.length > 0) {
    const all = clashing.map(inUse);
    conflict = { reason: 'ShortNamesConflict', message: all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]` };
  } else if (names.shortNames.length > 0) accepted.shortNames = names.shortNames;
  judge('kind', 'KindConflict', names.kind, kinds);
  judge('listKind', 'ListKindConflict', names.listKind, kinds);
  if (names.categories.length > 0) accepted.categories = names.categories;
  return { accepted, conflict };
}
